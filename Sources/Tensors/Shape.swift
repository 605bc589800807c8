/// The shape of an activation: [batch, height, width, channels]. A sequence has height 1.
public struct Shape: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// Pictures or sequences.
    public var batch: Int
    /// Rows.
    public var height: Int
    /// Columns, or positions of a sequence.
    public var width: Int
    /// Numbers a position.
    public var channels: Int

    /// [batch, height, width, channels]; all positive.
    public init(_ batch: Int, _ height: Int, _ width: Int, _ channels: Int) {
        self.batch = batch
        self.height = height
        self.width = width
        self.channels = channels
    }

    /// Positions of one batch element.
    public var area: Int { height * width }
    /// Positions of the whole batch.
    public var positions: Int { batch * height * width }
    /// Elements.
    public var count: Int { positions * channels }
    /// For example `[1, 48, 64, 4]`.
    public var description: String { "[\(batch), \(height), \(width), \(channels)]" }

    /// The same positions with another number of channels.
    public func with(channels: Int) -> Shape { Shape(batch, height, width, channels) }
}
