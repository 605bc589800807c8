import CKernels

/// What stays the same from frame to frame of a stream: size, format and encoding. Make it once a stream.
public struct FrameLayout: Sendable {
    /// Size in pixels. Even where the format shares chroma.
    public let size: FrameSize
    /// Layout of the pixels.
    public let format: PixelFormat
    /// The encoding of YUV formats.
    public let encoding: YUVEncoding
    let yuv: movie_yuv

    /// A layout; `encoding` matters for YUV formats only.
    public init(size: FrameSize, format: PixelFormat, encoding: YUVEncoding = .bt601) {
        self.size = size
        self.format = format
        self.encoding = encoding
        yuv = format.isYUV ? encoding.kernel : movie_yuv()
    }

    /// The view of a picture whose planes begin at `planes`, `strides` bytes from row to row; those the format lacks are
    /// not looked at.
    public func view(
        planes: (UnsafeRawPointer, UnsafeRawPointer?, UnsafeRawPointer?), strides: (Int, Int, Int)
    ) -> FrameView {
        let (first, second, third) = planes
        return FrameView(
            layout: self,
            picture: picture(
                UnsafeMutableRawPointer(mutating: first), UnsafeMutableRawPointer(mutating: second),
                UnsafeMutableRawPointer(mutating: third), strides))
    }

    /// As `view`, to be written.
    public func mutableView(
        planes: (UnsafeMutableRawPointer, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?), strides: (Int, Int, Int)
    ) -> MutableFrameView {
        MutableFrameView(layout: self, picture: picture(planes.0, planes.1, planes.2, strides))
    }

    private func picture(
        _ first: UnsafeMutableRawPointer, _ second: UnsafeMutableRawPointer?, _ third: UnsafeMutableRawPointer?,
        _ strides: (Int, Int, Int)
    ) -> movie_picture {
        func bytes(_ plane: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<UInt8> {
            (plane ?? first).assumingMemoryBound(to: UInt8.self)
        }
        return movie_picture(
            format: format.kernel, width: size.width, height: size.height,
            planes: (bytes(first), bytes(second), bytes(third)), strides: strides, yuv: yuv)
    }
}
