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
}
