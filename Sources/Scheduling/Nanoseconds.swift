import Synchronization

/// Time and durations, in nanoseconds of a clock that never goes back.
public typealias Nanoseconds = Int64

extension Nanoseconds {
    /// A thousand-millionth of `seconds`, rounded down.
    public static func seconds(_ seconds: Double) -> Nanoseconds { Nanoseconds(seconds * 1e9) }
    /// `milliseconds`, rounded down.
    public static func milliseconds(_ milliseconds: Double) -> Nanoseconds { Nanoseconds(milliseconds * 1e6) }
    /// As seconds.
    public var inSeconds: Double { Double(self) * 1e-9 }
    /// As milliseconds.
    public var inMilliseconds: Double { Double(self) * 1e-6 }
}

/// Where the time comes from: the machine's monotonic clock in the daemon, a clock turned by hand in tests and simulations.
public protocol TimeSource: Sendable {
    /// Nanoseconds since an arbitrary moment; never less than before.
    var now: Nanoseconds { get }
}

/// A clock that stands until somebody turns it.
public final class TurnedClock: TimeSource {
    private let time: Atomic<Nanoseconds>

    /// A clock that shows `now`.
    public init(now: Nanoseconds = 0) { time = Atomic(now) }

    /// What it shows.
    public var now: Nanoseconds { time.load(ordering: .relaxed) }

    /// Turns it forward; a negative duration is ignored.
    public func advance(by duration: Nanoseconds) { time.add(Swift.max(0, duration), ordering: .relaxed) }
}
