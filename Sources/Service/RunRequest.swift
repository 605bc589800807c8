import Editing
import Frames
import Media
import Networks
import Scheduling

/// What one live stream of `movied run` is asked to do.
public struct StreamRequest: Sendable {
    /// A name for reports.
    public var name: String
    /// Source, sinks, size, rate, latency budget, weight, fallback.
    public var live: LiveSettings
    /// Prompt, guidance and seed.
    public var settings: EditSettings
    /// Whether `settings.anchor` was asked for; else the model says.
    public var anchorIsGiven = false
    /// The model folder; nil for the bundled one.
    public var model: String?
    /// What to compute with; nil takes integers where the model was quantized.
    public var precision: Precision?

    /// A request with defaults. Throws for a source or sink that cannot be read.
    public init(name: String = "stream", source: String, sinks: [String], settings: EditSettings) throws {
        self.name = name
        self.settings = settings
        live = LiveSettings(source: try SourceSpec.parse(source), sinks: try sinks.map { try SinkSpec.parse($0) })
        live.name = name
    }
}

/// What `movied run` is asked to do.
public struct RunRequest: Sendable {
    /// The streams; at least one.
    public var streams: [StreamRequest]
    /// Per cent of all processors that the program may use, 1 to 100; nil for no limit.
    public var budget: Double?
    /// Threads to compute with; nil for all processors.
    public var threads: Int?
    /// Where to write a line about every published frame; nil for nowhere.
    public var frameLog: String?

    /// A request for these streams.
    public init(streams: [StreamRequest]) { self.streams = streams }
}
