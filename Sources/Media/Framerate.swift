/// Frames a second as a fraction, so that 30000/1001 stays exact.
public struct Framerate: Equatable, Sendable, CustomStringConvertible {
    /// Positive.
    public let numerator: Int
    /// Positive.
    public let denominator: Int

    /// `numerator / denominator` frames a second; both must be positive.
    public init(_ numerator: Int, _ denominator: Int = 1) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Frames a second.
    public var framesPerSecond: Double { Double(numerator) / Double(denominator) }

    /// For example `30000/1001`.
    public var description: String { "\(numerator)/\(denominator)" }

    /// Nanoseconds from the first frame to frame `index`, rounded to the nearest; index may be negative.
    func time(ofFrame index: Int) -> Int {
        let scaled = index.multipliedFullWidth(by: 1_000_000_000 * denominator)
        let wide = Int128(scaled.high) << 64 | Int128(scaled.low)
        let half = Int128(numerator / 2)
        return Int((wide + (wide < 0 ? -half : half)) / Int128(numerator))
    }
}
