import CKernels

/// Layout of a picture in memory, 8 bits a sample. The names are GStreamer's.
public enum PixelFormat: String, Sendable, CaseIterable {
    /// Packed red, green, blue; full range, sRGB transfer. What the networks take and give.
    case rgb = "RGB"
    /// Packed blue, green, red.
    case bgr = "BGR"
    /// Red, green, blue and a byte of padding.
    case rgbx = "RGBx"
    /// Blue, green, red and a byte of padding.
    case bgrx = "BGRx"
    /// Red, green, blue and straight alpha, which an edit keeps.
    case rgba = "RGBA"
    /// Planes of luma and of the two chroma samples, each of half width and height.
    case i420 = "I420"
    /// A plane of luma and one of interleaved chroma of half width and height.
    case nv12 = "NV12"
    /// Packed luma and chroma of half width.
    case yuy2 = "YUY2"

    /// Planes in memory.
    public var planeCount: Int {
        switch self {
        case .i420: 3
        case .nv12: 2
        default: 1
        }
    }

    /// Whether chroma is apart from luma, so that a `YUVEncoding` matters.
    public var isYUV: Bool {
        switch self {  // an array to look in would be made for every frame
        case .i420, .nv12, .yuy2: true
        case .rgb, .bgr, .rgbx, .bgrx, .rgba: false
        }
    }

    /// Rows that share chroma: a picture is converted in multiples of them.
    public var rowStep: Int { planeCount > 1 ? 2 : 1 }

    /// Bytes a pixel takes in a row of the first plane.
    public var bytesPerPixel: Int {
        switch self {
        case .rgb, .bgr: 3
        case .rgbx, .bgrx, .rgba: 4
        case .i420, .nv12: 1
        case .yuy2: 2
        }
    }

    /// Bytes of pixels in a row of a plane, for an even width.
    public func bytesPerRow(ofPlane plane: Int, width: Int) -> Int {
        plane > 0 && self == .i420 ? width / 2 : width * bytesPerPixel
    }

    /// Rows of a plane, for an even height.
    public func rows(ofPlane plane: Int, height: Int) -> Int { plane > 0 ? height / 2 : height }

    var kernel: movie_pixels {
        switch self {
        case .rgb: MOVIE_PIXELS_RGB
        case .bgr: MOVIE_PIXELS_BGR
        case .rgbx: MOVIE_PIXELS_RGBX
        case .bgrx: MOVIE_PIXELS_BGRX
        case .rgba: MOVIE_PIXELS_RGBA
        case .i420: MOVIE_PIXELS_I420
        case .nv12: MOVIE_PIXELS_NV12
        case .yuy2: MOVIE_PIXELS_YUY2
        }
    }
}

/// How red, green and blue became luma and chroma.
public struct YUVEncoding: Sendable, Equatable {
    /// Weight of red in luma.
    public let red: Double
    /// Weight of blue in luma.
    public let blue: Double
    /// Luma and chroma use 0...255; otherwise 16...235 and 16...240.
    public let isFullRange: Bool

    /// The encoding with these weights, both positive and together below 1.
    public init(red: Double, blue: Double, isFullRange: Bool) {
        self.red = red
        self.blue = blue
        self.isFullRange = isFullRange
    }

    /// ITU-R BT.601, limited range: video of standard definition, webcams.
    public static let bt601 = YUVEncoding(red: 0.299, blue: 0.114, isFullRange: false)
    /// ITU-R BT.709, limited range: video of high definition.
    public static let bt709 = YUVEncoding(red: 0.2126, blue: 0.0722, isFullRange: false)
    /// JPEG and MJPEG: BT.601, full range.
    public static let jpeg = YUVEncoding(red: 0.299, blue: 0.114, isFullRange: true)

    var kernel: movie_yuv {
        var numbers = movie_yuv()
        movie_yuv_init(&numbers, red, blue, isFullRange ? 1 : 0)
        return numbers
    }
}
