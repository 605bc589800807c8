import Foundation
import Frames
import Scheduling
import Synchronization

@testable import Media

/// Runs live streams of tests for a while and keeps what they published.
final class LiveWorkbench {
    struct Result {
        var summaries: [StreamSummary]
        var reports: [[StreamReport]]
        var frames: [String: [PublishedFrame]]
        var messages: [String]
        var stopSeconds: Double

        var summary: StreamSummary { summaries[0] }
        var published: [PublishedFrame] { frames[summary.name] ?? [] }
        var counters: StreamCounters { summary.counters }

        func count(_ rung: Rung) -> Int { counters[rung] }
    }

    let scheduler = SharedScheduler(clock: MonotonicClock())
    private(set) var streams: [LiveStream] = []

    /// Adds a stream.
    @discardableResult
    func add(
        _ source: String, _ sinks: [String], editor: any FrameEditor = PassthroughEditor(),
        size: FrameSize? = FrameSize(width: 160, height: 120), framerate: Framerate? = Framerate(30),
        carrier: LiveStream.MakeCarrier? = nil, change: (inout LiveSettings) -> Void = { _ in }
    ) throws -> LiveStream {
        var settings = LiveSettings(
            source: try SourceSpec.parse(source), sinks: try sinks.map { try SinkSpec.parse($0) })
        settings.name = "stream \(streams.count)"
        settings.size = size
        settings.framerate = framerate
        change(&settings)
        let stream = LiveStream(settings, editor: editor, scheduler: scheduler, carrier: carrier)
        streams.append(stream)
        return stream
    }

    /// Runs them for `seconds`; each action runs on a thread of its own at its time.
    func run(seconds: Double, actions: [(at: Double, body: @Sendable () -> Void)] = []) throws -> Result {
        let stop = StopFlag(), stoppedAt = Mutex(0.0)
        for action in actions {
            Thread.detachNewThread {
                usleep(UInt32(action.at * 1e6))
                action.body()
            }
        }
        Thread.detachNewThread {
            usleep(UInt32(seconds * 1e6))
            stoppedAt.withLock { $0 = MonotonicClock.seconds }
            stop.stop()
        }
        var result = Result(summaries: [], reports: [], frames: [:], messages: [], stopSeconds: 0)
        let session = LiveSession(
            streams, report: { result.reports.append($0) }, message: { result.messages.append($1) },
            published: { result.frames[$0.settings.name, default: []] += $1 })
        result.summaries = try session.run(until: stop)
        let asked = stoppedAt.withLock { $0 }
        result.stopSeconds = asked == 0 ? 0 : MonotonicClock.seconds - asked
        return result
    }
}
