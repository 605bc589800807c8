import Foundation
import Frames
import Synchronization
import Testing

@testable import Media

struct LiveTests {
    private static let small = FrameSize(width: 160, height: 120)

    /// Runs a job for a while; returns its summary, its reports and how long it took to stop.
    private func run(
        _ source: String, _ sink: String, editor: any FrameEditor = PassthroughEditor(), size: FrameSize? = small,
        framerate: Framerate? = nil, seconds: Double
    ) throws -> (summary: LiveSummary, reports: [LiveReport], stopSeconds: Double) {
        var reports: [LiveReport] = []
        let job = LiveJob(
            source: try SourceSpec.parse(source), sink: try SinkSpec.parse(sink), size: size, framerate: framerate,
            editor: editor, report: { reports.append($0) })
        let stop = StopFlag()
        let stoppedAt = Mutex(0.0)
        Thread.detachNewThread {
            usleep(UInt32(seconds * 1e6))
            stoppedAt.withLock { $0 = MonotonicClock.seconds }
            stop.stop()
        }
        let summary = try job.run(until: stop)
        let asked = stoppedAt.withLock { $0 }
        return (summary, reports, asked == 0 ? 0 : MonotonicClock.seconds - asked)
    }

    private func sentence(_ source: String, _ sink: String, size: FrameSize? = small) -> String {
        do {
            _ = try run(source, sink, size: size, seconds: 3)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test func aFastEditorPublishesEveryFrame() throws {
        let result = try run("test:ball", "gst:fakesink", framerate: Framerate(30), seconds: 2.3)
        #expect((45...75).contains(result.summary.framesOut))
        #expect(result.summary.framesDropped <= 10)
        #expect(result.summary.size == Self.small)
        #expect(result.reports.count == 2)
        #expect(result.stopSeconds < 1)
    }

    @Test func aSlowEditorGetsTheNewestFrame() throws {
        let editor = SlowEditor(milliseconds: 200)
        let result = try run("test:ball", "gst:fakesink", editor: editor, framerate: Framerate(30), seconds: 2.3)
        #expect((6...12).contains(result.summary.framesOut))
        #expect(result.summary.framesDropped > 30)
        let report = try #require(result.reports.last)
        #expect(report.editMilliseconds >= 200)
        // One frame waits at most for the edit before it: its age never grows beyond two edits and a frame.
        #expect(report.ageMilliseconds < 500)
        #expect(result.stopSeconds < 1)
    }

    @Test(.enabled(if: Tool.hasFFmpeg, "ffmpeg and ffprobe are not installed"), arguments: ["mp4", "mkv", "webm"])
    func aRecordingIsWholeAfterStop(_ ending: String) throws {
        let shop = try Workshop()
        let result = try run("test:ball", "file:" + shop.path("out." + ending), seconds: 1.2)
        #expect(result.stopSeconds < 1.5)
        #expect(shop.files == ["out." + ending])
        let seen = try Measured(shop.path("out." + ending))
        #expect(seen.frames == result.summary.framesOut)
        #expect(abs(seen.seconds - 1.2) < 0.6)
    }

    @Test(.enabled(if: Tool.hasFFmpeg, "ffmpeg and ffprobe are not installed"))
    func aFileIsPlayedAtItsOwnSpeedToItsEnd() throws {
        let shop = try Workshop()
        let input = try shop.make("clip.mp4", "-f lavfi -i testsrc2=s=160x120:r=20:d=1.5 -c:v libx264")
        let result = try run("file:" + input, "file:" + shop.path("out.mkv"), size: nil, seconds: 8)
        #expect(result.stopSeconds == 0)
        #expect((1.3...3).contains(result.summary.elapsedSeconds))
        #expect(result.summary.framesOut >= 25)
        #expect(try Measured(shop.path("out.mkv")).frames == result.summary.framesOut)
    }

    @Test(.enabled(if: Tool.hasFFmpeg, "ffmpeg and ffprobe are not installed"))
    func onlyEditedPicturesAreRecorded() throws {
        let shop = try Workshop()
        let source = "gst:videotestsrc is-live=true pattern=white ! video/x-raw,width=322,height=242"
        _ = try run(source, "file:" + shop.path("out.mp4"), editor: InvertingEditor(), size: nil, seconds: 0.8)
        let pixels = Measured.pixels(shop.path("out.mp4"))
        #expect(!pixels.isEmpty)
        #expect(pixels.allSatisfy { $0 < 16 })
    }

    @Test func aFailedEditEndsTheJob() throws {
        let editor = FailingEditor(after: 3)
        #expect(throws: FailingEditor.Failure(frame: 3)) {
            try run("test:ball", "gst:fakesink", editor: editor, seconds: 5)
        }
    }

    @Test func aSourceThatChangesItsSizeKeepsTheFirst() throws {
        let shop = try Workshop()
        let source =
            "gst:concat name=c videotestsrc num-buffers=20 is-live=true ! video/x-raw,width=160,height=120 ! c. "
            + "videotestsrc num-buffers=20 is-live=true ! video/x-raw,width=320,height=180 ! c. c."
        let result = try run(source, "gst:filesink location=" + shop.path("raw"), size: nil, seconds: 6)
        #expect(result.summary.size == Self.small)
        #expect(result.summary.framesOut > 20)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: shop.path("raw"))).count
        #expect(bytes == result.summary.framesOut * 160 * 120 * 3)
    }

    @Test func encodedFragmentsAreDecoded() throws {
        let source = "gst:videotestsrc is-live=true ! video/x-raw,width=160,height=120 ! jpegenc"
        #expect(try run(source, "gst:fakesink", size: nil, seconds: 0.8).summary.framesOut > 5)
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
            "there is no loopback device at '/dev/video987'; make one with: "
                + "sudo modprobe v4l2loopback video_nr=987 exclusive_caps=1 card_label=movied"
        ),
    ])
    func badSinks(_ sink: String, _ expected: String) {
        #expect(sentence("test:ball", sink) == expected)
    }

    @Test func badSizes() {
        #expect(sentence("test:ball", "gst:fakesink", size: FrameSize(width: 63, height: 64)).contains("from 64"))
        #expect(sentence("test:ball", "gst:fakesink", size: FrameSize(width: 101, height: 64)).contains("must be even"))
        let odd = "gst:videotestsrc is-live=true ! video/x-raw,format=RGB,width=101,height=101"
        #expect(sentence(odd, "gst:fakesink", size: nil).hasSuffix("must be even; use --size 100x100."))
    }
}
