import CLinux
import COpenBLAS
import Glibc
import Synchronization

/// A fixed set of pinned threads that share the tiles of one job at a time; the caller works too.
///
/// Jobs of several streams queue by deadline (`begin`, `end`): the earliest computes, and one that computes stands back
/// for an earlier one, between two tiles as well as between two steps (`yieldIfEarlier`): a step of a large network takes
/// longer than a frame may wait. Work outside a job queues as well, a step at a time.
///
/// A job is open while its caller hands out tiles. A worker announces itself (`inside`) before it looks whether the job is
/// open, and the caller closes the job before it waits for `inside` to reach zero: with sequentially consistent order
/// one of the two always sees the other, so no worker touches a job that is gone, and no job waits for a worker that
/// sleeps. Idle workers spin for a moment, then park.
public final class WorkerPool: @unchecked Sendable {
    /// What computes a tile: (tile, worker). `worker` is in 0..<width and tells threads apart, for scratch memory.
    public typealias Body = (_ tile: Int, _ worker: Int) -> Void

    /// Threads that work on a job, the caller included.
    public let width: Int

    /// How long the last tiles of a step may take before their threads count as held up, in nanoseconds.
    private static let tail: Int64 = 100_000

    /// Processors that this process may use.
    public static var usableProcessors: Int { Int(movie_usable_cpus()) }

    /// How long a step outside a job stands behind jobs with deadlines, in nanoseconds.
    private static let patience: Int64 = 250_000_000

    /// Looks at the generation before a worker parks, about 20 ns each.
    private static let spins = 500
    private static let spinsInJob = 20_000

    private let generation = Atomic<Int>(0)
    private let isOpen = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)
    private let inside = Atomic<Int>(0)
    private let parked = Atomic<Int>(0)
    /// Jobs that have begun: their next step comes within microseconds, so workers wait for it longer before they park.
    private let jobs = Atomic<Int>(0)
    private let nextTile = Atomic<Int>(0)
    private var body: Body = { _, _ in }
    private var count = 0
    private var deadline = Int64.max
    private let gate: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    private let queue = DeadlineQueue()
    private var threads: [pthread_t] = []

    /// Starts `threads` - 1 workers (at least none). By default as many threads as processors this process may use.
    public init(threads: Int? = nil) {
        openblas_set_num_threads(1)  // our threads call it; its own would fight them
        width = max(1, threads ?? Int(movie_usable_cpus()))
        gate = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        pthread_mutex_init(gate, nil)
        pthread_cond_init(wake, nil)
        for index in 1..<max(1, width) { start(worker: index) }
    }

    deinit {
        pthread_mutex_destroy(gate)
        gate.deallocate()
        pthread_cond_destroy(wake)
        wake.deallocate()
    }

    /// Call before dropping the last reference: ends the workers and waits for them.
    public func shutdown() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        generation.add(1, ordering: .sequentiallyConsistent)
        pthread_mutex_lock(gate)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(gate)
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }

    /// Runs `body(tile, worker)` for every tile in 0..<count, on all threads; returns when all are done.
    ///
    /// Calls from several threads take turns, one `parallelFor` each unless they hold the pool by `begin`. This allocates nothing, but making a closure that captures does: what runs
    /// once a frame makes its closures beforehand.
    public func parallelFor(_ count: Int, _ body: @escaping Body) {
        guard width > 1, count > 1 else {
            for tile in 0..<max(0, count) {
                queue.yieldIfEarlier()
                body(tile, 0)
            }
            return
        }
        if queue.isHeldByCaller {
            share(body, count: count)
        } else {
            queue.acquire(deadline: monotonicNanoseconds() + Self.patience)
            share(body, count: count)
            queue.release()
        }
    }

    /// Waits for the turn of a job with this deadline and holds the pool for the calling thread until `end`.
    ///
    /// `deadline` is in nanoseconds of the monotonic clock; the earliest goes first. May be nested. Allocates nothing.
    /// Meanwhile the thread stays on a processor of its own: on that of a pinned worker, the two would take turns.
    public func begin(deadline: Int64) {
        if width > 1, !queue.isHeldByCaller { movie_thread_pin(0, Int32(width)) }
        queue.acquire(deadline: deadline)
        jobs.add(1, ordering: .relaxed)
    }

    /// As `begin(deadline:)` for work that nobody waits for: behind all that has an earlier deadline, but not for ever.
    public func begin() { begin(deadline: monotonicNanoseconds() + Self.patience) }

    /// Ends the calling thread's job. Returns the nanoseconds for which it stood back for earlier ones.
    @discardableResult
    public func end() -> Int64 {
        jobs.subtract(1, ordering: .relaxed)
        let stoodBack = queue.release()
        if width > 1, !queue.isHeldByCaller { movie_thread_unpin() }
        return stoodBack
    }

    /// To be called between two steps: stands back while a job with an earlier deadline waits.
    ///
    /// One atomic load while nobody does. Does nothing outside `begin` and `end`.
    @inline(__always)
    public func yieldIfEarlier() { queue.yieldIfEarlier() }

    private func share(_ body: @escaping Body, count: Int) {
        var first = 0
        while first < count {
            open(body, first: first, count: count)
            work(as: 0)
            close()
            first = nextTile.load(ordering: .relaxed)
            if first < count { queue.yieldIfEarlier() }
        }
    }

    private func open(_ body: @escaping Body, first: Int, count: Int) {
        self.body = body
        self.count = count
        deadline = queue.heldDeadline
        nextTile.store(first, ordering: .relaxed)
        isOpen.store(true, ordering: .sequentiallyConsistent)
        generation.add(1, ordering: .sequentiallyConsistent)
        if parked.load(ordering: .sequentiallyConsistent) > 0 {
            pthread_mutex_lock(gate)
            pthread_cond_broadcast(wake)
            pthread_mutex_unlock(gate)
        }
    }

    private func close() {
        isOpen.store(false, ordering: .sequentiallyConsistent)
        var spins = 0, patience = Int64.max
        while inside.load(ordering: .sequentiallyConsistent) > 0 {
            spins += 1
            guard spins % 512 == 0 else { continue }
            let now = monotonicNanoseconds()
            if spins == 512 { patience = now + Self.tail }
            // A worker has lost its processor to another program. Not sched_yield: it gives a whole time slice away.
            if now > patience { usleep(20) }
        }
        body = { _, _ in }
    }

    /// Takes tiles until none is left, or a job with an earlier deadline waits.
    private func work(as worker: Int) {
        let body = body, count = count, deadline = deadline
        while !queue.hasEarlier(than: deadline) {
            let tile = nextTile.add(1, ordering: .relaxed).oldValue
            guard tile < count else { return }
            body(tile, worker)
        }
    }

    private func start(worker index: Int) {
        let context = Unmanaged.passRetained(Start(pool: self, index: index))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                movie_thread_set_name("movie-work-\(start.index)")
                movie_thread_pin(Int32(start.index), Int32(start.pool.width))
                start.pool.loop(as: start.index)
                return nil
            }, context.toOpaque())
        guard status == 0 else {  // fewer threads, same result
            context.release()
            return
        }
        threads.append(thread)
    }

    private func loop(as worker: Int) {
        var seen = 0
        while !isStopping.load(ordering: .sequentiallyConsistent) {
            seen = waitForWork(after: seen)
            inside.add(1, ordering: .sequentiallyConsistent)
            if isOpen.load(ordering: .sequentiallyConsistent) { work(as: worker) }
            inside.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    /// Returns the new generation; spins for some microseconds before it parks, within a job for some hundred.
    private func waitForWork(after seen: Int) -> Int {
        var spins = 0
        while spins < (jobs.load(ordering: .relaxed) > 0 ? Self.spinsInJob : Self.spins) {
            let current = generation.load(ordering: .acquiring)
            if current != seen { return current }
            movie_cpu_relax()
            spins += 1
        }
        pthread_mutex_lock(gate)
        parked.add(1, ordering: .sequentiallyConsistent)
        while generation.load(ordering: .sequentiallyConsistent) == seen { pthread_cond_wait(wake, gate) }
        parked.subtract(1, ordering: .sequentiallyConsistent)
        pthread_mutex_unlock(gate)
        return generation.load(ordering: .sequentiallyConsistent)
    }

    /// What a new thread needs to know.
    private final class Start {
        let pool: WorkerPool
        let index: Int
        init(pool: WorkerPool, index: Int) {
            self.pool = pool
            self.index = index
        }
    }
}
