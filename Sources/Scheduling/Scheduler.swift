/// Decides, for several streams on one pool of threads, which rung each frame gets and who computes first.
///
/// Frames queue by deadline, the earliest first. A stream that has used more than its share is put back by a constant
/// bandwidth server: its place is at least the time at which a machine of its own, as fast as its share of this one, would
/// be done. So one slow model makes only its own frames late. Pure: told the time, it decides the same each time; a
/// decision looks once at every stream and allocates nothing.
public struct Scheduler: Sendable {
    /// Who was not seen for so long has no share.
    public static let absence: Nanoseconds = .seconds(1)
    /// How far behind frames that can still make their deadline the others queue.
    public static let background: Nanoseconds = .seconds(1)
    /// How long a stream counts as held back by the budget after a frame was left.
    public static let memory: Nanoseconds = .milliseconds(250)
    /// Part of the latency budget that must be left over for a rung to count as roomy.
    public static let slack = 0.1

    private var streams: [StreamState] = []
    private var budget: CPUBudget?

    /// A scheduler without streams; `budget` is kept for all together.
    public init(budget: CPUBudget? = nil) { self.budget = budget }

    /// Streams that were added, those that have left included.
    public var count: Int { streams.count }

    /// Adds a stream and returns its number. May allocate.
    public mutating func add(_ terms: StreamTerms) -> Int {
        streams.append(StreamState(terms))
        return streams.count - 1
    }

    /// The stream has ended: its share is the others'.
    public mutating func remove(_ stream: Int) { withStream(stream) { $0.lastSeen = nil } }

    /// Forgets what the stream's frames cost: another model, another size.
    public mutating func relearn(_ stream: Int) { withStream(stream) { $0.costs.reset() } }

    /// Takes note of the processor time that the program has used since its start.
    public mutating func note(processorTime used: Nanoseconds, now: Nanoseconds) {
        budget?.update(now: now, used: used)
    }

    /// The rung on which a stream stands.
    public func rung(of stream: Int) -> Rung { streams.indices.contains(stream) ? streams[stream].ladder.rung : .held }

    /// What frames of a stream on `rung` will take, almost surely; nil when unknown.
    public func predictedCost(of stream: Int, _ rung: Rung = .edited) -> Nanoseconds? {
        streams.indices.contains(stream) ? streams[stream].costs.predict(rung) : nil
    }

    /// Decides about the frame that a stream captured at `captured`. Allocates nothing.
    ///
    /// When the decision has work, `finish` or `fail` must follow before the stream's next `admit`; when it has an edit in the
    /// background, `finishKeyframe` or `failKeyframe` once that is done. `keyframes` is nil for a stream that has none.
    public mutating func admit(
        _ stream: Int, captured: Nanoseconds, keyframes: KeyframeState? = nil, now: Nanoseconds
    ) -> Decision {
        guard streams.indices.contains(stream) else { return .leave(.held, .predictedLate, now) }
        arrive(stream, now)
        let terms = streams[stream].terms, deadline = captured + terms.latencyBudget
        guard isAfforded(stream, now) else {
            streams[stream].deniedAt = now
            return .leave(.held, .budget, deadline)
        }
        let canCarry = keyframes?.canCarry ?? true
        let slack = Nanoseconds(Double(terms.latencyBudget) * Self.slack)
        var fits = RungSet(.held), roomy = RungSet(.held)
        for raw in Rung.edited.rawValue...Rung.propagated.rawValue {
            guard let rung = Rung(rawValue: raw), terms.rungs.contains(rung: rung) else { continue }
            if rung == .propagated, !canCarry { continue }
            guard let cost = streams[stream].costs.predict(rung) else {
                guard learnsAtOnce(rung, keyframes, isNeeded: fits.bestComputed == nil) else { continue }
                guard let keyframes, rung == .propagated else {
                    return start(stream, rung, admitted: rung, .learning, deadline, now)
                }
                return decide(stream, rung, .learning, keyframes, deadline, now)
            }
            let place = max(deadline, streams[stream].place(after: cost, share: share(of: stream, now), now))
            let finish = now + backlog(before: place, without: stream, now) + cost
            if finish <= deadline { fits.insert(RungSet(rung)) }
            if finish + slack <= deadline { roomy.insert(RungSet(rung)) }
        }
        let (rung, reason) = streams[stream].ladder.choose(fits: fits, roomy: roomy, now: now)
        guard let keyframes else {
            guard let work = rung.isComputed ? rung : terms.rungs.bestComputed else {
                return .leave(rung, reason, deadline)
            }
            return start(stream, work, admitted: rung, reason, deadline, now)
        }
        return decide(stream, rung, reason, keyframes, deadline, now)
    }

    /// Whether a rung of unknown cost is tried with this frame. Reuse is learned from edits that turn out to be reused, an edit
    /// in the background where that can be, and what no frame needs not at all.
    private func learnsAtOnce(_ rung: Rung, _ keyframes: KeyframeState?, isNeeded: Bool) -> Bool {
        switch rung {
        case .edited: keyframes.map { !$0.canCarry && !$0.isEditing } ?? true
        case .propagated: isNeeded
        default: false
        }
    }

    /// What a stream with keyframes does on `rung`: where no edit makes the deadline, one is made in the background.
    private mutating func decide(
        _ stream: Int, _ rung: Rung, _ reason: Reason, _ keyframes: KeyframeState, _ deadline: Nanoseconds,
        _ now: Nanoseconds
    ) -> Decision {
        let isEdit = rung < .propagated && !keyframes.isEditing
        let carries =
            (keyframes.canCarry || keyframes.isEditing) && streams[stream].terms.rungs.contains(rung: .propagated)
        let work: Rung? = isEdit ? rung : carries ? .propagated : nil
        var decision =
            work.map { start(stream, $0, admitted: isEdit ? rung : max(rung, .propagated), reason, deadline, now) }
            ?? .leave(max(rung, .held), reason, deadline)
        if rung >= .propagated, !keyframes.isEditing {
            decision.keyframeDeadline = startKeyframe(stream, deadline, now)
        }
        return decision
    }

    /// The frame of `decision` is finished; `cost` is the time it was computed for, without what it waited in the queue.
    ///
    /// - Parameter computed: the rung it turned out to be, if not the decision's: an edit that could reuse the last one.
    /// - Returns: whether it made its deadline.
    ///
    /// Allocates nothing.
    @discardableResult
    public mutating func finish(
        _ stream: Int, _ decision: Decision, computed: Rung? = nil, cost: Nanoseconds, now: Nanoseconds
    ) -> Bool {
        if let work = decision.work { withStream(stream) { $0.costs.note(computed ?? work, cost: cost) } }
        settle(stream, cost: cost, now)
        return now <= decision.deadline
    }

    /// The edit in the background is finished; `cost` as for `finish`. Allocates nothing.
    public mutating func finishKeyframe(_ stream: Int, cost: Nanoseconds, now: Nanoseconds) {
        withStream(stream) { $0.costs.note(.edited, cost: cost) }
        settle(stream, isKeyframe: true, cost: cost, now)
    }

    /// The edit in the background has failed; nothing is learned of its cost.
    public mutating func failKeyframe(_ stream: Int, cost: Nanoseconds, now: Nanoseconds) {
        settle(stream, isKeyframe: true, cost: cost, now)
    }

    /// What one step of a frame cost.
    public mutating func note(_ stream: Int, _ rung: Rung, step: Int, cost: Nanoseconds) {
        withStream(stream) { $0.costs.note(rung, step: step, cost: cost) }
    }

    /// The frame of the last decision will not be finished; nothing is learned of its cost.
    public mutating func fail(_ stream: Int, cost: Nanoseconds, now: Nanoseconds) {
        settle(stream, cost: cost, now)
    }

    private mutating func withStream(_ stream: Int, _ body: (inout StreamState) -> Void) {
        if streams.indices.contains(stream) { body(&streams[stream]) }
    }

    private mutating func start(
        _ stream: Int, _ work: Rung, admitted: Rung, _ reason: Reason, _ deadline: Nanoseconds, _ now: Nanoseconds
    ) -> Decision {
        let cost = streams[stream].costs.predict(work) ?? 0
        var place = max(deadline, streams[stream].place(after: cost, share: share(of: stream, now), now))
        // A frame whose cost nobody knows could keep the others from making theirs.
        if !admitted.isComputed || reason == .learning { place += Self.background }
        streams[stream].running = Running(place: place, started: now, cost: cost)
        return Decision(rung: admitted, reason: reason, work: work, deadline: deadline, queueDeadline: place)
    }

    /// The place of an edit in the background: behind all frames that have a deadline to make.
    private mutating func startKeyframe(_ stream: Int, _ deadline: Nanoseconds, _ now: Nanoseconds) -> Nanoseconds {
        let cost = streams[stream].costs.predict(.edited) ?? 0
        let own = streams[stream].place(after: cost, share: share(of: stream, now), now)
        let place = max(deadline, own) + Self.background
        streams[stream].keyframe = Running(place: place, started: now, cost: cost)
        return place
    }

    private mutating func settle(_ stream: Int, isKeyframe: Bool = false, cost: Nanoseconds, _ now: Nanoseconds) {
        guard streams.indices.contains(stream),
            let job = isKeyframe ? streams[stream].keyframe : streams[stream].running
        else { return }
        let share = share(of: stream, now)
        streams[stream].server = streams[stream].place(after: cost, share: share, job.started)
        streams[stream].served += Double(cost) / streams[stream].terms.weight
        if isKeyframe { streams[stream].keyframe = nil } else { streams[stream].running = nil }
    }

    /// Marks the stream as present; one that comes back claims nothing for the time it was away.
    private mutating func arrive(_ stream: Int, _ now: Nanoseconds) {
        if !streams[stream].isPresent(now) {
            var least = Double.infinity
            for index in streams.indices where streams[index].isPresent(now) {
                least = min(least, streams[index].served)
            }
            if least.isFinite { streams[stream].served = max(streams[stream].served, least) }
        }
        streams[stream].lastSeen = now
    }

    /// Whether the CPU budget has credit, and nobody who has been served less waits for it.
    private func isAfforded(_ stream: Int, _ now: Nanoseconds) -> Bool {
        guard let budget else { return true }
        guard budget.allows else { return false }
        for index in streams.indices where index != stream && streams[index].wantsMore(now) {
            if streams[index].served < streams[stream].served { return false }
        }
        return true
    }

    /// The part of the machine that is this stream's while all that are present want more than there is.
    private func share(of stream: Int, _ now: Nanoseconds) -> Double {
        var all = 0.0
        for index in streams.indices where index == stream || streams[index].isPresent(now) {
            all += streams[index].terms.weight
        }
        return streams[stream].terms.weight / all
    }

    /// What frames before `place` in the queue will still take.
    private func backlog(before place: Nanoseconds, without stream: Int, _ now: Nanoseconds) -> Nanoseconds {
        var sum: Nanoseconds = 0
        for index in streams.indices where index != stream {
            sum += streams[index].remaining(before: place, now)
        }
        return sum
    }
}

/// What the scheduler knows of a stream.
private struct StreamState: Sendable {
    let terms: StreamTerms
    var costs: CostModel
    var ladder = Ladder()
    /// When a machine of its own, as fast as its share, would have done all it has computed.
    var server: Nanoseconds = .min
    /// Computing time by weight, for sharing a budget.
    var served = 0.0
    /// When a frame of it was last left because of the budget.
    var deniedAt: Nanoseconds?
    var lastSeen: Nanoseconds?
    /// A frame that waits or is computed.
    var running: Running?
    /// An edit in the background.
    var keyframe: Running?

    init(_ terms: StreamTerms) {
        self.terms = terms
        costs = CostModel(steps: terms.steps)
    }

    func isPresent(_ now: Nanoseconds) -> Bool {
        guard let lastSeen else { return false }
        return now - lastSeen <= Scheduler.absence || running != nil || keyframe != nil
    }

    /// What of it comes before `place` in the queue and is still to be computed.
    func remaining(before place: Nanoseconds, _ now: Nanoseconds) -> Nanoseconds {
        var sum: Nanoseconds = 0
        if let running, running.place <= place { sum += running.remaining(now) }
        if let keyframe, keyframe.place <= place { sum += keyframe.remaining(now) }
        return sum
    }

    /// Whether the budget has held it back lately.
    func wantsMore(_ now: Nanoseconds) -> Bool {
        guard let deniedAt else { return false }
        return now - deniedAt <= Scheduler.memory
    }

    func place(after cost: Nanoseconds, share: Double, _ now: Nanoseconds) -> Nanoseconds {
        max(server, now) + Nanoseconds(Double(cost) / share)
    }
}

/// A frame that waits or is computed.
private struct Running: Sendable {
    let place: Nanoseconds
    let started: Nanoseconds
    let cost: Nanoseconds

    /// Of a frame that has taken longer than predicted, nobody knows how much is left: a quarter is assumed.
    func remaining(_ now: Nanoseconds) -> Nanoseconds { max(cost / 4, cost - (now - started)) }
}

extension Decision {
    /// A frame for which nothing is computed.
    fileprivate static func leave(_ rung: Rung, _ reason: Reason, _ deadline: Nanoseconds) -> Decision {
        Decision(rung: rung, reason: reason, work: nil, deadline: deadline, queueDeadline: deadline)
    }
}
