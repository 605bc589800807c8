import ArgumentParser
import Foundation
import Frames
import Media
import Scheduling
import Service

struct CameraCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "camera", abstract: "Passes a source on unedited and tells how long that takes.",
        discussion: "Prints lines of a name and a number: frames, new ones among them, their age at publication.")

    @Option(help: "As movied run takes it.")
    var source: String

    @Option(help: "As movied run takes it.")
    var sink: String

    @Option(help: "Size of the output.")
    var size = FrameSize(width: 640, height: 480)

    @Option(help: "Frames a second of the output.")
    var rate = "25"

    @Option(help: "How long, 1 to 3600.")
    var seconds = 30.0

    func validate() throws {
        guard (1...3600).contains(seconds) else {
            throw ValidationError("--seconds is \(seconds); it must be from 1 to 3600")
        }
    }

    func run() throws {
        var settings = LiveSettings(source: try SourceSpec.parse(source), sinks: [try SinkSpec.parse(sink)])
        settings.size = size
        settings.framerate = try SettingText.framerate(rate, "--rate")
        let stream = LiveStream(
            settings, editor: PassthroughEditor(), scheduler: RunService.makeScheduler(budget: nil))
        let stop = StopSignals.install(), time = seconds
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: time)
            stop.stop()
        }
        let collector = Collector()
        let session = LiveSession(
            [stream], message: { Terminal.line("\($0): \($1)") }, published: { collector.frames += $1 })
        _ = try session.run(until: stop)
        report(collector.frames)
    }

    private final class Collector { var frames: [PublishedFrame] = [] }

    private func report(_ frames: [PublishedFrame]) {
        let new = frames.filter { $0.publication.rung == .edited }
        let ages = new.map(\.publication.age.inMilliseconds).sorted()
        print("frames \(frames.count)")
        print("new \(new.count)")
        guard !ages.isEmpty else { return }
        print("age_p50_ms \(ages[ages.count / 2])")
        print("age_p99_ms \(ages[min(ages.count - 1, ages.count * 99 / 100)])")
    }
}
