import Glibc
import Scheduling

/// The machine's clock that never goes back, the one that GStreamer's system clock and the worker pool use too.
public struct MonotonicClock: TimeSource {
    /// There is only one.
    public init() {}

    /// Nanoseconds since an arbitrary moment.
    public var now: Nanoseconds { Self.nanoseconds }

    /// Nanoseconds since an arbitrary moment.
    static var nanoseconds: Nanoseconds {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Nanoseconds(time.tv_sec) * 1_000_000_000 + Nanoseconds(time.tv_nsec)
    }

    /// Seconds since an arbitrary moment.
    static var seconds: Double { nanoseconds.inSeconds }

    /// Sleeps until `time`, which does not move when the thread is late; returns at once when it has passed.
    static func sleep(until time: Nanoseconds) {
        var moment = timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, nil) == EINTR {}
    }
}
