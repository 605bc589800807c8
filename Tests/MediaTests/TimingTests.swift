import Testing

@testable import Media

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

    @Test func reportsComeOnceASecond() {
        var statistics = LiveStatistics(now: 100)
        for milliseconds in [5.0, 1, 3] { statistics.note(editMilliseconds: milliseconds, ageMilliseconds: 10) }
        #expect(statistics.report(now: 100.9, arrived: 9, taken: 3, lost: 0) == nil)
        let report = statistics.report(now: 102, arrived: 10, taken: 3, lost: 1)
        #expect(report?.framesPerSecondIn == 5)
        #expect(report?.framesPerSecondOut == 1.5)
        #expect(report?.framesDropped == 7)
        #expect(report?.editMilliseconds == 3)
        #expect(report?.longestEditMilliseconds == 5)
        let quiet = statistics.report(now: 103, arrived: 10, taken: 3, lost: 1)
        #expect(quiet?.framesPerSecondOut == 0)
        #expect(quiet?.editMilliseconds == 0)
    }

    @Test func aCameraIsAskedForRawPicturesFirst() {
        let wishes = WebcamMode.wishes(size: .init(width: 640, height: 480), framerate: Framerate(30))
        #expect(wishes.first == "video/x-raw,width=640,height=480,framerate=30/1")
        #expect(wishes.last == "image/jpeg,width=640,height=480")
    }
}
