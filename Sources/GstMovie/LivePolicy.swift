import Scheduling

/// Decides about each frame of a live stream whether it is edited. Pure: told the time, it decides the same each time.
struct LivePolicy {
    /// A stream whose edits are always too late gets one so often all the same.
    static let longestHold: Nanoseconds = .seconds(1)
    /// What a latency that is to be measured adds to an edit's cost, in frames: room for waiting behind a running edit.
    private static let room = 1.0
    /// A measured latency is announced again when it grew by this, or shrank to half.
    private static let growth = 1.2

    /// What is known of a frame when it comes; running times in nanoseconds, nil where unknown.
    struct Arrival {
        var runningTime: Nanoseconds?
        var now: Nanoseconds?
        var upstreamLatency: Nanoseconds = 0
        /// Frames before this come too late for a sink.
        var earliest: Nanoseconds?
        /// Whether there is an edited picture to show instead.
        var hasPicture = false
    }

    /// What becomes of a frame.
    enum Verdict: Equatable {
        case edit
        /// Its edit would end so much after its time.
        case late(by: Nanoseconds)
        /// The processors have been used enough.
        case overBudget
    }

    /// What edits cost.
    private(set) var costs = CostModel()
    /// The latency that is announced for edits of measured cost.
    private(set) var announced: Nanoseconds = 0
    private var lastEdit: Nanoseconds?

    /// Allocates nothing. `own` is the latency that was promised.
    func decide(_ arrival: Arrival, own: Nanoseconds, isAfforded: Bool) -> Verdict {
        guard arrival.hasPicture else { return .edit }
        if let now = arrival.now, let lastEdit, now - lastEdit >= Self.longestHold {
            return isAfforded ? .edit : .overBudget
        }
        guard isAfforded else { return .overBudget }
        guard let time = arrival.runningTime else { return .edit }
        if let earliest = arrival.earliest, time < earliest { return .late(by: earliest - time) }
        guard let now = arrival.now else { return .edit }
        let lateness = now + (costs.predict(.edited) ?? 0) - (time + arrival.upstreamLatency + own)
        return lateness > 0 ? .late(by: lateness) : .edit
    }

    /// An edit took `cost`.
    mutating func note(cost: Nanoseconds) { costs.note(.edited, cost: cost) }

    /// An edit of a frame ended at `now`, in running time.
    mutating func noteEnd(now: Nanoseconds?) { lastEdit = now }

    /// The latency to promise for edits of measured cost, where it differs enough from the one that was; `frame` is the
    /// duration of a frame.
    mutating func renewedLatency(frame: Nanoseconds) -> Nanoseconds? {
        guard let cost = costs.predict(.edited) else { return nil }
        let wanted = cost + Nanoseconds(Double(frame) * Self.room)
        guard Double(wanted) > Double(announced) * Self.growth || wanted < announced / 2 else { return nil }
        announced = wanted
        return wanted
    }

    /// Another size or model: everything is learned again.
    mutating func reset() { self = LivePolicy() }

    /// Time has begun anew: a flush or another segment.
    mutating func forgetTime() { lastEdit = nil }
}
