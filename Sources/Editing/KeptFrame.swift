import Frames

/// A picture of one layout in memory of its own: the last edited frame, to be shown again.
public final class KeptFrame {
    /// Whether it holds a picture.
    public private(set) var isFilled = false
    /// The memory; what it holds counts only after `store`.
    public let view: MutableFrameView
    private let bytes: UnsafeMutableRawPointer

    /// Room for a picture.
    public init(layout: FrameLayout) {
        let format = layout.format, size = layout.size
        let lengths = (0..<3).map { plane in
            plane < format.planeCount
                ? format.bytesPerRow(ofPlane: plane, width: size.width)
                    * format.rows(ofPlane: plane, height: size.height)
                : 0
        }
        func stride(_ plane: Int) -> Int { format.bytesPerRow(ofPlane: plane, width: size.width) }
        let count = lengths.reduce(0, +)
        bytes = .allocate(byteCount: count, alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 128, count: count)
        view = layout.mutableView(
            planes: (bytes, bytes + lengths[0], bytes + lengths[0] + lengths[1]),
            strides: (stride(0), stride(1), stride(2)))
    }

    deinit { bytes.deallocate() }

    /// Keeps a picture of this layout.
    public func store(_ picture: FrameView) {
        view.copy(from: picture)
        isFilled = true
    }

    /// Forgets it.
    public func clear() { isFilled = false }
}
