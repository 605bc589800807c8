/// Width and height in pixels.
public struct FrameSize: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// Columns; positive.
    public var width: Int
    /// Rows; positive.
    public var height: Int

    /// A size of `width` x `height` pixels.
    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// For example `512x384`.
    public var description: String { "\(width)x\(height)" }

    /// The size at which frames of a size are edited unless told otherwise: up to 640 x 480 pixels as they are, larger ones at
    /// about 512 x 384 pixels of the same shape, sides multiples of 16 from 64.
    public static func standardEdit(of size: FrameSize) -> FrameSize {
        let area = Double(size.width) * Double(size.height)
        guard area > 640 * 480 else { return size }
        let factor = (512 * 384 / area).squareRoot()
        func side(_ length: Int) -> Int { max(4, Int((Double(length) * factor / 16).rounded())) * 16 }
        return FrameSize(width: side(size.width), height: side(size.height))
    }
}
