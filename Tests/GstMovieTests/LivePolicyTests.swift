import Scheduling
import Testing

@testable import GstMovie

/// What becomes of a live frame, on times told to the policy.
struct LivePolicyTests {
    private let ms = Nanoseconds.milliseconds(1)

    private func policy(edit: Nanoseconds, carry: Nanoseconds? = nil) -> LivePolicy {
        var policy = LivePolicy()
        for _ in 0..<8 {
            policy.note(.edited, cost: edit)
            if let carry { policy.note(.propagated, cost: carry) }
        }
        policy.noteEnd(now: 0)
        return policy
    }

    private func arrival(_ keyframes: KeyframeState?, now: Nanoseconds = 0) -> LivePolicy.Arrival {
        .init(runningTime: 0, now: now, hasPicture: true, keyframes: keyframes)
    }

    @Test func editsWhereThereIsTime() {
        let idle = KeyframeState(canCarry: true, isEditing: false)
        #expect(policy(edit: 20 * ms).decide(arrival(idle), own: 30 * ms, isAfforded: true) == .edit)
        #expect(policy(edit: 20 * ms).decide(arrival(nil), own: 30 * ms, isAfforded: true) == .edit)
    }

    @Test func carriesWhereThereIsNone() {
        let slow = policy(edit: 900 * ms, carry: 4 * ms)
        for isEditing in [false, true] {
            let state = KeyframeState(canCarry: true, isEditing: isEditing)
            #expect(slow.decide(arrival(state), own: 30 * ms, isAfforded: true) == .carry)
            #expect(slow.decide(arrival(state), own: 30 * ms, isAfforded: false) == .overBudget)
        }
        let nothing = KeyframeState(canCarry: false, isEditing: true)
        #expect(slow.decide(arrival(nothing), own: 30 * ms, isAfforded: true) == .late(by: 870 * ms))
        let late = KeyframeState(canCarry: true, isEditing: false)
        #expect(slow.decide(arrival(late, now: 40 * ms), own: 30 * ms, isAfforded: true) == .late(by: 910 * ms))
    }

    /// The editor is busy: there is nothing else, however much time there is.
    @Test func oneEditAtATime() {
        let busy = KeyframeState(canCarry: true, isEditing: true)
        #expect(policy(edit: 20 * ms, carry: 4 * ms).decide(arrival(busy), own: 30 * ms, isAfforded: true) == .carry)
        let early = KeyframeState(canCarry: false, isEditing: true)
        #expect(policy(edit: 20 * ms).decide(arrival(early), own: 30 * ms, isAfforded: true) == .late(by: 1))
    }

    @Test func latencyIsThatOfWhatIsShown() {
        var slow = policy(edit: 900 * ms, carry: 4 * ms)
        #expect(slow.renewedLatency(frame: 33 * ms, carries: true) == 37 * ms)
        var held = policy(edit: 900 * ms)
        #expect(held.renewedLatency(frame: 33 * ms, carries: false) == 933 * ms)
    }
}
