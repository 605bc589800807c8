import Scheduling
import Testing

/// A stream that carries its last edit while the next is made in the background, on the turned clock.
private struct KeyframeStream {
    var scheduler = Scheduler()
    let stream: Int
    var now: Nanoseconds = 0
    var canCarry = false
    var editing: (cost: Nanoseconds, finished: Nanoseconds)?
    var edits = 0

    init(budget: Nanoseconds = .milliseconds(100)) {
        var rungs = RungSet.basic
        rungs.insert(RungSet(.propagated))
        stream = scheduler.add(StreamTerms(latencyBudget: budget, rungs: rungs))
    }

    /// A frame comes now; edits cost `edit`, carrying costs 3 ms.
    mutating func frame(edit: Nanoseconds) -> Decision {
        if let done = editing, done.finished <= now {
            scheduler.finishKeyframe(stream, cost: done.cost, now: now)
            canCarry = true
            editing = nil
            edits += 1
        }
        let state = KeyframeState(canCarry: canCarry, isEditing: editing != nil)
        let decision = scheduler.admit(stream, captured: now, keyframes: state, now: now)
        if decision.keyframeDeadline != nil { editing = (edit, now + edit) }
        guard let work = decision.work else { return decision }
        let cost = work == .propagated ? Nanoseconds.milliseconds(3) : edit
        now += cost
        scheduler.finish(stream, decision, cost: cost, now: now)
        if work == .edited { canCarry = true }
        return decision
    }

    mutating func frames(_ count: Int, edit: Nanoseconds) -> [Decision] {
        (0..<count).map { _ in
            defer { now = (now / .milliseconds(33) + 1) * .milliseconds(33) }
            return frame(edit: edit)
        }
    }
}

struct KeyframeTests {
    private let ms = Nanoseconds.milliseconds(1)

    @Test func aSlowModelEditsInTheBackground() {
        var stream = KeyframeStream()
        let first = stream.frames(1, edit: 900 * ms)
        #expect(first[0].work == .edited && first[0].reason == .learning, "there is nothing to carry yet")
        let decisions = stream.frames(300, edit: 900 * ms)
        #expect(decisions.allSatisfy { $0.rung == .propagated && $0.work == .propagated })
        #expect((9...11).contains(stream.edits), "\(stream.edits) edits in 10 s")
        for decision in decisions {
            guard let place = decision.keyframeDeadline else { continue }
            #expect(place >= decision.deadline + Scheduler.background, "behind all frames with a deadline")
        }
    }

    @Test func aFastModelNeedsNoBackground() {
        var stream = KeyframeStream()
        let decisions = stream.frames(100, edit: 20 * ms)
        #expect(decisions.allSatisfy { $0.work == .edited && $0.keyframeDeadline == nil })
    }

    @Test func aLoadedMachineCarriesAndClimbsBack() {
        var stream = KeyframeStream()
        _ = stream.frames(60, edit: 20 * ms)
        let loaded = stream.frames(60, edit: 150 * ms)
        #expect(loaded.suffix(50).allSatisfy { $0.rung == .propagated })
        let after = stream.frames(90, edit: 20 * ms)
        let up = after.firstIndex { $0.rung == .edited } ?? 90
        #expect((10..<60).contains(up), "back after \(up) frames")
        #expect(after.suffix(20).allSatisfy { $0.work == .edited && $0.keyframeDeadline == nil })
    }

    @Test func anEditUnderWayIsNotDoubled() {
        var scheduler = Scheduler()
        let stream = scheduler.add(StreamTerms(latencyBudget: 100 * ms, rungs: [.basic, RungSet(.propagated)]))
        var busy = KeyframeState(canCarry: true, isEditing: true)
        let decision = scheduler.admit(stream, captured: 0, keyframes: busy, now: 0)
        #expect(decision.work == .propagated && decision.keyframeDeadline == nil)
        scheduler.finish(stream, decision, cost: 3 * ms, now: 3 * ms)
        busy.canCarry = false
        let early = scheduler.admit(stream, captured: 0, keyframes: busy, now: 4 * ms)
        #expect(early.work == .propagated, "what has begun follows the frames")
        #expect(early.keyframeDeadline == nil)
    }

    @Test func otherStreamsComeFirst() {
        var scheduler = Scheduler()
        let rungs: RungSet = [.basic, RungSet(.propagated)]
        let slow = scheduler.add(StreamTerms(latencyBudget: 66 * ms, rungs: rungs))
        let fast = scheduler.add(StreamTerms(latencyBudget: 66 * ms))
        let learning = scheduler.admit(
            slow, captured: 0, keyframes: KeyframeState(canCarry: false, isEditing: false), now: 0)
        scheduler.finish(slow, learning, cost: 900 * ms, now: 900 * ms)
        var now = 1000 * ms
        let first = scheduler.admit(fast, captured: now, now: now)
        scheduler.finish(fast, first, cost: 10 * ms, now: now + 10 * ms)
        let background = scheduler.admit(
            slow, captured: now, keyframes: KeyframeState(canCarry: true, isEditing: false), now: now)
        #expect(background.keyframeDeadline != nil)
        scheduler.finish(slow, background, cost: 3 * ms, now: now + 3 * ms)
        for _ in 0..<20 {
            now += 33 * ms
            let decision = scheduler.admit(fast, captured: now, now: now)
            #expect(decision.rung == .edited, "the edit in the background is in nobody's way")
            scheduler.finish(fast, decision, cost: 10 * ms, now: now + 10 * ms)
        }
        scheduler.failKeyframe(slow, cost: 300 * ms, now: now)
        #expect(scheduler.predictedCost(of: slow) == 900 * ms, "failures teach nothing")
    }

    @Test func reuseIsLearnedFromEdits() {
        var scheduler = Scheduler()
        let stream = scheduler.add(StreamTerms(latencyBudget: 66 * ms, rungs: [.basic, RungSet(.reused)]))
        var now: Nanoseconds = 0
        func frame(_ cost: Nanoseconds, computed: Rung) -> Decision {
            let decision = scheduler.admit(stream, captured: now, now: now)
            scheduler.finish(stream, decision, computed: computed, cost: cost, now: now + cost)
            now += 200 * ms
            return decision
        }
        let first = frame(120 * ms, computed: .edited)
        #expect(first.reason == .learning && first.work == .edited)
        _ = frame(40 * ms, computed: .reused)
        let later = (0..<10).map { _ in frame(40 * ms, computed: .reused) }
        #expect(later.last?.rung == .reused && later.last?.work == .reused)
    }
}
