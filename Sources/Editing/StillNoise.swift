/// The camera's noise in what differs between frames: told by the fifth of the places that differ least.
///
/// It rises slowly and falls fast, so that a frame full of movement does not pass for a noisy one.
struct StillNoise {
    /// Levels that `level` stays within.
    let bounds: ClosedRange<Float>
    /// What the first frames may tell at most: what differs may be more than noise.
    let first: Float
    /// A level, in what is counted.
    let unit: Float
    /// What the fifth that differs least is of `level`.
    let fifth: Float
    /// Width of a step of the histogram of 64.
    let width: Int
    /// The noise, in levels of 255.
    private(set) var level: Float
    private var knows = false

    init(bounds: ClosedRange<Float>, first: Float, unit: Float, fifth: Float, width: Int) {
        self.bounds = bounds
        self.first = first
        self.unit = unit
        self.fifth = fifth
        self.width = width
        level = bounds.lowerBound
    }

    mutating func forget() {
        knows = false
        level = bounds.lowerBound
    }

    /// Takes in how much places differ.
    mutating func update(_ values: UnsafePointer<UInt16>, count: Int) {
        let found = quantile(values, count: count) / unit / fifth
        let rising = knows ? min(found, level * 1.05) : min(found, first)
        let next = found > level ? rising : level + (found - level) * 0.3
        knows = true
        level = min(max(next, bounds.lowerBound), bounds.upperBound)
    }

    /// The fifth of some 2048 values is below it.
    private func quantile(_ values: UnsafePointer<UInt16>, count: Int) -> Float {
        let step = max(1, count / 2048), bins = 64
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: 64) { histogram in
            histogram.initialize(repeating: 0)
            var seen = 0, index = 0
            while index < count {
                histogram[min(bins - 1, Int(values[index]) / width)] += 1
                seen += 1
                index += step
            }
            var below = 0, bin = 0
            while bin < bins - 1, below + Int(histogram[bin]) < seen / 5 {
                below += Int(histogram[bin])
                bin += 1
            }
            let inside = Float(seen / 5 - below) / Float(max(1, histogram[bin]))
            return (Float(bin) + inside) * Float(width)
        }
    }
}
