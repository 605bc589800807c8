import CAllocationCounter
import Testing

@testable import Scheduling

/// A machine with one pool, on the turned clock: frames of several streams wait in the queue and are computed step by step.
private struct Machine {
    var scheduler: Scheduler
    var now: Nanoseconds = 0
    private(set) var used: Nanoseconds = 0

    init(budget: CPUBudget? = nil) { scheduler = Scheduler(budget: budget) }

    /// Admits a frame captured now and computes it at once, alone.
    @discardableResult
    mutating func edit(_ stream: Int, cost: Nanoseconds) -> (Decision, isInTime: Bool) {
        let captured = now
        scheduler.note(processorTime: used, now: now)
        let decision = scheduler.admit(stream, captured: captured, now: now)
        guard decision.work != nil else { return (decision, false) }
        now += cost
        used += cost
        let isInTime = scheduler.finish(stream, decision, cost: cost, now: now)
        return (decision, isInTime)
    }

    /// Waits for the next multiple of `period`.
    mutating func wait(_ period: Nanoseconds) { now = (now / period + 1) * period }
}

@Suite(.serialized) struct SchedulerTests {
    private let ms = Nanoseconds.milliseconds(1)
    private var period: Nanoseconds { 33 * ms }

    @Test func deadlinesAreCaptureAndBudget() {
        var scheduler = Scheduler()
        let stream = scheduler.add(StreamTerms(latencyBudget: 66 * ms))
        let decision = scheduler.admit(stream, captured: 10 * ms, now: 20 * ms)
        #expect(decision.deadline == 76 * ms)
        #expect(decision.work == .edited && decision.reason == .learning)
        let first = scheduler.finish(stream, decision, cost: 20 * ms, now: 76 * ms)
        #expect(first)
        let next = scheduler.admit(stream, captured: 80 * ms, now: 80 * ms)
        let second = scheduler.finish(stream, next, cost: 20 * ms, now: 147 * ms)
        #expect(!second, "a millisecond late")
    }

    @Test func aFastModelIsAlwaysEdited() {
        var machine = Machine()
        let stream = machine.scheduler.add(StreamTerms(latencyBudget: 66 * ms))
        for _ in 0..<300 {
            let (decision, isInTime) = machine.edit(stream, cost: 20 * ms)
            #expect(decision.rung == .edited && isInTime)
            machine.wait(period)
        }
    }

    @Test func aLoadedMachineGoesDownAndComesBack() {
        var machine = Machine()
        let stream = machine.scheduler.add(StreamTerms(latencyBudget: 66 * ms))
        func run(_ cost: Nanoseconds, frames: Int) -> [Rung] {
            (0..<frames).map { _ in
                defer { machine.wait(period) }
                return machine.edit(stream, cost: cost).0.rung
            }
        }
        _ = run(20 * ms, frames: 100)
        let loaded = run(90 * ms, frames: 30)
        #expect(loaded.prefix(2).allSatisfy { $0 == .edited }, "it cannot know yet")
        #expect(loaded.suffix(25).allSatisfy { $0 == .held })
        let after = run(20 * ms, frames: 90)
        let up = after.firstIndex(of: .edited) ?? 90
        #expect((6..<45).contains(up), "back after \(up) frames")
        #expect(after.suffix(from: min(up, 89)).allSatisfy { $0 == .edited })
    }

    @Test func aSlowModelStillGetsOn() {
        var machine = Machine()
        let stream = machine.scheduler.add(StreamTerms(latencyBudget: 66 * ms))
        var late = 0
        for _ in 0..<20 {
            let (decision, isInTime) = machine.edit(stream, cost: 900 * ms)
            #expect(decision.work == .edited)
            if decision.rung == .held { #expect(decision.queueDeadline > decision.deadline + 900 * ms) }
            late += isInTime ? 0 : 1
            machine.wait(period)
        }
        #expect(late == 20)
    }

    @Test func aSlowModelStandsBehindTheOthers() {
        var machine = Machine()
        let fast = machine.scheduler.add(StreamTerms(latencyBudget: 66 * ms))
        let slow = machine.scheduler.add(StreamTerms(latencyBudget: 66 * ms))
        for _ in 0..<5 {
            machine.edit(slow, cost: 500 * ms)
            machine.edit(fast, cost: 10 * ms)
        }
        let background = machine.scheduler.admit(slow, captured: machine.now, now: machine.now)
        for _ in 0..<20 {
            let decision = machine.scheduler.admit(fast, captured: machine.now, now: machine.now)
            #expect(decision.rung == .edited)
            #expect(decision.queueDeadline < background.queueDeadline)
            machine.now += 10 * ms
            let isInTime = machine.scheduler.finish(fast, decision, cost: 10 * ms, now: machine.now)
            #expect(isInTime)
            machine.wait(period)
        }
    }

    @Test func whoWaitsBehindOthersIsPredictedLate() {
        var machine = Machine()
        let streams = (0..<4).map { _ in machine.scheduler.add(StreamTerms(latencyBudget: 66 * ms)) }
        for _ in 0..<3 { streams.forEach { machine.edit($0, cost: 25 * ms) } }
        machine.now += 10_000 * ms
        let now = machine.now
        let rungs = streams.map { machine.scheduler.admit($0, captured: now, now: now).rung }
        #expect(rungs == [.edited, .edited, .held, .held])
    }

    @Test func weightsShareWhatThereIs() {
        var scheduler = Scheduler()
        let light = scheduler.add(StreamTerms(latencyBudget: 66 * ms, weight: 1))
        let heavy = scheduler.add(StreamTerms(latencyBudget: 66 * ms, weight: 3))
        var computed = [0, 0], waiting: [(stream: Int, decision: Decision)] = [], now: Nanoseconds = 0
        while now < 20_000 * ms {
            for stream in [light, heavy] where !waiting.contains(where: { $0.stream == stream }) {
                waiting.append((stream, scheduler.admit(stream, captured: now, now: now)))
            }
            waiting.sort { $0.decision.queueDeadline > $1.decision.queueDeadline }
            guard let first = waiting.popLast() else { break }
            now += 80 * ms
            scheduler.finish(first.stream, first.decision, cost: 80 * ms, now: now)
            computed[first.stream] += 1
        }
        let ratio = Double(computed[heavy]) / Double(computed[light])
        #expect(abs(ratio - 3) < 0.3, "\(computed)")
    }

    @Test(arguments: [10.0, 50, 90]) func theBudgetIsKept(_ percent: Double) {
        var machine = Machine(budget: CPUBudget(percent: percent, processors: 1))
        let stream = machine.scheduler.add(StreamTerms(latencyBudget: 66 * ms))
        var reasons: Set<Reason> = []
        while machine.now < 60_000 * ms {
            reasons.insert(machine.edit(stream, cost: 31 * ms).0.reason)
            machine.wait(period)
        }
        let used = Double(machine.used) / Double(machine.now) * 100
        #expect(abs(used - percent) < 1, "\(used) %")
        #expect(reasons.contains(.budget))
    }

    @Test func theBudgetIsSharedByWeight() {
        var machine = Machine(budget: CPUBudget(percent: 40, processors: 1))
        let streams = [1.0, 2].map { machine.scheduler.add(StreamTerms(latencyBudget: 90 * ms, weight: $0)) }
        var computed = [0, 0]
        while machine.now < 60_000 * ms {
            for stream in streams where machine.edit(stream, cost: 15 * ms).0.work != nil { computed[stream] += 1 }
            machine.wait(period)
        }
        #expect(abs(Double(computed[1]) / Double(computed[0]) - 2) < 0.2, "\(computed)")
    }

    @Test func whoLeavesSharesNoMore() {
        var scheduler = Scheduler()
        let stays = scheduler.add(StreamTerms(latencyBudget: 66 * ms))
        let leaves = scheduler.add(StreamTerms(latencyBudget: 66 * ms, weight: 100))
        func place(_ now: Nanoseconds) -> Nanoseconds {
            let decision = scheduler.admit(stays, captured: now, now: now)
            scheduler.finish(stays, decision, cost: 20 * ms, now: now + 20 * ms)
            return decision.queueDeadline - now
        }
        _ = place(0)
        let other = scheduler.admit(leaves, captured: 0, now: 0)
        scheduler.finish(leaves, other, cost: 20 * ms, now: 40 * ms)
        let crowded = place(40 * ms)
        #expect(crowded > 1000 * ms)
        scheduler.remove(leaves)
        let alone = place(10_000 * ms)
        #expect(alone == 66 * ms)
        let nobody = scheduler.admit(99, captured: 0, now: 0)
        #expect(nobody.work == nil, "no such stream")
    }

    @Test func failuresTeachNothing() {
        var scheduler = Scheduler()
        let stream = scheduler.add(StreamTerms(latencyBudget: 66 * ms))
        _ = scheduler.admit(stream, captured: 0, now: 0)
        scheduler.fail(stream, cost: 5 * ms, now: 5 * ms)
        #expect(scheduler.predictedCost(of: stream) == nil)
        let again = scheduler.admit(stream, captured: 9 * ms, now: 9 * ms)
        #expect(again.reason == .learning)
    }

    private func hundredStreams() -> Scheduler {
        var scheduler = Scheduler(budget: CPUBudget(percent: 90, processors: 64))
        for index in 0..<100 {
            let stream = scheduler.add(StreamTerms(latencyBudget: 66 * ms, weight: 1 + Double(index % 3), steps: 60))
            let decision = scheduler.admit(stream, captured: 0, now: 0)
            scheduler.finish(stream, decision, cost: .milliseconds(0.1), now: Nanoseconds(index) * ms / 10)
        }
        return scheduler
    }

    @Test func decisionsAllocateNothing() {
        var scheduler = hundredStreams(), now: Nanoseconds = 20 * ms
        func round() {
            for stream in 0..<100 {
                now += ms / 10
                scheduler.note(processorTime: now / 2, now: now)
                let decision = scheduler.admit(stream, captured: now, now: now)
                scheduler.note(stream, .edited, step: stream % 60, cost: 1000)
                scheduler.finish(stream, decision, cost: Nanoseconds(stream % 7) * 10_000, now: now + 1000)
            }
        }
        round()
        movie_count_thread_allocations(true)
        let before = movie_allocations_of_thread()
        for _ in 0..<20 { round() }
        let after = movie_allocations_of_thread()
        movie_count_thread_allocations(false)
        #expect(after == before)
    }

    @Test func ticksAllocateNothing() {
        var pacer = Pacer(numerator: 30, denominator: 1, origin: 0), selector = OutputSelector(fallback: .hold)
        var counters = StreamCounters()
        movie_count_thread_allocations(true)
        let before = movie_allocations_of_thread()
        for number in 0..<1000 {
            let now = pacer.due
            let tick = pacer.take(now: now)
            pacer.noteFinish(at: now - 10 * ms)
            let frame = FinishedFrame(number: number / 2, captured: now - 20 * ms, rung: .edited, isInTime: true)
            counters.note(selector.select(newest: frame, input: InputState(), now: now), skipped: tick.skipped)
        }
        let after = movie_allocations_of_thread()
        movie_count_thread_allocations(false)
        #expect(after == before)
        #expect(counters[.edited] == 500 && counters[.held] == 500)
    }
}
