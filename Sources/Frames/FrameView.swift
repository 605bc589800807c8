import CKernels

/// A readable picture that somebody else owns: valid only during the call it is given to.
public struct FrameView {
    /// Size, format and encoding.
    public let layout: FrameLayout
    var picture: movie_picture

    init(layout: FrameLayout, picture: movie_picture) {
        self.layout = layout
        self.picture = picture
    }

    /// A view of `size` pixels of a packed format at `base`; `stride` in bytes.
    public init(base: UnsafeRawPointer, size: FrameSize, stride: Int, format: PixelFormat = .rgb) {
        self = FrameLayout(size: size, format: format).view(planes: (base, nil, nil), strides: (stride, 0, 0))
    }

    /// The first byte of the top row of the first plane.
    public var base: UnsafeRawPointer { UnsafeRawPointer(picture.planes.0) }
    /// Bytes from one row of the first plane to the next.
    public var stride: Int { picture.strides.0 }
    /// Size in pixels.
    public var size: FrameSize { layout.size }
    /// Layout of the pixels.
    public var format: PixelFormat { layout.format }

    /// The first byte of a plane, 0..<`format.planeCount`.
    public func base(ofPlane plane: Int) -> UnsafeRawPointer {
        UnsafeRawPointer(plane == 0 ? picture.planes.0 : plane == 1 ? picture.planes.1 : picture.planes.2)
    }

    /// Bytes from one row of a plane to the next.
    public func stride(ofPlane plane: Int) -> Int {
        plane == 0 ? picture.strides.0 : plane == 1 ? picture.strides.1 : picture.strides.2
    }

    /// Writes rows first..<last as packed RGB, 3 bytes a pixel, to `rgb`, whose rows are `stride` bytes apart.
    ///
    /// - Parameter rows: within 0..<height.
    public func readRGB(rows: Range<Int>, into rgb: UnsafeMutablePointer<UInt8>, stride: Int) {
        withUnsafePointer(to: picture) { movie_rgb_from_rows(rgb, stride, $0, rows.lowerBound, rows.upperBound) }
    }
}

/// A writable picture that somebody else owns: valid only during the call it is given to.
public struct MutableFrameView {
    /// Size, format and encoding.
    public let layout: FrameLayout
    var picture: movie_picture

    init(layout: FrameLayout, picture: movie_picture) {
        self.layout = layout
        self.picture = picture
    }

    /// A view of `size` pixels of a packed format at `base`; `stride` in bytes.
    public init(base: UnsafeMutableRawPointer, size: FrameSize, stride: Int, format: PixelFormat = .rgb) {
        self = FrameLayout(size: size, format: format).mutableView(planes: (base, nil, nil), strides: (stride, 0, 0))
    }

    /// The first byte of the top row of the first plane.
    public var base: UnsafeMutableRawPointer { UnsafeMutableRawPointer(picture.planes.0) }
    /// Bytes from one row of the first plane to the next.
    public var stride: Int { picture.strides.0 }
    /// Size in pixels.
    public var size: FrameSize { layout.size }
    /// Layout of the pixels.
    public var format: PixelFormat { layout.format }
    /// The same picture, to be read.
    public var readable: FrameView { FrameView(layout: layout, picture: picture) }

    /// Writes rows from packed RGB, 3 bytes a pixel, whose rows are `stride` bytes apart; `rgb` holds the first of `rows`.
    ///
    /// The alpha of RGBA comes from `source` where that has one, and stays otherwise.
    /// - Parameter rows: within 0..<height; both ends multiples of `format.rowStep`.
    public func writeRGB(
        rows: Range<Int>, from rgb: UnsafePointer<UInt8>, stride: Int, alphaFrom source: FrameView? = nil
    ) {
        if format == .rgba, let source, source.format == .rgba, source.base != UnsafeRawPointer(base) {
            copyRows(rows, from: source)
        }
        withUnsafePointer(to: picture) { movie_rgb_to_rows($0, rgb, stride, rows.lowerBound, rows.upperBound) }
    }

    /// Copies rows of the first plane from a picture of the same layout.
    private func copyRows(_ rows: Range<Int>, from source: FrameView) {
        let bytes = format.bytesPerRow(ofPlane: 0, width: size.width)
        for row in rows { (base + row * stride).copyMemory(from: source.base + row * source.stride, byteCount: bytes) }
    }

    /// Copies a picture of the same size and format.
    public func copy(from source: FrameView) {
        for plane in 0..<format.planeCount {
            let bytes = format.bytesPerRow(ofPlane: plane, width: size.width)
            let from = source.base(ofPlane: plane),
                to = UnsafeMutableRawPointer(mutating: readable.base(ofPlane: plane))
            let fromStride = source.stride(ofPlane: plane), toStride = readable.stride(ofPlane: plane)
            for row in 0..<format.rows(ofPlane: plane, height: size.height) {
                (to + row * toStride).copyMemory(from: from + row * fromStride, byteCount: bytes)
            }
        }
    }
}
