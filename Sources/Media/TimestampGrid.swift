/// Puts timestamps that a container rounded (Matroska: to milliseconds) back onto the grid of a constant frame rate.
///
/// A timestamp further than the rounding from the grid is left alone, so a varying frame rate stays as it is.
struct TimestampGrid {
    private let framerate: Framerate?
    private let tolerance: Int
    private var origin: Int?

    /// A grid of this rate that begins at the first timestamp; without a rate nothing is moved.
    init(_ framerate: Framerate?) {
        self.framerate = framerate
        let period = framerate.map { $0.time(ofFrame: 1) } ?? 0
        tolerance = min(1_000_000, period / 4)
    }

    /// The timestamp to use for `time`, both in nanoseconds.
    mutating func snap(_ time: UInt) -> UInt {
        guard let framerate, let time = Int(exactly: time) else { return time }
        guard let origin else {
            origin = time
            return UInt(time)
        }
        let passed = Double(time - origin) * framerate.framesPerSecond / 1e9
        let ideal = origin + framerate.time(ofFrame: Int(passed.rounded()))
        return abs(ideal - time) <= tolerance ? UInt(max(0, ideal)) : UInt(time)
    }
}
