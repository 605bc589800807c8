import Foundation
import Frames
import Scheduling
import Testing

@testable import Media

struct LiveTests {
    private static let small = FrameSize(width: 160, height: 120)

    private func run(
        _ source: String, _ sink: String, editor: any FrameEditor = PassthroughEditor(), size: FrameSize? = small,
        framerate: Framerate? = nil, seconds: Double, change: (inout LiveSettings) -> Void = { _ in }
    ) throws -> LiveWorkbench.Result {
        let bench = LiveWorkbench()
        try bench.add(source, [sink], editor: editor, size: size, framerate: framerate, change: change)
        return try bench.run(seconds: seconds)
    }

    private func sentence(
        _ source: String, _ sink: String, size: FrameSize? = small, framerate: Framerate? = nil,
        change: (inout LiveSettings) -> Void = { _ in }
    ) -> String {
        do {
            _ = try run(source, sink, size: size, framerate: framerate, seconds: 3, change: change)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    /// As many ticks as fit, each a period after the one before.
    private func expectSteady(_ result: LiveWorkbench.Result, rate: Double, seconds: Double) {
        #expect(
            abs(Double(result.counters.out) - rate * seconds) <= max(4, rate * 0.25), "\(result.counters.out) ticks")
        let frames = result.published
        for (index, frame) in frames.enumerated() {
            #expect(frame.number == index)
            #expect(abs(Double(frame.timestamp) - Double(index) * 1e9 / rate) <= 1)
        }
    }

    @Test func aFastEditorPublishesEveryFrame() throws {
        let result = try run("test:ball", "gst:fakesink", framerate: Framerate(30), seconds: 2.3)
        expectSteady(result, rate: 30, seconds: 2.3)
        #expect(result.count(.edited) > 40 && result.count(.passthrough) == 0)
        #expect(result.summary.size == Self.small)
        #expect(result.reports.count == 2)
        #expect(result.stopSeconds < 1)
        let counters = result.counters
        let underWay = counters.framesIn - counters[.edited] - counters.dropped
        #expect((0...3).contains(underWay), "every frame is edited, dropped or under way: \(counters)")
    }

    @Test func aSlowEditorGetsTheNewestFrameAndTheClockGoesOn() throws {
        let editor = SlowEditor(milliseconds: 200)
        let result = try run("test:ball", "gst:fakesink", editor: editor, framerate: Framerate(30), seconds: 2.3)
        expectSteady(result, rate: 30, seconds: 2.3)
        #expect((6...12).contains(result.count(.edited)))
        #expect(result.counters.late >= 6 && result.counters.dropped > 30)
        #expect(result.count(.held) > 30)
        let report = try #require(result.reports.last?.first)
        #expect(report.editMilliseconds >= 200)
        // Nothing queues: a picture is at most two edits, a frame and a tick old.
        let ages = result.published.map(\.publication.age.inMilliseconds)
        #expect((ages.max() ?? 0) < 700)
        #expect(result.stopSeconds < 1)
    }

    @Test func theOutputBeginsBeforeTheSource() throws {
        let result = try run(
            "gst:fakesrc num-buffers=0 ! video/x-raw,format=RGB,width=160,height=120,framerate=30/1",
            "gst:fakesink", framerate: Framerate(25), seconds: 0.8)
        expectSteady(result, rate: 25, seconds: 0.8)
        #expect(result.count(.placeholder) == result.counters.out)
    }

    @Test func severalSinksGetTheSame() throws {
        let shop = try Workshop(), bench = LiveWorkbench()
        let sinks = ["a", "b"].map { "gst:filesink location=" + shop.path($0) }
        try bench.add("test:ball", sinks + ["gst:identity sleep-time=300000 ! fakesink"], editor: InvertingEditor())
        let result = try bench.run(seconds: 1.2)
        expectSteady(result, rate: 30, seconds: 1.2)
        let a = try Data(contentsOf: URL(fileURLWithPath: shop.path("a")))
        let b = try Data(contentsOf: URL(fileURLWithPath: shop.path("b")))
        #expect(a == b && a.count == result.counters.out * 160 * 120 * 3)
        #expect(result.summary.lost > 10, "the slow one lost some")
    }

    @Test func severalStreamsKeepTheirRates() throws {
        let bench = LiveWorkbench()
        try bench.add("test:ball", ["gst:fakesink"], framerate: Framerate(30))
        try bench.add("test:smpte", ["gst:fakesink"], editor: SlowEditor(milliseconds: 300), framerate: Framerate(25))
        try bench.add("test:snow", ["gst:fakesink"], framerate: Framerate(15))
        let result = try bench.run(seconds: 2)
        for (summary, rate) in zip(result.summaries, [30.0, 25, 15]) {
            #expect(abs(Double(summary.counters.out) - 2 * rate) < 8, "\(summary)")
        }
        #expect(result.summaries[0].counters[.edited] > 40)
        #expect((3...9).contains(result.summaries[1].counters[.edited]))
    }

    @Test(.enabled(if: Tool.hasFFmpeg, "ffmpeg and ffprobe are not installed"), arguments: ["mp4", "mkv", "webm"])
    func aRecordingIsWholeAfterStop(_ ending: String) throws {
        let shop = try Workshop()
        let result = try run("test:ball", "file:" + shop.path("out." + ending), seconds: 1.2)
        #expect(result.stopSeconds < 1.5)
        #expect(shop.files == ["out." + ending])
        let seen = try Measured(shop.path("out." + ending))
        #expect(seen.frames == result.counters.out)
        #expect(abs(seen.seconds - 1.2) < 0.6)
    }

    @Test(.enabled(if: Tool.hasFFmpeg, "ffmpeg and ffprobe are not installed"))
    func aFileIsPlayedAtItsOwnSpeedToItsEnd() throws {
        let shop = try Workshop()
        let input = try shop.make("clip.mp4", "-f lavfi -i testsrc2=s=160x120:r=20:d=1.5 -c:v libx264")
        let result = try run("file:" + input, "file:" + shop.path("out.mkv"), size: nil, seconds: 8)
        #expect(result.stopSeconds == 0)
        #expect((1.3...3).contains(result.summary.elapsedSeconds))
        #expect(result.count(.edited) >= 25)
        let seen = try Measured(shop.path("out.mkv"))
        #expect(seen.frames == result.counters.out)
        let times = Measured.times(shop.path("out.mkv"))
        #expect(zip(times, times.dropFirst()).allSatisfy { abs($1 - $0 - 0.05) < 0.002 }, "even: \(times)")
    }

    @Test func aLostSourceIsTriedAgain() throws {
        let source = "gst:videotestsrc num-buffers=10 is-live=true ! video/x-raw,framerate=30/1"
        let result = try run(source, "gst:fakesink", framerate: Framerate(30), seconds: 2.6)
        expectSteady(result, rate: 30, seconds: 2.6)
        #expect(result.counters.framesIn >= 20, "it came back: \(result.counters.framesIn)")
        #expect(result.messages.contains { $0.hasSuffix("has ended; trying again") })
        #expect(result.published.contains { $0.publication.reason == .sourceLost && $0.publication.rung == .held })
    }

    @Test func aFasterSourceIsEditedAtTheOutputsRate() throws {
        let editor = FailingEditor(after: .max), source = "gst:videotestsrc is-live=true ! video/x-raw,framerate=60/1"
        let result = try run(source, "gst:fakesink", editor: editor, framerate: Framerate(30), seconds: 1.5)
        #expect(result.counters.framesIn > 70)
        #expect((30...50).contains(editor.frames), "\(editor.frames) edits of \(result.counters.framesIn) frames")
    }

    /// Timestamps from the future, from the past, and a burst: ages are measured all the same, and nothing queues.
    @Test func timestampsMayJumpAndFramesBurst() throws {
        let bench = LiveWorkbench()
        let source =
            "gst:appsrc name=movied_inlet is-live=true format=time max-bytes=0 "
            + "caps=\"video/x-raw,format=RGB,width=160,height=120,framerate=0/1\""
        let stream = try bench.add(source, ["gst:fakesink"], editor: SlowEditor(milliseconds: 5))
        let offsets: [Nanoseconds] = [0, 100, -50, 7, 0, 3, -9]
        let result = try bench.run(
            seconds: 1.6,
            actions: [
                (
                    at: 0.3,
                    body: {
                        for number in 0..<30 {
                            let time = Nanoseconds(number) * 33_333_333 + .seconds(200)
                            let stamp = time + offsets[number % offsets.count] * 1_000_000_000
                            stream.inlet?.push(bytes: 160 * 120 * 3, value: UInt8(number), timestamp: stamp)
                            if number < 10 || number >= 20 { usleep(33_000) }  // ten come at once
                        }
                    }
                )
            ])
        #expect(result.counters.framesIn == 30)
        expectSteady(result, rate: 30, seconds: 1.6)
        let edited = result.published.filter { $0.publication.rung == .edited }
        #expect(edited.count >= 12 && edited.allSatisfy { $0.publication.age < .milliseconds(300) })
    }

    @Test func aSourceThatChangesItsSizeKeepsTheFirst() throws {
        let shop = try Workshop()
        let source =
            "gst:concat name=c videotestsrc num-buffers=20 is-live=true ! video/x-raw,width=160,height=120 ! c. "
            + "videotestsrc num-buffers=20 is-live=true ! video/x-raw,width=320,height=180 ! c. c."
        let result = try run(source, "gst:filesink location=" + shop.path("raw"), size: nil, seconds: 1.8)
        #expect(result.summary.size == Self.small)
        #expect(result.count(.edited) > 20)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: shop.path("raw"))).count
        #expect(bytes == result.counters.out * 160 * 120 * 3)
    }

    @Test func encodedFragmentsAreDecoded() throws {
        let source = "gst:videotestsrc is-live=true ! video/x-raw,width=160,height=120 ! jpegenc"
        #expect(try run(source, "gst:fakesink", size: nil, seconds: 0.8).count(.edited) > 5)
    }

    @Test(arguments: [
        ("gst:nosuch ! identity", "the source 'gst:nosuch ! identity' fails: no element \"nosuch\"."),
        ("gst:videotestsrc ! !", "the source 'gst:videotestsrc ! !' fails: syntax error."),
        ("webcam:/dev/video987", "there is no camera at '/dev/video987'; "),
        ("file:/nowhere/clip.mp4", "'/nowhere/clip.mp4' does not exist; check the path."),
    ])
    func badSources(_ source: String, _ expected: String) {
        #expect(sentence(source, "gst:fakesink").hasPrefix(expected))
    }

    @Test(arguments: [
        ("gst:nosuchelement", "the sink 'gst:nosuchelement' fails: no element \"nosuchelement\"."),
        ("file:/nowhere/out.mkv", "'/nowhere/out.mkv' cannot be written: No such file or directory; check its folder."),
        ("file:/tmp/out.gif", "the output '/tmp/out.gif' has the extension '.gif'; allowed are .mp4, .mkv and .webm."),
        (
            "loopback:/dev/video987",
            DeviceHelp.noLoopback("/dev/video987", .here())
        ),
    ])
    func badSinks(_ sink: String, _ expected: String) {
        #expect(sentence("test:ball", sink) == expected)
    }

    @Test func theLastSinkThatFailsEndsTheStream() throws {
        let failing = "gst:identity error-after=5 ! fakesink"
        #expect(sentence("test:ball", failing, framerate: Framerate(30)).hasPrefix("the sink '\(failing)' fails"))
        let bench = LiveWorkbench()
        try bench.add("test:ball", ["gst:fakesink", failing])
        let result = try bench.run(seconds: 1)
        expectSteady(result, rate: 30, seconds: 1)
        #expect(result.messages.contains { $0.hasPrefix("the sink '\(failing)' fails") })
    }

    @Test func streamsStartSideBySide() throws {
        let bench = LiveWorkbench(), begin = MonotonicClock.seconds
        try bench.add("gst:fakesrc num-buffers=0", ["gst:fakesink"], size: nil)  // waits for a frame for 10 seconds
        try bench.add("gst:nosuchelement ! identity", ["gst:fakesink"])
        #expect(throws: MediaError.self) { try bench.run(seconds: 20) }
        #expect(MonotonicClock.seconds - begin < 5)
    }

    @Test func badSizes() {
        #expect(sentence("test:ball", "gst:fakesink", size: FrameSize(width: 63, height: 64)).contains("from 64"))
        #expect(sentence("test:ball", "gst:fakesink", size: FrameSize(width: 101, height: 64)).contains("must be even"))
        let odd = "gst:videotestsrc is-live=true ! video/x-raw,format=RGB,width=101,height=101"
        #expect(sentence(odd, "gst:fakesink", size: nil).hasSuffix("must be even; use --size 100x100."))
    }

    @Test func badLatencyBudgets() {
        let text = sentence("test:ball", "gst:fakesink", framerate: Framerate(25)) {
            $0.latencyBudget = .milliseconds(39)
        }
        #expect(text.hasPrefix("the latency budget is 39 ms; at 25 frames a second it must be from 40 ms"))
    }
}
