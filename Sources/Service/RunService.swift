import Compute
import Editing
import Foundation
import Frames
import Media
import Motion
import Networks
import Scheduling

/// Edits live streams until a signal comes or all sources have ended, as `movied run` does.
public enum RunService {
    /// Runs the request; prints a line of figures a second and stream.
    public static func run(_ request: RunRequest) throws {
        try DeviceUse.check(request.streams.map(\.live))
        defer { EarlyOutputs.close() }
        for stream in request.streams { try EarlyOutputs.open(stream.live) }
        let pool = WorkerPool(threads: request.threads)
        defer { pool.shutdown() }
        let scheduler = makeScheduler(budget: request.budget)
        var models = ModelShelf()
        let streams = try request.streams.map { stream in
            let session = try models.session(stream, pool: pool)
            return LiveStream(
                stream.live, editor: session, scheduler: scheduler, queue: pool, carrier: carrier(pool))
        }
        let log = try request.frameLog.map { try FrameLog(path: $0) }
        let stop = StopSignals.install()
        request.streams.forEach { announce($0, isOnly: streams.count == 1) }
        let session = LiveSession(
            streams, report: { $0.forEach { Terminal.line(figures($0, isOnly: streams.count == 1)) } },
            message: { Terminal.warn(streams.count == 1 ? $1 : "\($0): \($1)") },
            published: { log?.add($1, of: $0.settings.name) }, commands: CommandSignals.install())
        for summary in try session.run(until: stop) { Terminal.line(text(summary, isOnly: streams.count == 1)) }
    }

    /// What carries edits onto later frames and enlarges small ones, computing on `pool`.
    public static func carrier(_ pool: WorkerPool) -> LiveStream.MakeCarrier {
        { size, editSize in Propagator(size: size, editSize: editSize, pool: pool) }
    }

    /// The scheduler of a program that may use `budget` per cent of all processors.
    public static func makeScheduler(budget: Double?) -> SharedScheduler {
        SharedScheduler(
            clock: MonotonicClock(),
            budget: budget.map { CPUBudget(percent: $0, processors: WorkerPool.usableProcessors) },
            processorTime: { ProcessorTime.ofProgram })
    }

    private static func announce(_ stream: StreamRequest, isOnly: Bool) {
        let sinks = stream.live.sinks.map(\.description).joined(separator: ", ")
        Terminal.line(
            (isOnly ? "" : "\(stream.name): ")
                + "editing \(stream.live.source) into \(sinks): \(stream.settings.prompt) (Ctrl-C ends)")
    }

    private static func figures(_ report: StreamReport, isOnly: Bool) -> String {
        let rungs = zip(Rung.allCases, report.rungs).filter { $0.1 > 0 }.map { "\($0) \($1)" }
        return (isOnly ? "" : "\(report.name): ")
            + "\(report.elapsedSeconds.text(0)) s  in \(report.framesPerSecondIn.text(1)) fps  "
            + "out \(report.framesPerSecondOut.text(1)) fps: \(rungs.joined(separator: ", "))  "
            + "ladder on \(report.rung), last frame \(report.reason?.description ?? "none")  "
            + "edit \(report.editMilliseconds.text(1)) ms (longest \(report.longestEditMilliseconds.text(1)))  "
            + "age \(report.ageMilliseconds.text(1)) ms  longest interval "
            + "\(report.longestIntervalMilliseconds.text(1)) ms  "
            + "since start: \(counts(report.counters, lost: report.lost))"
    }

    private static func text(_ summary: StreamSummary, isOnly: Bool) -> String {
        let size = summary.size.map { " of \($0)" } ?? ""
        return (isOnly ? "" : "\(summary.name): ")
            + "\(counts(summary.counters, lost: summary.lost)) published\(size), \(summary.elapsedSeconds.text(1)) s"
    }

    private static func counts(_ counters: StreamCounters, lost: Int) -> String {
        let rungs = Rung.allCases.map { "\($0) \(counters[$0])" }.joined(separator: " ")
        return "in \(counters.framesIn) \(rungs) late \(counters.late) dropped \(counters.dropped) "
            + "failed \(counters.failed) lost by sinks \(lost) out \(counters.out)"
    }
}

/// Models that several streams share: each folder is loaded once.
struct ModelShelf {
    private var models: [String: EditingModel] = [:]

    /// An editing session for a stream; prints its warnings.
    mutating func session(_ stream: StreamRequest, pool: WorkerPool) throws -> EditSession {
        let folder = try ModelLocator.find(stream.model)
        let key = "\(folder.path) \(stream.precision?.rawValue ?? "")"
        let model = try models[key] ?? EditingModel(folder, precision: stream.precision)
        models[key] = model
        var settings = stream.settings
        if !stream.anchorIsGiven { settings.anchor = model.prefersRollingAnchor ? .rolling : .none }
        let session = try EditSession(model: model, settings: settings, pool: pool)
        session.warnings.forEach(Terminal.warn)
        return session
    }
}

/// Processor time.
public enum ProcessorTime {
    /// Nanoseconds that all threads of this program have computed since its start.
    public static var ofProgram: Nanoseconds {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Nanoseconds(time.tv_sec) * 1_000_000_000 + Nanoseconds(time.tv_nsec)
    }
}

/// Streams compute one at a time on the pool, the earliest deadline first.
extension WorkerPool: ComputeQueue {}

extension EditSession: StagedEditor {
    /// Stages of a frame: pre-process, those of the plan, compose.
    public var stageCount: Int { stageNames.count }
    /// What a stage of the last frame took.
    public func stageMilliseconds(_ index: Int) -> Double { stageMilliseconds[index] }
}
