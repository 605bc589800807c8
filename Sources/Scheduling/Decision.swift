/// What a stream asks of the scheduler.
public struct StreamTerms: Sendable, Equatable {
    /// From capture to the moment the edit must be finished.
    public var latencyBudget: Nanoseconds
    /// Its share where there is not enough for all, relative to the others'; positive.
    public var weight: Double
    /// The rungs it has.
    public var rungs: RungSet
    /// Steps of a frame whose costs are tracked.
    public var steps: Int

    /// Terms; by default of a stream that has the network and nothing else.
    public init(
        latencyBudget: Nanoseconds, weight: Double = 1, rungs: RungSet = .basic, steps: Int = 0
    ) {
        self.latencyBudget = max(0, latencyBudget)
        self.weight = weight > 0 && weight.isFinite ? weight : 1
        self.rungs = rungs
        self.steps = steps
    }
}

/// What is to be done with one frame.
public struct Decision: Sendable, Equatable {
    /// The rung that the frame is admitted to: the best that was predicted to make the deadline.
    public let rung: Rung
    /// Why it is not a better one.
    public let reason: Reason
    /// The rung to compute now; nil to leave the frame. A stream that is held computes all the same, behind all frames
    /// with a deadline to make: that is how a slow model gets on, and how costs are learned again.
    public let work: Rung?
    /// When the frame must be finished.
    public let deadline: Nanoseconds
    /// Its place in the queue of the worker pool: the earliest runs first.
    public let queueDeadline: Nanoseconds
    /// The place in the queue of an edit of this frame that is to begin beside, in the background; nil for none.
    public var keyframeDeadline: Nanoseconds?
}

/// How far a stream is that carries its last edit onto new frames while the next edit is made in the background.
public struct KeyframeState: Sendable, Equatable {
    /// Whether there is an edit to carry.
    public var canCarry: Bool
    /// Whether an edit is being made in the background.
    public var isEditing: Bool

    /// A state.
    public init(canCarry: Bool, isEditing: Bool) {
        self.canCarry = canCarry
        self.isEditing = isEditing
    }
}
