import CGstMovie
import Editing
import Frames
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

    /// Plans for frames of this layout.
    func prepare(_ layout: FrameLayout) throws {
        try sessions.prepare(size: layout.size)
        if layout.size != self.layout?.size {
            blender = FrameBlender(size: layout.size, pool: engine.pool)
            policy.reset()
        }
        shown = KeptFrame(layout: layout)
        self.layout = layout
    }

    /// Edits grey frames, so that the first real one finds everything in place and its cost is known.
    func warmUp() throws {
        guard let view = shown?.view else { return }
        for _ in 0..<2 { try edit(view.readable, into: view, strength: 1) }
        sessions.session.forgetFrames()
    }

    /// Follows the properties. `mayWait`: the frame may wait for a new prompt to be encoded.
    func follow(_ settings: ElementSettings, mayWait: Bool, warn: (String) -> Void) throws {
        try sessions.takeChange().forEach(warn)
        guard settings.revision != revision else { return }
        revision = settings.revision
        let wanted = settings.edit(with: engine.model, warn: warn)
        try sessions.change(to: wanted, mayWait: mayWait).forEach(warn)
    }

    /// Edits a picture; `output` may be `input`. Allocates nothing.
    func edit(_ input: FrameView, into output: MutableFrameView, strength: Double) throws {
        let start = monotonicNanoseconds(), used = processNanoseconds()
        if strength < 1, let blender {
            try sessions.session.edit(input, into: blender.edited)
            blender.blend(input, into: output, strength: strength)
        } else {
            try sessions.session.edit(input, into: output)
        }
        let wall = monotonicNanoseconds() - start
        budget.note(wall: wall, process: processNanoseconds() - used)
        policy.note(cost: Nanoseconds(wall))
    }
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
