import Testing

@testable import Scheduling

struct SelectorTests {
    private let second = Nanoseconds.seconds(1)

    private func frame(_ number: Int, captured: Nanoseconds, isInTime: Bool = true) -> FinishedFrame {
        FinishedFrame(number: number, captured: captured, rung: .edited, isInTime: isInTime)
    }

    @Test func newThenHeldWithItsAge() {
        var selector = OutputSelector(fallback: .hold)
        let input = InputState()
        #expect(
            selector.select(newest: nil, input: input, now: 5)
                == Publication(rung: .placeholder, age: 0, reason: .beforeFirstEdit, isNew: false))
        #expect(
            selector.select(newest: frame(1, captured: 10), input: input, now: 60)
                == Publication(rung: .edited, age: 50, reason: .onTime, isNew: true))
        #expect(
            selector.select(newest: frame(1, captured: 10), input: input, now: 90)
                == Publication(rung: .held, age: 80, reason: .nothingNewer, isNew: false))
        #expect(
            selector.select(newest: frame(2, captured: 20, isInTime: false), input: input, now: 220)
                == Publication(rung: .edited, age: 200, reason: .late, isNew: true))
    }

    @Test func theReasonOfAHeldFrameIsWhyNothingCame() {
        var selector = OutputSelector(fallback: .hold)
        var input = InputState()
        input.reason = .budget
        _ = selector.select(newest: frame(1, captured: 0), input: input, now: 1)
        #expect(selector.select(newest: frame(1, captured: 0), input: input, now: 2).reason == .budget)
    }

    @Test(arguments: Fallback.allCases) func aLostSourceIsHeldThenReplaced(_ fallback: Fallback) {
        var selector = OutputSelector(fallback: fallback)
        var input = InputState()
        let last = frame(1, captured: 0)
        _ = selector.select(newest: last, input: input, now: 0)
        input.lostSince = 0
        input.rawCaptured = 0  // even if somebody forgot one
        #expect(selector.select(newest: last, input: input, now: second / 2).rung == .held)
        let late = selector.select(newest: last, input: input, now: 3 * second)
        #expect(late.rung == .placeholder && late.reason == .sourceLost && late.age == 0)
    }

    @Test func failingEditsAreHeldThenReplaced() {
        for fallback in Fallback.allCases {
            var selector = OutputSelector(fallback: fallback)
            var input = InputState()
            _ = selector.select(newest: frame(1, captured: 0), input: input, now: 0)
            input.failingSince = 0
            input.rawCaptured = 3 * second
            #expect(selector.select(newest: frame(1, captured: 0), input: input, now: second / 2).rung == .held)
            let late = selector.select(newest: frame(1, captured: 0), input: input, now: 3 * second)
            #expect(late.rung == (fallback == .passthrough ? .passthrough : .placeholder))
            #expect(late.reason == .editFailed)
        }
    }

    @Test func placeholderDoesNotHoldForLong() {
        var hold = OutputSelector(fallback: .hold), own = OutputSelector(fallback: .placeholder)
        let old = frame(1, captured: 0), input = InputState()
        _ = hold.select(newest: old, input: input, now: 0)
        _ = own.select(newest: old, input: input, now: 0)
        #expect(own.select(newest: old, input: input, now: second).rung == .held)
        #expect(own.select(newest: old, input: input, now: 2 * second).rung == .placeholder)
        #expect(hold.select(newest: old, input: input, now: 100 * second).rung == .held, "a slow model")
    }

    /// Every state there is: no choice is the camera's picture unless the configuration asks for it.
    @Test(arguments: [Fallback.hold, .placeholder]) func failsClosed(_ fallback: Fallback) {
        for state in 0..<64 {
            var selector = OutputSelector(fallback: fallback)
            for now in stride(from: 0, through: 5 * second, by: Int(second / 4)) {
                var input = InputState()
                if state & 1 != 0 { input.lostSince = 0 }
                if state & 2 != 0 { input.failingSince = 0 }
                if state & 4 != 0 { input.rawCaptured = now }
                if state & 8 != 0 { input.reason = .predictedLate }
                let newest = state & 16 != 0 ? frame(Int(now / (2 * second)), captured: now - second / 9) : nil
                let choice = selector.select(newest: newest, input: input, now: now)
                #expect(choice.rung != .passthrough)
                if newest == nil { #expect(choice.rung == .placeholder) }
            }
        }
    }

    @Test func passthroughIsOnlyAskedFor() {
        var selector = OutputSelector(fallback: .passthrough)
        var input = InputState()
        #expect(selector.select(newest: nil, input: input, now: 0).rung == .placeholder, "no raw frame yet")
        input.rawCaptured = 3
        let choice = selector.select(newest: nil, input: input, now: 10)
        #expect(choice == Publication(rung: .passthrough, age: 7, reason: .beforeFirstEdit, isNew: false))
    }

    @Test func countersCountRungs() {
        var counters = StreamCounters()
        for rung in Rung.allCases {
            counters.note(Publication(rung: rung, age: 0, reason: .onTime, isNew: true), skipped: 2)
        }
        #expect(counters.out == 6 && counters.skipped == 12)
        #expect(Rung.allCases.allSatisfy { counters[$0] == 1 })
        #expect(counters != StreamCounters())
    }
}
