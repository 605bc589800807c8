import Frames
import LiveEditing
import Scheduling

/// What one live stream is to do.
public struct LiveSettings: Sendable {
    /// A name for reports.
    public var name = "stream"
    /// Where frames come from.
    public var source: SourceSpec
    /// Where published frames go; at least one.
    public var sinks: [SinkSpec]
    /// Size of the output in pixels: even sides from 64; nil takes that of the first frame.
    public var size: FrameSize?
    /// Size in pixels at which frames are edited, even sides from 64; nil for `FrameSize.standardEdit(of:)`. A
    /// smaller edit is enlarged with the frame's own detail.
    public var editSize: FrameSize?
    /// Whether the last edit is carried onto frames that cannot be edited in time.
    public var carriesEdits = true
    /// Rate of the output, asked of cameras and the test source too; nil takes that of the source, 30 where it varies.
    public var framerate: Framerate?
    /// From capture to the end of the edit; nil for three frames.
    public var latencyBudget: Nanoseconds?
    /// Its share where there is not enough for all streams.
    public var weight = 1.0
    /// What is shown where there is no edit.
    public var fallback = Fallback.hold
    /// What is done with the source's picture before it is edited.
    public var picture = SourcePicture()

    /// Settings with defaults.
    public init(source: SourceSpec, sinks: [SinkSpec]) {
        self.source = source
        self.sinks = sinks
    }
}

/// One live stream: a source whose newest frame is edited, and an output that ticks on its own.
///
/// Sinks get exactly the configured rate whatever source, editor and machine do. Only what the editor wrote is published,
/// or our own placeholder; the camera's picture only with the fallback `passthrough`.
public final class LiveStream: @unchecked Sendable {
    /// How long before the first tick sinks are opened.
    private static let opening: Nanoseconds = .milliseconds(50)

    /// What it was made from.
    public let settings: LiveSettings
    /// The size of the published pictures; nil before `start`.
    public private(set) var size: FrameSize?
    /// The size at which frames are edited; nil before `start`.
    public private(set) var editSize: FrameSize?
    /// The rate of the output; nil before `start`.
    public private(set) var framerate: Framerate?
    /// Where a program puts frames of its own, after `start`, if the source is `gst:appsrc name=movied_inlet ...`.
    public private(set) var inlet: FrameInlet?

    private let scheduler: SharedScheduler
    private let queue: (any ComputeQueue)?
    private let first: any FrameEditor
    private let makeCarrier: MakeCarrier?
    private let log = StreamLog()
    private let attention = Attention()
    private let keeper: SourceKeeper
    private let stop = StopFlag()
    private let ended = StopFlag()
    private var stream: Int?
    private var isFinished = false
    private var output: LiveOutput?
    private var outputLoop: OutputLoop?
    private var editLoop: EditLoop?
    private var ticker: FrameThread?
    private var worker: FrameThread?

    /// Makes what carries edits: for frames of a size, and edits of a size.
    public typealias MakeCarrier = (_ size: FrameSize, _ editSize: FrameSize) -> any FrameCarrier

    /// A stream that `editor` edits. `scheduler` decides for all streams of the program; `queue` is where edits compute one
    /// at a time, nil where they need not share. Without `carrier` edits have the output's size, and are held where there is
    /// no newer one.
    public init(
        _ settings: LiveSettings, editor: any FrameEditor, scheduler: SharedScheduler,
        queue: (any ComputeQueue)? = nil, carrier: MakeCarrier? = nil
    ) {
        self.settings = settings
        self.scheduler = scheduler
        self.queue = queue
        first = editor
        makeCarrier = carrier
        keeper = SourceKeeper(
            settings.source, size: settings.size, framerate: settings.framerate, picture: settings.picture, log: log,
            attention: attention)
    }

    /// Whether a file source has come to its end and everything of it was edited.
    public var hasEnded: Bool { ended.isStopped }

    /// The rung of the ladder on which the stream stands.
    public var rung: Rung { stream.map { scheduler.rung(of: $0) } ?? .held }

    /// Opens source and sinks and begins to publish. Without a given size or rate it first waits for a frame.
    ///
    /// Throws a `MediaError` for what cannot be opened, when no frame comes for 10 seconds, and for a latency budget that
    /// the rate does not allow a `LimitError`; whatever the editor's `prepare` throws, unchanged. `stop` ends the waiting;
    /// the stream has then ended.
    public func start(until stop: StopFlag) throws {
        try check()
        try keeper.open()
        guard let (size, framerate) = try settle(until: stop) else { return ended.stop() }
        let budget =
            settings.latencyBudget
            ?? Nanoseconds(framerate.time(ofFrame: Limits.defaultLatencyFrames))
        try Limits.check(latency: budget, framerate: framerate.framesPerSecond, "the latency budget")
        self.size = size
        self.framerate = framerate
        inlet = keeper.inlet
        keeper.limit(period: Nanoseconds(framerate.time(ofFrame: 1)))
        let edited = PictureExchange(size: size)
        let raw = settings.fallback == .passthrough ? PictureExchange(size: size) : nil
        try startOutput(edited, raw, size, framerate)
        do {
            let editSize = makeCarrier == nil ? size : settings.editSize ?? .standardEdit(of: size)
            try first.prepare(size: editSize)
            self.editSize = editSize
            var terms = StreamTerms(
                latencyBudget: budget, weight: settings.weight, steps: (first as? any StagedEditor)?.stageCount ?? 0)
            if first is any ReusingEditor { terms.rungs.insert(RungSet(.reused)) }
            if makeCarrier != nil, settings.carriesEdits { terms.rungs.insert(RungSet(.propagated)) }
            try startEdits(edited, raw, terms, editSize: editSize)
        } catch {
            try? finish()
            throw error
        }
    }

    /// Edits with another editor from now on: a new prompt, another model. Prepares it on the calling thread, while the old
    /// one goes on; the last edit is shown until the new one has made its first. Throws what its `prepare` throws.
    public func replace(editor: any FrameEditor) throws {
        if let editSize { try editor.prepare(size: editSize) }
        editLoop?.replace(editor)
    }

    /// Takes failed sinks out; throws when none is left. To be called now and then.
    public func checkSinks() throws(MediaError) {
        guard let output else { return }
        for error in try output.check() { log.say(error.message) }
        output.writeSnapshot().forEach(log.say)
    }

    /// Does what a person asks; messages tell what came of it.
    public func handle(_ command: LiveCommand) {
        guard let output else { return }
        if command == .snapshot, !attention.isWatched {
            return log.say("the camera sleeps since nobody watches: there is no picture for a snapshot")
        }
        output.handle(command).forEach(log.say)
    }

    /// Counts since the start.
    public var counters: StreamCounters {
        let mail = keeper.mailbox.counts
        var counters = log.update { $0.counters }
        counters.framesIn = mail.arrived
        counters.dropped += mail.replaced
        return counters
    }

    /// Frames that sinks were too slow for.
    public var lost: Int { output?.lost ?? 0 }

    /// What was published since the last call, at most 1024 frames.
    public func drainPublished() -> [PublishedFrame] { log.update { $0.published.drain() } }

    /// What was edited since the last call, at most 1024 frames.
    public func drainEdits() -> [EditRecord] { log.update { $0.edits.drain() } }

    /// What a person should be told since the last call.
    public func drainMessages() -> [String] {
        log.update { state in
            defer { state.messages.removeAll() }
            return state.messages
        }
    }

    /// Ends the stream: an edit under way is finished, a file becomes whole. Throws what goes wrong with a sink.
    public func finish() throws(MediaError) {
        stop.stop()
        worker?.join()
        outputLoop?.stop()
        ticker?.join()
        keeper.close()
        if let stream { scheduler.remove(stream) }
        ended.stop()
        guard !isFinished else { return }
        isFinished = true
        try output?.finish()
    }

    private func check() throws(MediaError) {
        if let size = settings.size { try size.validate(as: "the size", advice: "\(size.nearestAllowed) would do") }
        if let size = settings.editSize {
            try size.validate(as: "the edit size", advice: "\(size.nearestAllowed) would do")
        }
        if !settings.sinks.contains(where: \.isSteady) {
            throw MediaError("the stream '\(settings.name)' has no sink; give at least one.")
        }
        for sink in settings.sinks { try LiveSink.check(sink) }
    }

    /// Size and rate of the output: those given, or those of the first frame; nil when stopped before it came.
    private func settle(until stop: StopFlag) throws(MediaError) -> (FrameSize, Framerate)? {
        if let size = settings.size, let framerate = settings.framerate { return (size, framerate) }
        guard let item = try keeper.first(until: stop) else { return nil }
        let caps = item.sample.caps
        guard let size = settings.size ?? caps?.size else {
            throw MediaError("the source '\(settings.source)' has no picture size.")
        }
        try size.validate(as: "the picture of '\(settings.source)'", advice: "use --size \(size.nearestAllowed)")
        if settings.size == nil { try keeper.fix(size) }
        var rate = settings.framerate ?? caps?.framerate ?? Framerate(30)
        if !Limits.framerate.contains(rate.framesPerSecond) { rate = Framerate(30) }
        return (size, rate)
    }

    private func startOutput(
        _ edited: PictureExchange, _ raw: PictureExchange?, _ size: FrameSize, _ framerate: Framerate
    ) throws(MediaError) {
        // Sinks need some milliseconds to open; the first tick is to be punctual.
        let origin = MonotonicClock.nanoseconds + Self.opening
        let output = try LiveOutput(settings.sinks, size: size, framerate: framerate, origin: origin)
        output.messages.forEach(log.say)
        let loop = OutputLoop(
            output, edited: edited, raw: raw, fallback: settings.fallback, log: log, framerate: framerate,
            origin: origin, attention: attention)
        let ticker = FrameThread(name: "movie-tick", isPunctual: true) { loop.run() }
        self.output = output
        try ticker.begin()
        outputLoop = loop
        self.ticker = ticker
    }

    private func startEdits(
        _ edited: PictureExchange, _ raw: PictureExchange?, _ terms: StreamTerms, editSize: FrameSize
    ) throws {
        let stream = scheduler.add(terms)
        self.stream = stream
        let carrier = makeCarrier.flatMap {
            settings.carriesEdits || editSize != edited.size ? $0(edited.size, editSize) : nil
        }
        let keyframes = try KeyframeEditor(
            first, size: edited.size, editSize: editSize, carrier: carrier, carriesEdits: settings.carriesEdits,
            queue: queue, clock: scheduler.clock)
        let loop = try EditLoop(
            keeper, keyframes: keyframes, scheduler: scheduler, queue: queue, stream: stream, edited: edited, raw: raw,
            log: log, stop: stop)
        let ended = ended
        let worker = FrameThread(name: "movie-edit") {
            loop.run()
            ended.stop()
        }
        try worker.begin()
        editLoop = loop
        self.worker = worker
    }
}

extension FrameThread {
    /// Starts it, as `start` does.
    func begin() throws(MediaError) {
        do { try start() } catch { throw MediaError(error.description) }
    }
}
