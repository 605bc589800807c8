import Compute
import Editing
import Foundation
import Frames
import Media
import Networks

/// What `movied edit` is asked to do.
public struct EditRequest: Sendable {
    /// The file to read.
    public var input: String
    /// The file to write; its extension chooses the format.
    public var output: String
    /// Prompt, guidance and seed.
    public var settings: EditSettings
    /// The model folder; nil for the bundled one.
    public var model: String?
    /// What to compute with; nil takes integers where the model was quantized.
    public var precision: Precision?
    /// The output's size; nil keeps the input's.
    public var size: FrameSize?
    /// Threads to compute with; nil for all processors.
    public var threads: Int?
    /// Whether to print nothing but errors.
    public var isQuiet = false
    /// Where to write a JSON report; nil for nowhere.
    public var report: String?

    /// A request with defaults.
    public init(input: String, output: String, settings: EditSettings) {
        self.input = input
        self.output = output
        self.settings = settings
    }
}

/// Edits a video file from beginning to end, as `movied edit` does.
public enum EditService {
    /// Runs the request. Throws what is wrong with it; the output is then absent or as it was before.
    public static func run(_ request: EditRequest) throws {
        let pool = WorkerPool(threads: request.threads)
        defer { pool.shutdown() }
        let session = try makeSession(request.model, request.precision, request.settings, pool: pool)
        let editor = MeasuredEditor(session)
        var bar = ProgressBar()
        let stop = StopSignals.install()
        let job = FileEditJob(
            input: request.input, output: request.output, size: request.size, editor: editor,
            progress: { if !request.isQuiet { bar.draw($0) } }, isCancelled: { stop.isStopped },
            message: Terminal.warn)
        let summary = try job.run()
        bar.finish()
        guard summary.isComplete else {
            throw ServiceError("stopped by a signal after \(summary.frames) frames; \(request.output) was not written")
        }
        let report = EditReport(summary, editor)
        if !request.isQuiet { report.table(request.output).forEach(Terminal.line) }
        if let path = request.report { try report.write(to: path) }
    }

    /// Loads the model and encodes the prompt; prints the session's warnings.
    static func makeSession(
        _ model: String?, _ precision: Precision?, _ settings: EditSettings, pool: WorkerPool
    ) throws -> EditSession {
        let model = try EditingModel(try ModelLocator.find(model), precision: precision)
        let session = try EditSession(model: model, settings: settings, pool: pool)
        session.warnings.forEach(Terminal.warn)
        return session
    }
}

/// The figures of an edit, for people and for machines.
private struct EditReport: Encodable {
    let frames: Int
    let anchorFrame: Int?
    let width: Int
    let height: Int
    let seconds: Double
    let framesPerSecond: Double
    let stageMilliseconds: [String: Double]
    let frameMilliseconds: Double
    let peakMemoryMiB: Double
    private let stages: [(stage: String, milliseconds: Double)]

    enum CodingKeys: String, CodingKey {
        case frames, anchorFrame, width, height, seconds, framesPerSecond, stageMilliseconds, frameMilliseconds,
            peakMemoryMiB
    }

    init(_ summary: FileEditSummary, _ editor: MeasuredEditor) {
        frames = summary.frames
        anchorFrame = summary.anchorFrame
        width = summary.size.width
        height = summary.size.height
        seconds = summary.elapsedSeconds
        framesPerSecond = Double(summary.frames) / max(summary.elapsedSeconds, 1e-6)
        stages = editor.medians()
        stageMilliseconds = Dictionary(uniqueKeysWithValues: stages.map { ($0.stage, $0.milliseconds) })
        frameMilliseconds = stages.reduce(0) { $0 + $1.milliseconds }
        peakMemoryMiB = Memory.peakMiB()
    }

    func table(_ output: String) -> [String] {
        let parts = stages.map { "\($0.stage) \($0.milliseconds.text(1))" }.joined(separator: ", ")
        return [
            "\(output): \(frames) frames of \(width)x\(height) in \(seconds.text(1)) s, \(framesPerSecond.text(1)) fps"
                + (anchorFrame.map { "; anchor: frame \($0), counted from 0" } ?? ""),
            "a frame (median ms): \(parts), together \(frameMilliseconds.text(1)); peak memory \(peakMemoryMiB.text(0)) MiB",
        ]
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do {
            try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ServiceError("cannot write the report \(path): \(error.localizedDescription)")
        }
    }
}
