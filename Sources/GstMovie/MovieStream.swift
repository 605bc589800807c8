import CGstMovie
import Compute
import Editing
import Frames
import LiveEditing
import Motion
import Networks
import Scheduling

/// What exists between start and stop only: the engine, the session and the pictures of the negotiated size. Belongs to
/// the thread that moves frames.
final class MovieStream {
    let engine: SharedEngine
    let sessions: SessionKeeper
    var policy = LivePolicy()
    var budget: EditBudget
    /// The last edited picture; nil before caps came.
    private(set) var shown: KeptFrame?
    private(set) var layout: FrameLayout?
    private var blender: FrameBlender?
    /// Makes the pictures once the size is known.
    private var keyframes: KeyframeEditor?
    private var mustForget = false
    private var revision: Int

    /// Loads the model and encodes the prompt. Throws with a sentence; `warn` gets sentences about values brought into range.
    init(_ settings: ElementSettings, warn: (String) -> Void) throws {
        let path = try BundledModel.find(
            settings.model, beside: [gstmovie_library_path().map { String(cString: $0) }].compactMap { $0 })
        engine = try SharedEngine(model: path, threads: settings.threads == 0 ? nil : settings.threads)
        sessions = try SessionKeeper(engine: engine, settings: settings.edit(with: engine.model, warn: warn))
        sessions.session.warnings.forEach(warn)
        budget = EditBudget(threads: engine.pool.width)
        revision = settings.revision
    }

    deinit { keyframes?.stop() }

    /// Plans for frames of this layout; `carries`: the last edit is carried onto frames that cannot be edited in time.
    func prepare(_ layout: FrameLayout, carries: Bool) throws {
        keyframes?.stop()
        keyframes = nil
        try sessions.prepare(size: layout.size)
        if layout.size != self.layout?.size {
            blender = FrameBlender(size: layout.size, pool: engine.pool)
            policy.reset()
        }
        shown = KeptFrame(layout: layout)
        self.layout = layout
        let size = layout.size
        keyframes = try KeyframeEditor(
            sessions.session, size: size, editSize: size,
            carrier: carries ? Propagator(size: size, editSize: size, pool: engine.pool) : nil, carriesEdits: carries,
            queue: PoolQueue(engine.pool), clock: ElementClock())
    }

    /// Edits grey frames, so that the first real one finds everything in place and its cost is known.
    func warmUp() throws {
        guard let view = shown?.view else { return }
        for _ in 0..<2 { _ = try edit(view.readable, into: view, strength: 1) }
        forget()
    }

    /// What was shown belongs to another place of the stream.
    func flush() {
        shown?.clear()
        policy.forgetTime()
        forget()
    }

    /// Frames to come have nothing to do with those before. A session that edits in the background is told afterwards.
    private func forget() {
        keyframes?.forget()
        mustForget = keyframeState?.isEditing == true
        if !mustForget { sessions.session.forgetFrames() }
    }

    /// The latency to promise, where it is another one.
    func renewedLatency(frame: Nanoseconds) -> Nanoseconds? {
        policy.renewedLatency(frame: frame, carries: keyframes?.state != nil)
    }

    /// Whether the last edit can be carried, and whether one is made meanwhile; nil where nothing is carried.
    var keyframeState: KeyframeState? { keyframes?.state }

    /// Follows the properties. `mayWait`: the frame may wait for a new prompt to be encoded.
    func follow(_ settings: ElementSettings, mayWait: Bool, warn: (String) -> Void) throws {
        try takeKeyframe()
        try sessions.takeChange().forEach(warn)
        defer {
            if let keyframes, keyframes.current !== sessions.session { keyframes.replace(sessions.session) }
        }
        // A session that edits in the background is left alone; it follows when it is done.
        guard settings.revision != revision, keyframeState?.isEditing != true else { return }
        revision = settings.revision
        let wanted = settings.edit(with: engine.model, warn: warn)
        try sessions.change(to: wanted, mayWait: mayWait).forEach(warn)
    }

    /// An edit that was made in the background is carried from now on. Throws what went wrong with it.
    private func takeKeyframe() throws {
        guard let done = keyframes?.takeFinished() else { return }
        if mustForget { forget() }
        if let failure = done.failure { throw failure }
        policy.note(.edited, cost: done.cost)
        let cost = UInt64(max(0, done.cost))
        budget.note(wall: cost, process: cost * UInt64(engine.pool.width))
    }

    /// Edits a picture; `output` may be `input`. Allocates nothing. Returns whether parts of the last edit were reused.
    func edit(_ input: FrameView, into output: MutableFrameView, strength: Double) throws -> Bool {
        guard let keyframes else { return false }
        let start = monotonicNanoseconds(), used = processNanoseconds()
        keyframes.take(input, follows: false)
        sessions.session.mayReuse = keyframes.state != nil  // where no frame may be left, none is computed in part
        try blend(input, into: output, strength) { try keyframes.edit(input, into: $0) }
        let wall = monotonicNanoseconds() - start
        budget.note(wall: wall, process: processNanoseconds() - used)
        policy.note(keyframes.hasReused ? .reused : .edited, cost: Nanoseconds(wall))
        return keyframes.hasReused
    }

    /// Carries the last edit onto a picture; `output` may be `input`. An edit of it begins in the background, if none is
    /// being made. False where there is nothing to carry. Allocates nothing.
    func carry(_ input: FrameView, into output: MutableFrameView, strength: Double) -> Bool {
        guard let keyframes else { return false }
        let start = monotonicNanoseconds()
        engine.pool.begin(deadline: Int64(start) + Self.carryPatience)
        defer { engine.pool.end() }
        keyframes.take(input, follows: true)
        keyframes.beginEdit(captured: Nanoseconds(start), deadline: Nanoseconds(start) + Self.background)
        var hasCarried = false
        blend(input, into: output, strength) { hasCarried = keyframes.carry(into: $0) }
        policy.note(.propagated, cost: Nanoseconds(monotonicNanoseconds() - start))
        return hasCarried
    }

    /// Mixes what `make` writes with the source, where the strength asks for it.
    private func blend(
        _ input: FrameView, into output: MutableFrameView, _ strength: Double,
        _ make: (MutableFrameView) throws -> Void
    ) rethrows {
        guard strength < 1, let blender else { return try make(output) }
        try make(blender.edited)
        blender.blend(input, into: output, strength: strength)
    }

    /// How far behind frames on their way an edit in the background queues, and what a carried frame may wait for another.
    private static let background: Nanoseconds = .seconds(1)
    private static let carryPatience: Nanoseconds = .milliseconds(10)
}

/// The pool as edits in the background queue for it.
private final class PoolQueue: ComputeQueue {
    private let pool: WorkerPool
    init(_ pool: WorkerPool) { self.pool = pool }
    func begin(deadline: Nanoseconds) { pool.begin(deadline: deadline) }
    func end() -> Nanoseconds { pool.end() }
}

private struct ElementClock: TimeSource {
    var now: Nanoseconds { Nanoseconds(monotonicNanoseconds()) }
}

extension ElementSettings {
    /// The edit that is asked for. Scales outside the model's range are brought into it, with a sentence to `warn`.
    func edit(with model: EditingModel, warn: (String) -> Void) -> EditSettings {
        let ranges = model.guidance
        var edit = EditSettings(
            prompt: instruction,
            guidanceScale: scale("guidance-scale", guidanceScale, ranges.guidanceScale, warn),
            imageGuidanceScale: scale("image-guidance-scale", imageGuidanceScale, ranges.imageGuidanceScale, warn),
            seed: seed)
        let isRolling = anchor == GSTMOVIE_ANCHOR_MODEL ? model.prefersRollingAnchor : anchor == GSTMOVIE_ANCHOR_ROLLING
        edit.anchor = isRolling ? .rolling : .none
        edit.stability = stability
        edit.reuse.isOn = model.precision == .int8
        return edit
    }

    private func scale(
        _ name: String, _ value: Double, _ range: ClosedRange<Double>, _ warn: (String) -> Void
    ) -> Double? {
        if value == 0 { return nil }
        if range.contains(value) { return value }
        let used = value.isNaN ? nil : min(max(value, range.lowerBound), range.upperBound)
        warn(
            "\(name) is \(value); this model takes \(range.lowerBound) to \(range.upperBound), or 0 for its default: "
                + "using \(used.map { "\($0)" } ?? "the default").")
        return used
    }
}
