import Synchronization

/// The scheduler of all streams of a program, asked from their threads.
public final class SharedScheduler: Sendable {
    /// The clock that decides.
    public let clock: any TimeSource
    private let processorTime: @Sendable () -> Nanoseconds
    private let state: Mutex<Scheduler>

    /// A scheduler on `clock`; `processorTime` tells what the program has used since its start.
    public init(
        clock: any TimeSource, budget: CPUBudget? = nil, processorTime: @escaping @Sendable () -> Nanoseconds = { 0 }
    ) {
        self.clock = clock
        self.processorTime = processorTime
        state = Mutex(Scheduler(budget: budget))
    }

    /// Adds a stream and returns its number.
    public func add(_ terms: StreamTerms) -> Int { state.withLock { $0.add(terms) } }

    /// The stream has ended.
    public func remove(_ stream: Int) { state.withLock { $0.remove(stream) } }

    /// Forgets what the stream's frames cost.
    public func relearn(_ stream: Int) { state.withLock { $0.relearn(stream) } }

    /// The rung on which the stream stands.
    public func rung(of stream: Int) -> Rung { state.withLock { $0.rung(of: stream) } }

    /// Decides about a frame that was captured at `captured`; `keyframes` is nil for a stream that has none.
    public func admit(_ stream: Int, captured: Nanoseconds, keyframes: KeyframeState? = nil) -> Decision {
        let used = processorTime()
        return state.withLock { scheduler in
            let now = clock.now
            scheduler.note(processorTime: used, now: now)
            return scheduler.admit(stream, captured: captured, keyframes: keyframes, now: now)
        }
    }

    /// The frame of `decision` is finished, as `computed` if not as decided; returns whether in time.
    public func finish(_ stream: Int, _ decision: Decision, computed: Rung? = nil, cost: Nanoseconds) -> Bool {
        state.withLock { $0.finish(stream, decision, computed: computed, cost: cost, now: clock.now) }
    }

    /// The edit in the background is finished.
    public func finishKeyframe(_ stream: Int, cost: Nanoseconds) {
        state.withLock { $0.finishKeyframe(stream, cost: cost, now: clock.now) }
    }

    /// The edit in the background has failed.
    public func failKeyframe(_ stream: Int, cost: Nanoseconds) {
        state.withLock { $0.failKeyframe(stream, cost: cost, now: clock.now) }
    }

    /// What one step of a frame cost.
    public func note(_ stream: Int, _ rung: Rung, step: Int, cost: Nanoseconds) {
        state.withLock { $0.note(stream, rung, step: step, cost: cost) }
    }

    /// The frame of the last decision will not be finished.
    public func fail(_ stream: Int, cost: Nanoseconds) {
        state.withLock { $0.fail(stream, cost: cost, now: clock.now) }
    }
}

/// What computes: one frame at a time, the one with the earliest deadline, which may change between two steps.
public protocol ComputeQueue: AnyObject, Sendable {
    /// Waits until no frame with an earlier deadline wants to compute, and holds the queue for this thread.
    func begin(deadline: Nanoseconds)
    /// Lets the next compute. Returns how long this frame had to wait for earlier ones since `begin` returned.
    func end() -> Nanoseconds
}
