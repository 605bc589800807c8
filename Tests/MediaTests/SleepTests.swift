import Frames
import Glibc
import Scheduling
import Testing

@testable import Media

/// What happens to camera, model and picture while nobody watches.
struct SleepTests {
    private static let size = FrameSize(width: 64, height: 64)

    /// An output loop into a loopback device of tests, on a clock that the test turns.
    private struct Bench {
        let port = FakePort()
        let attention = Attention()
        let edited = PictureExchange(size: SleepTests.size)
        let log = StreamLog()
        let loop: OutputLoop
        let output: LiveOutput
        private(set) var now: Nanoseconds = .seconds(10)
        private var number = 0
        private let period: Nanoseconds

        init(sinks: [SinkSpec] = [.loopback(.init(device: "/dev/video10"))], framerate: Framerate = Framerate(10))
            throws
        {
            let port = port, origin = now
            period = Nanoseconds(framerate.time(ofFrame: 1))
            output = try LiveOutput(sinks, size: SleepTests.size, framerate: framerate, origin: origin) {
                (spec, size, rate) throws(MediaError) in
                try LoopbackSink(spec, size: size, framerate: rate, port: port)
            }
            loop = OutputLoop(
                output, edited: edited, raw: nil, fallback: .hold, log: log, framerate: framerate, origin: origin,
                attention: attention)
        }

        mutating func edit(captured: Nanoseconds) {
            number += 1
            let target = edited.target
            for row in 0..<64 { memset(target.base + row * target.stride, 255, 64 * 3) }
            let frame = FinishedFrame(number: number, captured: captured, rung: .edited, isInTime: true)
            _ = edited.publish(.init(frame: frame, finished: captured))
        }

        mutating func tick(_ count: Int = 1) {
            for _ in 0..<count {
                loop.tick(now: now)
                now += period
            }
        }

        var showsEdit: Bool { port.picture.first == 235 }
    }

    @Test func thePlaceholderGoesOnWhileNobodyWatches() throws {
        var bench = try Bench()
        bench.port.count = 1
        bench.edit(captured: bench.now)
        bench.tick()
        #expect(bench.attention.isWatched && bench.showsEdit)
        bench.port.count = 0
        bench.tick(20)
        #expect(bench.attention.isWatched && bench.showsEdit, "not before two seconds")
        bench.tick(2)
        #expect(!bench.attention.isWatched && !bench.showsEdit)
        let before = bench.port.queued.count
        bench.tick(30)
        #expect(bench.port.queued.count == before + 30, "ten a second, as always")
        let times = bench.port.queued.suffix(30).map(\.time)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == .milliseconds(100) })
    }

    @Test func tenPicturesASecondAreEnoughForNobody() throws {
        var bench = try Bench(framerate: Framerate(30))
        bench.port.count = 0
        bench.tick(75)
        #expect(!bench.attention.isWatched)
        let before = bench.port.queued.count
        bench.tick(30)
        #expect(bench.port.queued.count == before + 10, "a third of thirty")
        bench.port.count = 1
        bench.tick(30)
        #expect(bench.port.queued.count >= before + 40 - 1, "all of them, for a reader")
    }

    @Test func aPictureFromBeforeIsNotShownToANewReader() throws {
        var bench = try Bench()
        bench.edit(captured: bench.now)
        bench.port.count = 0
        bench.tick(60)
        bench.port.count = 1
        bench.tick()
        #expect(bench.attention.isWatched && !bench.showsEdit)
        bench.edit(captured: bench.now)
        bench.tick()
        #expect(bench.showsEdit)
    }

    @Test func aRecordingKeepsItAwake() throws {
        var bench = try Bench(sinks: [.loopback(.init(device: "/dev/video10")), .gst(fragment: "fakesink sync=false")])
        bench.port.count = 0
        bench.tick(40)
        #expect(bench.attention.isWatched)
        try bench.output.finish()
    }

    @Test func theSourceIsClosedAndComesBack() throws {
        let attention = Attention()
        let keeper = SourceKeeper(
            try SourceSpec.parse("test:ball"), size: Self.size, framerate: Framerate(30), log: StreamLog(),
            attention: attention)
        try keeper.open()
        #expect(comes(from: keeper, within: 5))
        _ = attention.tell(false)
        _ = keeper.next()
        let arrived = keeper.mailbox.counts.arrived
        for _ in 0..<10 { #expect(!hasFrame(keeper)) }
        #expect(keeper.mailbox.counts.arrived == arrived, "the source is closed")
        _ = attention.tell(true)
        #expect(comes(from: keeper, within: 5))
        keeper.close()
    }

    @Test func aFileRunsOnUnseen() throws {
        let attention = Attention()
        let keeper = SourceKeeper(
            try SourceSpec.parse("gst:videotestsrc is-live=true num-buffers=30"), size: Self.size,
            framerate: Framerate(30), log: StreamLog(), attention: attention)
        try keeper.open()
        _ = attention.tell(false)
        let deadline = MonotonicClock.nanoseconds + .seconds(5)
        while keeper.mailbox.counts.arrived < 10, MonotonicClock.nanoseconds < deadline { _ = keeper.next() }
        #expect(keeper.mailbox.counts.arrived >= 10)
        keeper.close()
    }

    private func hasFrame(_ keeper: SourceKeeper) -> Bool { keeper.next() != nil }

    /// Whether a frame comes within so many seconds.
    private func comes(from keeper: SourceKeeper, within seconds: Double) -> Bool {
        let deadline = MonotonicClock.nanoseconds + .seconds(seconds)
        while MonotonicClock.nanoseconds < deadline {
            if hasFrame(keeper) { return true }
        }
        return false
    }
}
