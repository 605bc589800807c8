import Testing

@testable import Media
@testable import Scheduling

struct TimingTests {
    @Test func framerateTimesAreExact() {
        let ntsc = Framerate(30000, 1001)
        #expect(ntsc.time(ofFrame: 1) == 33_366_667)
        #expect(ntsc.time(ofFrame: 30000) == 1_001_000_000_000)
        #expect(ntsc.time(ofFrame: -30000) == -1_001_000_000_000)
        #expect(ntsc.time(ofFrame: 3_000_000_000) == 100_100_000_000_000_000)
        #expect(ntsc.description == "30000/1001")
    }

    @Test func millisecondsGoBackToTheGrid() {
        let rate = Framerate(30000, 1001)
        var grid = TimestampGrid(rate)
        for frame in 0..<5000 {
            let exact = rate.time(ofFrame: frame)
            let rounded = UInt((exact + 500_000) / 1_000_000 * 1_000_000)
            #expect(grid.snap(rounded) == UInt(exact))
        }
    }

    @Test func aGridBeginsAtItsFirstTimestamp() {
        var grid = TimestampGrid(Framerate(25))
        #expect(grid.snap(500_000_000) == 500_000_000)
        #expect(grid.snap(540_400_000) == 540_000_000)
    }

    @Test func timestampsOffTheGridStay() {
        var grid = TimestampGrid(Framerate(30))
        #expect(grid.snap(0) == 0)
        #expect(grid.snap(47_000_000) == 47_000_000)
        var free = TimestampGrid(nil)
        #expect(free.snap(33_000_000) == 33_000_000)
    }

    @Test func reportsTellOfTheTimeSinceTheLast() {
        let second = Nanoseconds.seconds(1)
        var window = ReportWindow(now: 100 * second), counters = StreamCounters()
        func frame(_ number: Int, _ rung: Rung, at milliseconds: Double, age: Double) -> PublishedFrame {
            PublishedFrame(
                number: number, timestamp: 0, published: .milliseconds(milliseconds),
                publication: .init(rung: rung, age: .milliseconds(age), reason: .late, isNew: true))
        }
        func edit(_ milliseconds: Double) -> EditRecord {
            EditRecord(
                captured: 0, finished: 0, cost: .milliseconds(milliseconds), rung: .edited, reason: .onTime,
                isInTime: true)
        }
        counters.framesIn = 10
        let frames = [
            frame(0, .placeholder, at: 0, age: 0), frame(1, .edited, at: 30, age: 40), frame(2, .held, at: 75, age: 85),
        ]
        window.add(frames, [5.0, 1, 3].map(edit))
        func report(_ now: Nanoseconds) -> StreamReport {
            window.report(name: "a", counters: counters, rung: .held, lost: 2, since: 90 * second, now: now)
        }
        let busy = report(102 * second)
        #expect(busy.elapsedSeconds == 12 && busy.framesPerSecondIn == 5 && busy.framesPerSecondOut == 1.5)
        #expect(busy.rungs == [1, 0, 0, 1, 1, 0] && busy.reason == .late && busy.rung == .held && busy.lost == 2)
        #expect(busy.editMilliseconds == 3 && busy.longestEditMilliseconds == 5)
        #expect(busy.ageMilliseconds == 85 && busy.longestIntervalMilliseconds == 45)
        let quiet = report(103 * second)
        #expect(quiet.framesPerSecondIn == 0 && quiet.framesPerSecondOut == 0 && quiet.editMilliseconds == 0)
        window.add([frame(3, .edited, at: 175, age: 1)], [])
        #expect(report(104 * second).longestIntervalMilliseconds == 100, "over the border of two reports")
    }
}
