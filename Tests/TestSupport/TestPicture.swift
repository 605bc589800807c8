import Frames

/// An 8-bit RGB picture in memory with sentinel bytes before, after and between its rows.
public final class TestPicture {
    /// What every byte outside the pixels holds.
    public static let sentinel: UInt8 = 0xA5

    /// Its size.
    public let size: FrameSize
    /// Bytes from row to row.
    public let stride: Int
    private let bytes: UnsafeMutablePointer<UInt8>
    private let count: Int
    private static let margin = 64

    /// A picture whose pixels hold the sentinel too; rows are `extra` bytes longer than their pixels.
    public init(size: FrameSize, extra: Int = 0) {
        self.size = size
        stride = size.width * 3 + extra
        count = stride * size.height + 2 * Self.margin
        bytes = .allocate(capacity: count)
        bytes.initialize(repeating: Self.sentinel, count: count)
    }

    /// A picture of smooth colours that differ by `seed`.
    public convenience init(pattern seed: Int, size: FrameSize, extra: Int = 0) {
        self.init(size: size, extra: extra)
        for row in 0..<size.height {
            for column in 0..<size.width * 3 {
                let value = row * 3 + column * 2 + (row * column + seed * 31) % 61
                bytes[Self.margin + row * stride + column] = UInt8(truncatingIfNeeded: value % 256)
            }
        }
    }

    /// A picture of slow gradients and a disc, as photographs have them.
    public convenience init(smooth size: FrameSize) {
        self.init(size: size)
        for row in 0..<size.height {
            for column in 0..<size.width {
                let x = column - size.width / 2, y = row - size.height / 2
                let isInside = x * x + y * y < size.height * size.height / 9
                let colour =
                    isInside ? [200 - row / 2, 120, 60 + column / 3] : [40 + column, 90 + row, 180 - column / 2]
                for c in 0..<3 {
                    bytes[Self.margin + row * stride + column * 3 + c] = UInt8(max(0, min(255, colour[c])))
                }
            }
        }
    }

    // Never freed: a test that writes `TestPicture(...).view` keeps the view alone.

    /// To be edited.
    public var view: FrameView { FrameView(base: bytes + Self.margin, size: size, stride: stride) }
    /// To be written.
    public var mutableView: MutableFrameView { MutableFrameView(base: bytes + Self.margin, size: size, stride: stride) }

    /// The pixels' bytes, row by row.
    public var pixels: [UInt8] {
        (0..<size.height).flatMap { row in
            Array(UnsafeBufferPointer(start: bytes + Self.margin + row * stride, count: size.width * 3))
        }
    }

    /// Whether every byte outside the pixels still holds the sentinel.
    public var isUntouchedOutside: Bool {
        (0..<count).allSatisfy { index in
            let place = index - Self.margin
            let isPixel = place >= 0 && place < stride * size.height && place % stride < size.width * 3
            return isPixel || bytes[index] == Self.sentinel
        }
    }
}
