import Compute
import Editing
import Frames
import Media
import Networks

/// What `movied run` is asked to do.
public struct RunRequest: Sendable {
    /// Where frames come from.
    public var source: SourceSpec
    /// Where edited frames go.
    public var sink: SinkSpec
    /// Prompt, guidance and seed.
    public var settings: EditSettings
    /// The model folder; nil for the bundled one.
    public var model: String?
    /// What to compute with; nil takes integers where the model was quantized.
    public var precision: Precision?
    /// The output's size; nil takes the source's.
    public var size: FrameSize?
    /// Frames a second asked of the source; nil leaves it to the source.
    public var framerate: Framerate?
    /// Threads to compute with; nil for all processors.
    public var threads: Int?

    /// A request with defaults. Throws for a source or sink that cannot be read.
    public init(source: String, sink: String, settings: EditSettings) throws {
        self.source = try SourceSpec.parse(source)
        self.sink = try SinkSpec.parse(sink)
        self.settings = settings
    }
}

/// Edits a live source until a signal comes or the source ends, as `movied run` does.
public enum RunService {
    /// Runs the request; prints a line of figures a second.
    public static func run(_ request: RunRequest) throws {
        let pool = WorkerPool(threads: request.threads)
        defer { pool.shutdown() }
        let session = try EditService.makeSession(request.model, request.precision, request.settings, pool: pool)
        let stop = StopSignals.install()
        let job = LiveJob(
            source: request.source, sink: request.sink, size: request.size, framerate: request.framerate,
            editor: session, report: { Terminal.line(figures($0)) })
        Terminal.line("editing \(request.source) into \(request.sink): \(request.settings.prompt) (Ctrl-C ends)")
        let summary = try job.run(until: stop)
        let size = summary.size.map { " of \($0)" } ?? ""
        Terminal.line(
            "\(summary.framesIn) frames in, \(summary.framesOut) edited and published\(size), "
                + "\(summary.framesDropped) dropped, \(summary.elapsedSeconds.text(1)) s")
    }

    private static func figures(_ report: LiveReport) -> String {
        "\(report.elapsedSeconds.text(0)) s  in \(report.framesPerSecondIn.text(1)) fps  "
            + "out \(report.framesPerSecondOut.text(1)) fps  edit \(report.editMilliseconds.text(1)) ms "
            + "(longest \(report.longestEditMilliseconds.text(1)))  age \(report.ageMilliseconds.text(1)) ms  "
            + "frames in \(report.framesIn) out \(report.framesOut) dropped \(report.framesDropped)"
    }
}
