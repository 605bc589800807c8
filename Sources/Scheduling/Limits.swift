/// A value outside what is allowed: one sentence with the value seen, the value allowed and what to do.
public struct LimitError: Error, Equatable, CustomStringConvertible {
    /// The sentence.
    public let message: String
    /// The sentence.
    public var description: String { message }
}

/// What rates, budgets and shares may be. `subject` begins the sentence: "--framerate", "streams[0].framerate".
public enum Limits {
    /// Frames a second.
    public static let framerate = 1.0...240.0
    /// The longest latency budget.
    public static let longestLatency: Nanoseconds = .seconds(10)
    /// Per cent of all processors.
    public static let budget = 1.0...100.0
    /// Threads to compute with.
    public static let threads = 1...256
    /// A stream's weight.
    public static let weight = 0.01...100.0
    /// Frames that the default latency budget lasts.
    public static let defaultLatencyFrames = 3

    /// Throws unless `rate`, in frames a second, is allowed.
    public static func check(framerate rate: Double, _ subject: String) throws(LimitError) {
        guard !framerate.contains(rate) else { return }
        throw LimitError(
            message: "\(subject) is \(text(rate)); it must be from 1 to 240 frames a second, for example 30")
    }

    /// Throws unless `latency` is at least one frame of `rate` frames a second and at most 10 s.
    public static func check(
        latency: Nanoseconds, framerate rate: Double, _ subject: String
    ) throws(LimitError) {
        let frame = Nanoseconds(1e9 / rate)
        guard latency < frame || latency > longestLatency else { return }
        let least = (frame + 999_999) / 1_000_000
        throw LimitError(
            message:
                "\(subject) is \(text(latency.inMilliseconds)) ms; at \(text(rate)) frames a second it must be from "
                + "\(least) ms (one frame) to 10000 ms, for example \(least * 2) ms")
    }

    /// Throws unless `percent` of all processors is allowed.
    public static func check(budget percent: Double, _ subject: String) throws(LimitError) {
        guard !budget.contains(percent) else { return }
        throw LimitError(
            message: "\(subject) is \(text(percent))%; it must be from 1% to 100% of all processors, for example 50%")
    }

    /// Throws unless the number of threads is allowed.
    public static func check(threads count: Int, _ subject: String) throws(LimitError) {
        guard !threads.contains(count) else { return }
        throw LimitError(message: "\(subject) is \(count); it must be from 1 to 256")
    }

    /// Throws unless the weight is allowed.
    public static func check(weight value: Double, _ subject: String) throws(LimitError) {
        guard !weight.contains(value) else { return }
        throw LimitError(message: "\(subject) is \(text(value)); it must be from 0.01 to 100, for example 1")
    }

    /// Without a useless ".0".
    private static func text(_ value: Double) -> String {
        guard value.isFinite, value == value.rounded(), abs(value) < 1e15 else { return "\(value)" }
        return "\(Int(value))"
    }
}
