import Glibc
import Synchronization

/// Who may use the pool: one thread at a time, the one with the earliest deadline first.
///
/// A thread that holds the queue is asked between steps (`yieldIfEarlier`) to stand back for an earlier deadline; that
/// question is one atomic load while nobody waits. Memory is taken once.
final class DeadlineQueue: @unchecked Sendable {
    /// Threads that can wait at once; further ones wait for room.
    static let capacity = 256

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let room = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let waiters = UnsafeMutablePointer<Waiter>.allocate(capacity: DeadlineQueue.capacity)
    private let earliest = Atomic<Int64>(.max)
    private let holder = Atomic<UInt>(0)
    // Written by the holder, or by the thread that hands the queue to it, under the lock.
    private var deadline = Int64.max
    private var ticket = 0
    private var depth = 0
    private var waited: Int64 = 0
    // Guarded by the lock.
    private var waiting = 0
    private var nextTicket = 0

    private struct Waiter {
        var wake = pthread_cond_t()
        var isWaiting = false
        var isGranted = false
        var deadline = Int64.max
        var ticket = 0
    }

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(room, nil)
        waiters.initialize(repeating: Waiter(), count: Self.capacity)
        for index in 0..<Self.capacity { pthread_cond_init(&waiters[index].wake, nil) }
    }

    deinit {
        for index in 0..<Self.capacity { pthread_cond_destroy(&waiters[index].wake) }
        waiters.deallocate()
        pthread_cond_destroy(room)
        room.deallocate()
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    /// Whether the calling thread holds the queue.
    var isHeldByCaller: Bool { holder.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Waits for the turn of a job with this deadline, in nanoseconds of the monotonic clock. May be nested.
    func acquire(deadline: Int64) {
        if isHeldByCaller {
            depth += 1
            return
        }
        pthread_mutex_lock(lock)
        let mine = nextTicket
        nextTicket += 1
        if holder.load(ordering: .relaxed) == 0 {
            grant(to: UInt(pthread_self()))
        } else {
            wait(deadline: deadline, ticket: mine)
        }
        self.deadline = deadline
        ticket = mine
        depth = 1
        waited = 0
        pthread_mutex_unlock(lock)
    }

    /// Lets the next one in. Returns the nanoseconds that the job stood back for others.
    @discardableResult
    func release() -> Int64 {
        guard isHeldByCaller else { return 0 }
        depth -= 1
        guard depth == 0 else { return 0 }
        let result = waited
        pthread_mutex_lock(lock)
        handOver()
        pthread_mutex_unlock(lock)
        return result
    }

    /// The deadline of the job that holds the queue; for its thread.
    var heldDeadline: Int64 { deadline }

    /// Whether a job with an earlier deadline than this waits; for any thread.
    func hasEarlier(than deadline: Int64) -> Bool { earliest.load(ordering: .relaxed) < deadline }

    /// Stands back while a job with an earlier deadline waits. Does nothing for a thread that does not hold the queue.
    func yieldIfEarlier() {
        guard isHeldByCaller, earliest.load(ordering: .relaxed) < deadline else { return }
        let start = monotonicNanoseconds(), own = deadline, number = ticket, nesting = depth, before = waited
        pthread_mutex_lock(lock)
        if earliest.load(ordering: .relaxed) < own {
            handOver()
            wait(deadline: own, ticket: number)
            deadline = own
            ticket = number
            depth = nesting
            waited = before + monotonicNanoseconds() - start
        }
        pthread_mutex_unlock(lock)
    }

    /// Waits in a place of its own until it is granted the queue. Called and left with the lock held.
    private func wait(deadline: Int64, ticket: Int) {
        while waiting == Self.capacity { pthread_cond_wait(room, lock) }
        var place = 0
        while waiters[place].isWaiting { place += 1 }
        waiters[place].isWaiting = true
        waiters[place].isGranted = false
        waiters[place].deadline = deadline
        waiters[place].ticket = ticket
        waiting += 1
        noteEarliest()
        if holder.load(ordering: .relaxed) == 0 { handOver() }  // it became free while this one waited for room
        while !waiters[place].isGranted { pthread_cond_wait(&waiters[place].wake, lock) }
        waiters[place].isWaiting = false
        waiting -= 1
        noteEarliest()
        pthread_cond_signal(room)
        grant(to: UInt(pthread_self()))
    }

    /// Gives the queue to the earliest that waits, or to nobody. Called with the lock held.
    private func handOver() {
        var best: Int?
        for place in 0..<Self.capacity where waiters[place].isWaiting && !waiters[place].isGranted {
            guard let other = best else {
                best = place
                continue
            }
            let a = waiters[place], b = waiters[other]
            if (a.deadline, a.ticket) < (b.deadline, b.ticket) { best = place }
        }
        guard let best else {
            grant(to: 0)
            return
        }
        waiters[best].isGranted = true
        grant(to: .max)  // taken, by a thread that has not woken yet
        noteEarliest()
        pthread_cond_signal(&waiters[best].wake)
    }

    private func grant(to thread: UInt) { holder.store(thread, ordering: .relaxed) }

    private func noteEarliest() {
        var least = Int64.max
        if waiting > 0 {
            for place in 0..<Self.capacity where waiters[place].isWaiting && !waiters[place].isGranted {
                least = min(least, waiters[place].deadline)
            }
        }
        earliest.store(least, ordering: .relaxed)
    }
}

/// Nanoseconds of the monotonic clock.
func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
