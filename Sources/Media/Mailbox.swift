import Glibc
import Scheduling

/// One slot between the source's thread and the edit thread, where the newest frame replaces the one that waits.
final class Mailbox: @unchecked Sendable {
    /// A frame and when it was captured.
    struct Item: ~Copyable {
        let sample: Sample
        let captured: Nanoseconds
    }

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let filled = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: OpaquePointer?
    private var captured: Nanoseconds = 0
    private var arrived = 0
    private var replaced = 0
    private var lastArrival: Nanoseconds

    /// An empty one.
    init() {
        lastArrival = MonotonicClock.nanoseconds
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(filled, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        if let waiting { Self.free(waiting) }
        pthread_cond_destroy(filled)
        filled.deallocate()
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    /// Frames that came, those replaced included; those replaced; when the last one came.
    var counts: (arrived: Int, replaced: Int, last: Nanoseconds) {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return (arrived, replaced, lastArrival)
    }

    /// Puts a sample in, whose reference it takes over. Never waits for the reader.
    func put(_ sample: OpaquePointer, captured: Nanoseconds, now: Nanoseconds) {
        pthread_mutex_lock(lock)
        let old = waiting
        waiting = sample
        self.captured = captured
        lastArrival = now
        arrived += 1
        if old != nil { replaced += 1 }
        pthread_cond_signal(filled)
        pthread_mutex_unlock(lock)
        if let old { Self.free(old) }
    }

    /// Takes the frame, waited for until the moment `deadline`; nil when none came.
    func take(until deadline: Nanoseconds) -> Item? {
        var moment = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while waiting == nil {
            if pthread_cond_timedwait(filled, lock, &moment) == ETIMEDOUT { break }
        }
        guard let sample = waiting else { return nil }
        waiting = nil
        return Item(sample: Sample(owning: sample), captured: captured)
    }

    private static func free(_ sample: OpaquePointer) { _ = Sample(owning: sample) }
}
