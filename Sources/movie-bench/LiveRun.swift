import Foundation
import Media
import Scheduling
import Service
import Synchronization

/// Runs live streams and keeps everything they published and edited.
final class LiveRun {
    /// One stream's records.
    struct Record {
        var name: String
        var published: [PublishedFrame] = []
        var edits: [EditRecord] = []
        var counters = StreamCounters()
        var rate = 30.0
    }

    private let streams: [LiveStream]
    private(set) var records: [Record]
    /// Processor time of the program between the first and the last moment of the run, in seconds, and how long it was.
    private(set) var processorSeconds = 0.0
    private(set) var seconds = 0.0
    /// When the run began, by the monotonic clock.
    private(set) var begin: Nanoseconds = 0

    init(_ streams: [LiveStream]) {
        self.streams = streams
        records = streams.map { Record(name: $0.settings.name) }
    }

    /// Runs for `seconds`; `body` runs on a thread of its own once all streams have started.
    func run(seconds wanted: Double, settling: Double = 0, beside body: (@Sendable () -> Void)? = nil) throws {
        let never = StopFlag()
        for stream in streams { try stream.start(until: never) }
        defer { for stream in streams { try? stream.finish() } }
        try wait(settling)  // costs are learned, caches are warm
        for index in records.indices { records[index] = Record(name: records[index].name) }
        let before = streams.map(\.counters)
        begin = MonotonicClock().now
        let used = ProcessorTime.ofProgram
        if let body { Thread.detachNewThread(body) }
        try wait(wanted)
        seconds = (MonotonicClock().now - begin).inSeconds
        processorSeconds = (ProcessorTime.ofProgram - used).inSeconds
        for (index, stream) in streams.enumerated() {
            records[index].counters = stream.counters.since(before[index])
            records[index].rate = stream.framerate?.framesPerSecond ?? 30
        }
    }

    private func wait(_ seconds: Double) throws {
        let end = MonotonicClock().now + .seconds(seconds)
        while MonotonicClock().now < end {
            usleep(50_000)
            for (index, stream) in streams.enumerated() {
                try stream.checkSinks()
                records[index].published += stream.drainPublished()
                records[index].edits += stream.drainEdits()
                stream.drainMessages().forEach { Terminal.warn("\(stream.settings.name): \($0)") }
            }
        }
    }
}

extension StreamCounters {
    /// What was counted after `earlier`.
    func since(_ earlier: StreamCounters) -> StreamCounters {
        var result = self
        result.framesIn -= earlier.framesIn
        result.late -= earlier.late
        result.dropped -= earlier.dropped
        result.failed -= earlier.failed
        result.out -= earlier.out
        result.skipped -= earlier.skipped
        for rung in Rung.allCases { result[rung] -= earlier[rung] }
        return result
    }
}

extension LiveRun.Record {
    /// Milliseconds between published frames, sorted.
    var intervals: [Double] {
        zip(published, published.dropFirst()).map { ($1.published - $0.published).inMilliseconds }.sorted()
    }

    /// Ages of the frames between two moments in milliseconds, sorted; our own pictures have none.
    func ages(_ times: ClosedRange<Nanoseconds> = .min...(.max)) -> [Double] {
        published.filter { times.contains($0.published) && $0.publication.rung <= .held }
            .map(\.publication.age.inMilliseconds).sorted()
    }

    /// Per cent of frames on `rung` between two moments.
    func share(_ rung: Rung, _ times: ClosedRange<Nanoseconds> = .min...(.max)) -> Double {
        let all = published.filter { times.contains($0.published) }
        return 100 * Double(all.count { $0.publication.rung == rung }) / Double(max(1, all.count))
    }

    /// Per cent of frames that were edited, with or without reuse, between two moments.
    func edited(_ times: ClosedRange<Nanoseconds> = .min...(.max)) -> Double {
        share(.edited, times) + share(.reused, times)
    }

    /// Frames a second, from the first published to the last.
    var framesPerSecond: Double {
        guard let first = published.first, let last = published.last, last.published > first.published else { return 0 }
        return Double(published.count - 1) / (last.published - first.published).inSeconds
    }

    /// How far an interval that only one in a thousand exceeds is from the period, in milliseconds.
    var unevenness: Double {
        let period = 1000 / rate
        return intervals.map { abs($0 - period) }.sorted().quantile(0.999)
    }

    /// Whether timestamps are those of the rate, exactly.
    var isExact: Bool {
        published.allSatisfy { abs(Double($0.timestamp) - Double($0.number) * 1e9 / rate) <= 1 }
    }

    /// The clock's figures, the same in every case.
    func clock(_ work: String, gap: Double = 100) -> [Figure] {
        [
            Figure(work, "\(name): frames a second out", framesPerSecond, "1/s").within(rate * 0.999...rate * 1.001),
            Figure(work, "\(name): timestamps exact and even", isExact ? 1 : 0, "").atLeast(1),
            Figure(work, "\(name): interval against period, p99.9", unevenness, "ms").atMost(5),
            Figure(work, "\(name): longest interval", intervals.last ?? 0, "ms").atMost(gap),
        ]
    }

    /// What was published and how long edits took; nothing is asked of it.
    func contents(_ work: String) -> [Figure] {
        let costs = edits.map(\.cost.inMilliseconds).sorted()
        return [
            Figure(work, "\(name): edited in full", share(.edited), "%"),
            Figure(work, "\(name): reused", share(.reused), "%"),
            Figure(work, "\(name): propagated", share(.propagated), "%"),
            Figure(work, "\(name): held", share(.held), "%"),
            Figure(work, "\(name): late", Double(counters.late), "frames"),
            Figure(work, "\(name): dropped", Double(counters.dropped), "frames"),
            Figure(work, "\(name): edit, median", costs.quantile(0.5), "ms"),
            Figure(work, "\(name): edit, p99", costs.quantile(0.99), "ms"),
            Figure(work, "\(name): age, median", ages().quantile(0.5), "ms"),
            Figure(work, "\(name): age, p99", ages().quantile(0.99), "ms"),
        ]
    }
}
