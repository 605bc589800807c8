import Synchronization

/// A request to stop, set by anyone (a signal handler too) and read by a running job.
public final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    private let other: StopFlag?

    /// A flag that is not set; it counts as set, too, once `other` is.
    public init(following other: StopFlag? = nil) { self.other = other }

    /// Asks for the end; safe to call from a signal handler.
    public func stop() {
        flag.store(true, ordering: .relaxed)
    }

    /// Whether the end has been asked for.
    public var isStopped: Bool { flag.load(ordering: .relaxed) || other?.isStopped == true }
}
