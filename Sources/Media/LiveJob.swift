import CGst
import Frames

/// Edits live video: takes the newest frame, edits it, publishes it, until told to stop or the source ends.
///
/// Only what the editor wrote is published; when an edit fails the job ends.
public final class LiveJob {
    private let source: SourceSpec
    private let sink: SinkSpec
    private let size: FrameSize?
    private let framerate: Framerate?
    private let editor: any FrameEditor
    private let report: (LiveReport) -> Void

    private static let slice: GstClockTime = 50_000_000
    private static let stallSeconds = 10.0

    /// A job from `source` to `sink`.
    ///
    /// `size` fixes the pictures' size (even sides from 64 pixels; cropped to its shape, then scaled), nil takes that of
    /// the first frame. `framerate` is asked of cameras and the test source and bounds every other; nil leaves it to the
    /// source. `report` is told the figures once a second on the thread that runs the job.
    public init(
        source: SourceSpec, sink: SinkSpec, size: FrameSize? = nil, framerate: Framerate? = nil,
        editor: any FrameEditor, report: @escaping (LiveReport) -> Void = { _ in }
    ) {
        self.source = source
        self.sink = sink
        self.size = size
        self.framerate = framerate
        self.editor = editor
        self.report = report
    }

    /// Runs on the calling thread until `stop` is set or the source ends; an edit under way is finished first.
    ///
    /// Throws a `MediaError` when source or sink cannot be opened or fail, or when no frame comes for 10 seconds, and
    /// whatever the editor throws, unchanged. What a file sink had recorded until then is kept, whole.
    public func run(until stop: StopFlag) throws -> LiveSummary {
        if let size { try size.validate(as: "the size", advice: "\(size.nearestAllowed) would do") }
        try LiveSink.check(sink)
        let source = try LiveSource(self.source, size: size, framerate: framerate)
        var state = LiveRun(source: source)
        guard let size = try settle(source, until: stop) else { return state.summary(size: nil) }
        try editor.prepare(size: size)
        do {
            try pump(&state, size: size, until: stop)
        } catch {
            try? finish(state.sink)
            throw error
        }
        try finish(state.sink)
        return state.summary(size: size)
    }

    /// Waits for the first frame and fixes the size; nil when there is none before the end.
    private func settle(_ source: LiveSource, until stop: StopFlag) throws(MediaError) -> FrameSize? {
        guard let first = try next(source, until: stop) else { return nil }
        guard let size = first.caps?.size else { throw MediaError("the source '\(self.source)' has no picture size.") }
        try size.validate(as: "the picture of '\(self.source)'", advice: "use --size \(size.nearestAllowed)")
        if self.size == nil { try source.fix(size) }
        return size
    }

    private func pump(_ state: inout LiveRun, size: FrameSize, until stop: StopFlag) throws {
        while let sample = try next(state.source, until: stop) {
            // While a change of the source's size works its way through, frames of another size may come.
            if sample.has(size) { try pass(sample, &state) }
            if let figures = state.report() { report(figures) }
        }
    }

    private func pass(_ sample: borrowing Sample, _ state: inout LiveRun) throws {
        if state.step == nil {
            guard let caps = try sample.caps?.withFramerate(orElse: framerate ?? Framerate(30)) else { return }
            state.step = try FrameStep(editor: editor, caps: caps)
            state.sink = try LiveSink(sink, caps: caps)
        }
        let begin = MonotonicClock.seconds
        guard let buffer = try state.step?.edit(sample) else { return }
        let took = MonotonicClock.seconds - begin
        let captured = sample.runningTime
        try state.sink?.publish(buffer, captured: captured)
        state.note(editSeconds: took, ageSeconds: state.source.age(captured: captured))
    }

    /// The next frame; nil when stopped or at the end. Throws when none comes for 10 seconds.
    private func next(_ source: LiveSource, until stop: StopFlag) throws(MediaError) -> Sample? {
        let deadline = MonotonicClock.seconds + Self.stallSeconds
        while !stop.isStopped {
            if let sample = try source.next(timeout: Self.slice) { return sample }
            if source.isAtEnd { return nil }
            if MonotonicClock.seconds > deadline {
                throw MediaError("the source '\(self.source)' gave no frame for \(Int(Self.stallSeconds)) seconds.")
            }
        }
        return nil
    }

    private func finish(_ sink: LiveSink?) throws(MediaError) {
        var isFile = false
        if case .file = self.sink { isFile = true }
        try sink?.finish(seconds: isFile ? 10 : 1)
    }
}
