import CLinux
import COpenBLAS
import Glibc
import Synchronization

/// A fixed set of threads that share the tiles of one job at a time; the caller works too.
///
/// A job is open while its caller hands out tiles. A worker announces itself (`inside`) before it looks whether the job is
/// open, and the caller closes the job before it waits for `inside` to reach zero: with sequentially consistent order
/// one of the two always sees the other, so no worker touches a job that is gone, and no job waits for a worker that
/// sleeps. Idle workers spin for a moment, then park.
public final class WorkerPool: @unchecked Sendable {
    /// Threads that work on a job, the caller included.
    public let width: Int

    private let generation = Atomic<Int>(0)
    private let isOpen = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)
    private let inside = Atomic<Int>(0)
    private let parked = Atomic<Int>(0)
    private let nextTile = Atomic<Int>(0)
    private var job: (body: UnsafeRawPointer, count: Int)
    private let gate: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    private let caller: UnsafeMutablePointer<pthread_mutex_t>
    private var threads: [pthread_t] = []

    /// Starts `threads` - 1 workers (at least none). By default as many threads as processors this process may use.
    public init(threads: Int? = nil) {
        openblas_set_num_threads(1)  // our threads call it; its own would fight them
        width = max(1, threads ?? Int(movie_usable_cpus()))
        job = (UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped, 0)
        gate = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        caller = .allocate(capacity: 1)
        pthread_mutex_init(gate, nil)
        pthread_mutex_init(caller, nil)
        pthread_cond_init(wake, nil)
        for index in 1..<max(1, width) { start(worker: index) }
    }

    deinit {
        for lock in [gate, caller] {
            pthread_mutex_destroy(lock)
            lock.deallocate()
        }
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
    /// `worker` is in 0..<width and tells threads apart, for scratch memory. Calls from several threads take turns.
    public func parallelFor(_ count: Int, _ body: (_ tile: Int, _ worker: Int) -> Void) {
        guard width > 1, count > 1 else {
            for tile in 0..<max(0, count) { body(tile, 0) }
            return
        }
        pthread_mutex_lock(caller)
        defer { pthread_mutex_unlock(caller) }
        withoutActuallyEscaping(body) { escaping in
            var escaping = escaping
            withUnsafePointer(to: &escaping) { pointer in
                open(UnsafeRawPointer(pointer), count: count)
                work(as: 0)
                close()
            }
        }
    }

    private func open(_ body: UnsafeRawPointer, count: Int) {
        job = (body, count)
        nextTile.store(0, ordering: .relaxed)
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
        var spins = 0
        while inside.load(ordering: .sequentiallyConsistent) > 0 {
            spins += 1
            if spins > 2000 { sched_yield() }
        }
    }

    /// Takes tiles until none is left.
    private func work(as worker: Int) {
        let body = job.body.assumingMemoryBound(to: ((Int, Int) -> Void).self)
        let count = job.count
        while true {
            let tile = nextTile.add(1, ordering: .relaxed).oldValue
            guard tile < count else { return }
            body.pointee(tile, worker)
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

    /// Returns the new generation; spins for some microseconds before it parks.
    private func waitForWork(after seen: Int) -> Int {
        for _ in 0..<4000 {
            let current = generation.load(ordering: .sequentiallyConsistent)
            if current != seen { return current }
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
