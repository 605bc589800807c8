import Scheduling
import Testing

struct PacerTests {
    private let ms = Nanoseconds.milliseconds(1)

    @Test(arguments: [(30, 1), (30000, 1001), (1, 1), (240, 1), (15, 2)])
    func timestampsAreExactForHours(_ rate: (Int, Int)) {
        var pacer = Pacer(numerator: rate.0, denominator: rate.1, origin: 5)
        for number in 0..<100_000 {
            let due = pacer.due
            let tick = pacer.take(now: due)
            let exact = Double(number) * 1e9 * Double(rate.1) / Double(rate.0)
            #expect(tick.number == number && tick.skipped == 0)
            #expect(abs(Double(tick.timestamp) - exact) <= 0.51 + exact * 1e-15)
            #expect(due == 5 + tick.timestamp, "nothing steers without frames")
        }
    }

    @Test func aLateTickIsMadeUpFor() {
        var pacer = Pacer(numerator: 30, denominator: 1, origin: 0)
        _ = pacer.take(now: 0)
        let now = 400 * ms
        var numbers: [Int] = []
        while pacer.due <= now { numbers.append(pacer.take(now: now).number) }
        #expect(numbers == Array(1...12))
        #expect(pacer.due == 433_333_333)
    }

    @Test func aPauseIsLeftOut() {
        var pacer = Pacer(numerator: 30, denominator: 1, origin: 0)
        _ = pacer.take(now: 0)
        let tick = pacer.take(now: 100_033 * ms)
        #expect(tick.skipped == 2999)
        #expect(tick.number == 3000 && tick.timestamp == 100_000_000_000)
        #expect(pacer.due > 100_033 * ms)
    }

    /// Frames that get finished just when ticks fall: the ticks move behind them, slowly and not for ever.
    @Test(arguments: [0.0, 0.1, 0.5, 0.9]) func ticksMoveBehindTheFrames(_ phase: Double) {
        var pacer = Pacer(numerator: 30, denominator: 1, origin: 0)
        let period = pacer.period
        var last = -period, found = 0
        for frame in 0..<600 {
            let finish = Nanoseconds((Double(frame) + phase) * Double(period)) + Nanoseconds(frame % 3) * ms
            while pacer.due <= finish {
                let due = pacer.due
                let tick = pacer.take(now: due)
                #expect(abs(due - last - period) < period / 90, "an interval of \(due - last)")
                #expect(abs(due - tick.timestamp) <= period / 2)
                last = due
            }
            if frame > 150, pacer.due - finish > 3 * ms { found += 1 }
            pacer.noteFinish(at: finish)
        }
        #expect(found > 440, "ticks come some milliseconds after the frames: \(found)")
    }

    @Test func framesOfAnotherRateSteerNothing() {
        var pacer = Pacer(numerator: 30, denominator: 1, origin: 0)
        for frame in 0..<500 {
            let finish = Nanoseconds(frame) * 43_700_000
            while pacer.due <= finish {
                let due = pacer.due
                #expect(due == pacer.take(now: due).timestamp)
            }
            pacer.noteFinish(at: finish)
        }
    }

    /// A camera whose clock runs a little fast: its frames drift through all phases, the ticks stay within half a period.
    @Test func aDriftingSourceKeepsTheRate() {
        var pacer = Pacer(numerator: 30, denominator: 1, origin: 0)
        var newest = 0, shown = 0, held = 0
        let frames = 100_000, period = Double(pacer.period) * 0.9999
        for frame in 0..<frames {
            let finish = Nanoseconds(Double(frame) * period) + Nanoseconds(frame * 7919 % 4000) * 1000
            while pacer.due <= finish {
                let due = pacer.due
                let tick = pacer.take(now: due)
                #expect(abs(due - tick.timestamp) <= pacer.period / 2 + 1)
                if newest == shown { held += 1 }
                shown = newest
            }
            newest = frame
            pacer.noteFinish(at: finish)
        }
        #expect(held < frames / 500, "\(held) ticks found nothing new")
    }
}
