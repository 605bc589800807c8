/// The camera's noise, from the changes of all cells of a picture, and what counts as change beyond it.
///
/// Most cells of a call show nothing but noise, so the median is the noise's. A picture that moves as a whole has a wide
/// spread of changes, noise a narrow one: only a narrow one may raise the estimate.
public struct NoiseEstimate: Sendable {
    /// The median change of a cell that shows the same thing, in levels of 8 bits.
    public private(set) var level: Double

    /// A change of this many medians is one of the scene.
    static let factor = 2.4
    /// What counts as change in levels, however quiet or noisy the camera.
    static let range = 1.5...10.0
    /// The upper quartile of noise lies closer to the median than this.
    static let spread = 2.2
    /// A larger median is no camera's noise: the picture has become another one.
    static let most = 6.0
    /// How fast the estimate falls and rises.
    private static let down = 0.3, up = 0.1

    /// An estimate to begin with.
    public init(level: Double = 1) { self.level = level }

    /// Changes above this count, in levels.
    public var threshold: Double { min(Self.range.upperBound, max(Self.range.lowerBound, Self.factor * level)) }

    /// A cell that has changed is left alone again when it changes by less than this.
    public var lowThreshold: Double { 0.6 * threshold }

    /// Takes in the median and the upper quartile of a frame's changes, in levels.
    public mutating func update(median: Double, upperQuartile: Double) {
        let isNoise = median <= Self.most && upperQuartile <= Self.spread * max(median, 0.25)
        if median < level {
            level += Self.down * (median - level)
        } else if isNoise {
            level += Self.up * (median - level)
        }
    }
}
