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
        /// How far the background is, where the last edit can be carried onto this frame; nil where nothing is carried.
        var keyframes: KeyframeState?
    }

    /// What becomes of a frame.
    enum Verdict: Equatable {
        case edit
        /// The last edit is carried onto it, while an edit is made in the background.
        case carry
        /// Its edit would end so much after its time.
        case late(by: Nanoseconds)
        /// The processors have been used enough.
        case overBudget
    }

    /// What edits cost.
    private(set) var costs = CostModel()
    /// The latency that is announced for edits of measured cost.
    private(set) var announced: Nanoseconds = 0
    private var lastPicture: Nanoseconds?

    /// Allocates nothing. `own` is the latency that was promised.
    func decide(_ arrival: Arrival, own: Nanoseconds, isAfforded: Bool) -> Verdict {
        let isEditing = arrival.keyframes?.isEditing ?? false
        guard arrival.hasPicture || isEditing else { return .edit }
        guard isAfforded else { return .overBudget }
        let lateness = lateness(of: .edited, arrival, own)
        if lateness <= 0, !isEditing { return .edit }
        if arrival.keyframes?.canCarry == true, self.lateness(of: .propagated, arrival, own) <= 0 { return .carry }
        if !isEditing, let now = arrival.now, let lastPicture, now - lastPicture >= Self.longestHold { return .edit }
        return .late(by: max(1, lateness))
    }

    /// By how much a frame would end after its time.
    private func lateness(of rung: Rung, _ arrival: Arrival, _ own: Nanoseconds) -> Nanoseconds {
        guard let time = arrival.runningTime else { return 0 }
        if let earliest = arrival.earliest, time < earliest { return earliest - time }
        guard let now = arrival.now else { return 0 }
        return now + (costs.predict(rung) ?? 0) - (time + arrival.upstreamLatency + own)
    }

    /// A frame on `rung`, or an edit in the background, took `cost`.
    mutating func note(_ rung: Rung, cost: Nanoseconds) { costs.note(rung, cost: cost) }

    /// A picture was made of a frame; `now` in running time.
    mutating func noteEnd(now: Nanoseconds?) { lastPicture = now }

    /// The latency to promise for pictures of measured cost, where it differs enough from the one that was; `frame` is the
    /// duration of a frame. Edits that take longer than a frame do not count where the last one is carried meanwhile.
    mutating func renewedLatency(frame: Nanoseconds, carries: Bool) -> Nanoseconds? {
        guard var cost = costs.predict(.edited) else { return nil }
        if carries, frame > 0, cost > frame { cost = costs.predict(.propagated) ?? frame / 2 }
        let wanted = cost + Nanoseconds(Double(frame) * Self.room)
        guard Double(wanted) > Double(announced) * Self.growth || wanted < announced / 2 else { return nil }
        announced = wanted
        return wanted
    }

    /// Another size or model: everything is learned again.
    mutating func reset() { self = LivePolicy() }

    /// Time has begun anew: a flush or another segment.
    mutating func forgetTime() { lastPicture = nil }
}
