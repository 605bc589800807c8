import CVideo
import Frames

/// How pictures lie in a loopback device's buffers.
struct LoopbackFormat: Equatable {
    /// What the pixels are.
    let pixels: PixelFormat
    /// Size in pixels.
    let size: FrameSize
    /// Bytes from row to row of the first plane.
    let stride: Int

    /// Formats that a loopback device may have, the usual first. Old browsers know nothing but the first two.
    static let choice: [(name: String, pixels: PixelFormat)] = [
        ("I420", .i420), ("YUY2", .yuy2), ("NV12", .nv12), ("RGB", .rgb),
    ]

    /// The name of a format as it is written in a sink: `I420`.
    static func pixels(named name: String) -> PixelFormat? {
        choice.first { $0.name == name.uppercased() }?.pixels ?? (name.uppercased() == "YUYV" ? .yuy2 : nil)
    }

    /// A format without padding.
    init(pixels: PixelFormat, size: FrameSize) {
        self.pixels = pixels
        self.size = size
        stride = size.width * pixels.bytesPerPixel
    }

    /// The device's format; nil for one that is not written here.
    init?(_ format: movie_video_format) {
        guard let pixels = Self.codes.first(where: { $0.code == format.fourcc })?.pixels else { return nil }
        self.pixels = pixels
        size = FrameSize(width: Int(format.width), height: Int(format.height))
        // v4l2loopback counts the luma plane only; some versions count nothing.
        let least = size.width * pixels.bytesPerPixel
        stride = max(Int(format.stride), least)
        guard size.width > 0, size.height > 0, size.width.isMultiple(of: 2), size.height.isMultiple(of: 2) else {
            return nil
        }
    }

    /// As the device is asked for it.
    var wish: movie_video_format {
        movie_video_format(
            fourcc: Self.codes.first { $0.pixels == pixels }?.code ?? 0, width: UInt32(size.width),
            height: UInt32(size.height), stride: UInt32(stride), bytes: UInt32(bytes))
    }

    /// Bytes of a picture.
    var bytes: Int {
        let luma = stride * size.height
        return pixels.planeCount > 1 ? luma + luma / 2 : luma
    }

    /// The picture in a buffer at `base`; `layout` is of this format.
    func picture(at base: UnsafeMutableRawPointer, _ layout: FrameLayout) -> MutableFrameView {
        let luma = stride * size.height
        switch pixels {
        case .i420:
            let second = base + luma
            return layout.mutableView(
                planes: (base, second, second + luma / 4), strides: (stride, stride / 2, stride / 2))
        case .nv12: return layout.mutableView(planes: (base, base + luma, nil), strides: (stride, stride, 0))
        default: return layout.mutableView(planes: (base, nil, nil), strides: (stride, 0, 0))
        }
    }

    private static let codes: [(pixels: PixelFormat, code: UInt32)] = [
        (.i420, letters("YU12")), (.yuy2, letters("YUYV")), (.nv12, letters("NV12")), (.rgb, letters("RGB3")),
    ]

    /// The number of four letters.
    static func letters(_ text: String) -> UInt32 {
        text.utf8.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
