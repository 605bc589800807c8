import Compute
import Editing
import Foundation
import Frames
import Media
import Networks
import Scheduling
import Service

/// The rows of the table of real-time figures, each measured.
struct LiveCases {
    let cost: Double?
    let model: String?
    let budget: Double
    /// What the edits of the last case cost on one thread after the other, in milliseconds of the pool.
    private(set) var trace: [Double] = []

    private static let size = FrameSize(width: 512, height: 384)
    private static let settling = 3.0

    init(cost: Double?, model: String?, budget: Double) {
        self.cost = cost
        self.model = model
        self.budget = budget
    }

    /// The real model, undisturbed.
    mutating func nano(_ seconds: Double) throws -> [Figure] {
        let pool = WorkerPool()
        defer { pool.shutdown() }
        let run = LiveRun([try stream("nano", try real(pool), RunService.makeScheduler(budget: nil), pool)])
        try run.run(seconds: seconds, settling: Self.settling)
        let record = note(run)
        return record.clock("nano") + [
            Figure("nano", "frames edited, reused ones included", record.edited(), "%").atLeast(99),
            Figure("nano", "age of a published frame, p99", record.ages().quantile(0.99), "ms").atMost(70),
        ] + record.contents("nano")
    }

    /// Another program on every core in the middle third.
    mutating func load(_ seconds: Double) throws -> [Figure] {
        let pool = WorkerPool()
        defer { pool.shutdown() }
        let run = LiveRun([try stream("loaded", try editor(pool), RunService.makeScheduler(budget: nil), pool)])
        let third = seconds / 3
        try run.run(seconds: seconds, settling: Self.settling) { Load.run(after: third, seconds: third) }
        let record = note(run)
        let from = run.begin + .seconds(third), to = from + .seconds(third)
        let before = record.edited(run.begin...from)
        return record.clock("load").filter { !$0.figure.contains("p99.9") } + [
            Figure("load", "edited before the load", before, "%"),
            Figure("load", "edited under the load", record.edited(from + .seconds(1)...to), "%"),
            Figure("load", "age under the load, p99", record.ages(from + .seconds(1)...to).quantile(0.99), "ms"),
            Figure("load", "as before again after", recovery(record, after: to, level: before), "s").atMost(5),
        ] + record.contents("load")
    }

    /// A source that misbehaves; see `UnrulySource`.
    mutating func source() throws -> [Figure] {
        let pool = WorkerPool()
        defer { pool.shutdown() }
        let scheduler = RunService.makeScheduler(budget: nil)
        let stream = try stream(
            "unruly", try editor(pool), scheduler, pool, source: UnrulySource.fragment(Self.size))
        let run = LiveRun([stream]), script = UnrulySource(size: Self.size)
        try run.run(seconds: UnrulySource.seconds) { script.play(into: stream) }
        let record = note(run)
        let normal = record.ages(run.begin...run.begin + .seconds(4)).quantile(0.99)
        let troubles = UnrulySource.troubles.map { trouble in
            let from = run.begin + .seconds(trouble.end + 1)
            let ages = record.ages(from...from + .seconds(0.9))
            return Figure("source", "age a second after \(trouble.name), p99", ages.quantile(0.99), "ms")
                .atMost(normal + 1000 / 30)  // a source that comes back may come in any phase of the ticks
        }
        return record.clock("source") + [Figure("source", "age before, p99", normal, "ms")] + troubles
            + record.contents("source")
    }

    /// Two streams with a quick model, one with a slow one, on one pool.
    mutating func streams(_ seconds: Double) throws -> [Figure] {
        let pool = WorkerPool()
        defer { pool.shutdown() }
        let scheduler = RunService.makeScheduler(budget: nil)
        let quick = cost ?? 6
        let streams = try [("quick-1", quick, 5), ("quick-2", quick, 5), ("slow", 400, 200)].map {
            try stream(
                $0.0, SyntheticEditor(milliseconds: $0.1, steps: $0.2, pool: pool), scheduler, pool,
                size: FrameSize(width: 320, height: 240))
        }
        let run = LiveRun(streams)
        try run.run(seconds: seconds, settling: Self.settling)
        var figures: [Figure] = []
        for record in run.records {
            figures += record.clock("streams")
            if record.name != "slow" {
                let share = 100 * Double(record.counters.late) / Double(max(1, record.edits.count))
                figures += [
                    Figure("streams", "\(record.name): frames on rung edited", record.edited(), "%").atLeast(99),
                    Figure("streams", "\(record.name): deadlines missed", share, "%").atMost(0.5),
                ]
            }
            figures += record.contents("streams")
        }
        if let slow = run.records.last {
            figures.append(Figure("streams", "slow: edits a second", Double(slow.edits.count) / run.seconds, "1/s"))
        }
        return figures
    }

    /// The CPU budget.
    mutating func budget(_ seconds: Double) throws -> [Figure] {
        let pool = WorkerPool()
        defer { pool.shutdown() }
        let run = LiveRun([try stream("budget", try editor(pool), RunService.makeScheduler(budget: budget), pool)])
        try run.run(seconds: seconds, settling: Self.settling)
        let record = note(run)
        let used = 100 * run.processorSeconds / run.seconds / Double(WorkerPool.usableProcessors)
        return record.clock("budget") + [
            Figure("budget", "CPU used of all processors", used, "%").within(budget - 5...budget + 5)
        ] + record.contents("budget")
    }

    /// One thread.
    mutating func threads(_ seconds: Double) throws -> [Figure] {
        let pool = WorkerPool(threads: 1)
        defer { pool.shutdown() }
        let run = LiveRun([try stream("capped", try editor(pool), RunService.makeScheduler(budget: nil), pool)])
        try run.run(seconds: seconds, settling: Self.settling)
        let record = note(run)
        let cores = run.processorSeconds / run.seconds
        return record.clock("threads") + [
            Figure("threads", "threads that compute", Double(pool.width), "").within(1...1),
            Figure("threads", "processors used, source and output included", cores, "").atMost(1.25),
        ] + record.contents("threads")
    }

    /// A model that makes fewer edits than there are frames: the last one is carried between them.
    mutating func carried(_ seconds: Double) throws -> [Figure] {
        let pool = WorkerPool()
        defer { pool.shutdown() }
        let run = LiveRun([try stream("carried", try editor(pool), RunService.makeScheduler(budget: nil), pool)])
        try run.run(seconds: seconds, settling: Self.settling + (cost ?? 1000) / 500)
        let record = note(run)
        return record.clock("carried") + [
            Figure("carried", "frames on rung propagated", record.share(.propagated), "%").atLeast(95),
            Figure("carried", "age of a picture's motion, p99", record.ages().quantile(0.99), "ms").atMost(70),
            Figure("carried", "edits a second", Double(record.edits.count) / run.seconds, "1/s"),
        ] + record.contents("carried")
    }

    /// A camera's picture of 1280 x 720, edited at about 512 x 384 pixels and enlarged.
    mutating func large(_ seconds: Double) throws -> [Figure] {
        let pool = WorkerPool()
        defer { pool.shutdown() }
        let size = FrameSize(width: 1280, height: 720)
        let run = LiveRun([
            try stream("large", try editor(pool, reuses: true), RunService.makeScheduler(budget: nil), pool, size: size)
        ])
        try run.run(seconds: seconds, settling: Self.settling)
        let record = note(run), cores = Double(WorkerPool.usableProcessors)
        return record.clock("large") + [
            Figure("large", "CPU used of all processors", 100 * run.processorSeconds / run.seconds / cores, "%")
                .atMost(85)
        ] + record.contents("large")
    }

    private mutating func note(_ run: LiveRun) -> LiveRun.Record {
        trace = run.records[0].edits.map(\.cost.inMilliseconds)
        return run.records[0]
    }

    /// Seconds from `end` until half a second has as many edits as `level` per cent, but for a twentieth.
    private func recovery(_ record: LiveRun.Record, after end: Nanoseconds, level: Double) -> Double {
        let window = Nanoseconds.milliseconds(500)
        var from = end
        while let last = record.published.last?.published, from + window < last {
            if record.edited(from...from + window) >= level * 0.95 { return (from - end).inSeconds }
            from += .milliseconds(100)
        }
        return .infinity
    }

    private func stream(
        _ name: String, _ editor: any FrameEditor, _ scheduler: SharedScheduler, _ pool: WorkerPool,
        source: String = "test:ball", size: FrameSize = LiveCases.size
    ) throws -> LiveStream {
        var settings = LiveSettings(source: try SourceSpec.parse(source), sinks: [try SinkSpec.parse("gst:fakesink")])
        settings.name = name
        settings.size = size
        settings.framerate = Framerate(30)
        return LiveStream(
            settings, editor: editor, scheduler: scheduler, queue: pool, carrier: RunService.carrier(pool))
    }

    private func editor(_ pool: WorkerPool, reuses: Bool = false) throws -> any FrameEditor {
        guard let cost else { return try real(pool, reuses: reuses) }
        return SyntheticEditor(milliseconds: cost, steps: 60, pool: pool)
    }

    private func real(_ pool: WorkerPool, reuses: Bool = false) throws -> EditSession {
        let model = try EditingModel(try ModelLocator.find(model))
        var settings = EditSettings(prompt: "make it a pencil drawing")
        settings.stability = EditSettings.usualStability
        settings.reuse.isOn = reuses && model.precision == .int8
        return try EditSession(model: model, settings: settings, pool: pool)
    }
}
