import Scheduling
import Testing

struct LadderTests {
    private let both = RungSet.basic, held = RungSet(.held)

    @Test func fallsAtOnce() {
        var ladder = Ladder()
        #expect(ladder.choose(fits: both, roomy: both, now: 0) == (.edited, .onTime))
        #expect(ladder.choose(fits: held, roomy: held, now: 1) == (.held, .predictedLate))
        #expect(ladder.rung == .held)
    }

    @Test func climbsAfterLastingSlackOnly() {
        var ladder = Ladder()
        _ = ladder.choose(fits: held, roomy: held, now: 0)
        #expect(ladder.choose(fits: both, roomy: both, now: 10) == (.held, .climbing))
        #expect(ladder.choose(fits: both, roomy: held, now: 20) == (.held, .predictedLate), "fits, but barely")
        #expect(ladder.choose(fits: both, roomy: both, now: 30) == (.held, .climbing), "from the beginning")
        #expect(ladder.choose(fits: both, roomy: both, now: 29 + Ladder.patience) == (.held, .climbing))
        #expect(ladder.choose(fits: both, roomy: both, now: 30 + Ladder.patience) == (.edited, .onTime))
    }

    @Test func staysUpWithoutSlack() {
        var ladder = Ladder()
        for now in 0..<100 { #expect(ladder.choose(fits: both, roomy: held, now: Nanoseconds(now)).rung == .edited) }
    }

    /// Costs that swing around the deadline: without patience every frame would change the rung.
    @Test func doesNotFlutter() {
        var ladder = Ladder(), changes = 0, last = Rung.edited
        for frame in 0..<300 {
            let set = frame % 2 == 0 ? both : held
            let rung = ladder.choose(fits: set, roomy: set, now: Nanoseconds(frame) * 33_000_000).rung
            if rung != last { changes += 1 }
            last = rung
        }
        #expect(changes == 1)
    }

    @Test func takesRungsThatPlugIn() {
        var ladder = Ladder()
        let all: RungSet = [RungSet(.edited), RungSet(.reused), RungSet(.propagated), RungSet(.held)]
        let lower: RungSet = [RungSet(.propagated), RungSet(.held)]
        #expect(ladder.choose(fits: lower, roomy: lower, now: 0).rung == .propagated)
        let middle: RungSet = [RungSet(.reused), lower]
        _ = ladder.choose(fits: all, roomy: middle, now: 1)
        #expect(ladder.choose(fits: all, roomy: middle, now: 1 + Ladder.patience).rung == .reused)
    }

    @Test func rungsAreOrdered() {
        #expect(Rung.allCases.sorted() == [.edited, .reused, .propagated, .held, .placeholder, .passthrough])
        #expect(RungSet([]).best == nil && both.best == .edited && held.contains(rung: .held))
        #expect(Set(Rung.allCases.map(\.description)).count == 6)
        #expect(Set(Reason.allCases.map(\.description)).count == Reason.allCases.count)
        #expect(Rung.allCases.filter(\.isComputed) == [.edited, .reused, .propagated])
    }
}
