import Frames

/// A packed RGB picture in memory of its own.
final class Picture {
    /// The picture; black at first.
    let view: MutableFrameView
    private let memory: UnsafeMutableRawPointer

    /// Room for a picture of `size`.
    init(size: FrameSize) {
        let stride = (size.width * PixelFormat.rgb.bytesPerPixel + 63) / 64 * 64
        memory = .allocate(byteCount: stride * size.height, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: stride * size.height)
        view = MutableFrameView(base: memory, size: size, stride: stride)
    }

    deinit { memory.deallocate() }
}
