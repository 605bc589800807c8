import Compute
import Frames
import Networks

/// Edits frames one by one with an editing model: the heart of the daemon, the command line and the element.
///
/// Create once a stream; `prepare` fixes the size, `edit` then neither allocates nor blocks. One frame at a time.
public final class EditSession: ReusingEditor, TimedEditor, AnchoredEditor {
    /// Sentences for the person at the keyboard, such as a prompt cut short.
    public private(set) var warnings: [String] = []
    /// Milliseconds of each stage of the last frame, in `stageNames`' order.
    public private(set) var stageMilliseconds: [Double] = []
    /// Names of the stages, once prepared.
    public private(set) var stageNames: [String] = []

    /// Widths and heights that can be edited, in pixels.
    private static let sides = 2...16384

    private let model: EditingModel
    private var settings: EditSettings
    private let pool: WorkerPool
    private let prompt: EncodedPrompt
    private let transform: (Graph) -> Graph
    /// What `edit` runs, once prepared.
    public private(set) var frame: FramePlan?
    private var reuse: FrameReuse?
    private var stageStart = ContinuousClock.now
    private var coherence: FrameCoherence?
    private let start = ContinuousClock.now
    /// Where the next frame lies in the video, in seconds; nil asks the clock.
    public var frameTime: Double?

    /// Whether `edit` may reuse what the last frame computed, where the settings allow it.
    public var mayReuse = true
    /// How the last frame was computed.
    public var lastWork: EditWork { reuse?.work ?? EditWork(operations: operations) }
    /// PSNR in dB of reused pictures against the full computation, as last measured; nil before.
    public var reusePSNR: Double? { reuse?.policy.psnr }

    /// Encodes the prompt. Throws for an empty prompt or a guidance scale outside the model's range.
    ///
    /// - Parameter transform: makes another graph of the model's, for calibration.
    public init(
        model: EditingModel, settings: EditSettings, pool: WorkerPool, transform: @escaping (Graph) -> Graph = { $0 }
    ) throws(EditError) {
        try settings.check(against: model.guidance)
        self.model = model
        self.settings = settings
        self.pool = pool
        self.transform = transform
        prompt = EncodedPrompt(settings.prompt, model: model, pool: pool)
        let cut = prompt.truncatedTokens
        if cut > 0 {
            warnings.append("the prompt is too long for this model: its last \(cut) tokens are ignored")
        }
        if settings.reuse.isOn, model.precision != .int8 {
            warnings.append("reuse needs a model on integers: every frame is computed in full")
        }
    }

    /// Multiply-adds of one frame, once prepared.
    public private(set) var operations = 0
    /// Bytes of activations, once prepared.
    public var memory: Int { frame?.plan.memory ?? 0 }
    /// Bytes of `memory` that hold anchor frames.
    public var anchorMemory: Int { frame?.plan.anchors.memory ?? 0 }
    /// Why the last frame became the anchor; nil where it did not.
    public var anchorRenewal: AnchorPolicy.Reason? { coherence?.renewal }

    /// Plans the networks for frames of this size.
    public func prepare(size: FrameSize) throws {
        guard [size.width, size.height].allSatisfy({ Self.sides.contains($0) && $0 % 2 == 0 }) else {
            throw EditError(
                "the frame size is \(size); width and height must be even and from \(Self.sides.lowerBound) to "
                    + "\(Self.sides.upperBound)")
        }
        if frame?.size == size { return }
        let reuses = settings.reuse.isOn && model.precision == .int8
        let prepared = FramePlan(
            model: model, size: size, tokens: prompt.tokens, pool: pool, anchorSlots: settings.anchor.slots,
            reuses: reuses, transform: transform)
        prepared.set(prompt, settings, model: model)
        reuse = FrameReuse(
            plan: prepared.plan, settings: settings.reuse, width: prepared.paddedWidth, height: prepared.paddedHeight,
            pool: pool)
        frame = prepared
        operations = prepared.plan.operations
        coherence = FrameCoherence(settings, frame: prepared, pool: pool)
        stageNames = ["pre-process"] + prepared.plan.stages.map(\.name) + ["compose"]
        stageMilliseconds = Array(repeating: 0, count: stageNames.count)
    }

    /// Changes the guidance scales from the next frame on: only what depends on nothing but prompt and guidance is computed
    /// again. Throws for a scale outside the model's range; then nothing changes.
    public func setGuidance(_ guidanceScale: Double?, image imageGuidanceScale: Double?) throws(EditError) {
        var changed = settings
        changed.guidanceScale = guidanceScale
        changed.imageGuidanceScale = imageGuidanceScale
        guard changed != settings else { return }
        try changed.check(against: model.guidance)
        settings = changed
        frame?.setGuidance(settings, model: model)
        frame?.plan.prepare()
        coherence?.editHasChanged()
    }

    /// The next frame has nothing to do with those before: another place of the video, or the first after a trial.
    public func forgetFrames() { coherence?.forget() }

    /// Changes how much of the flicker is taken out, 0...1, from the next frame on.
    public func setStability(_ stability: Double) {
        settings.stability = stability > 0 ? min(stability, 1) : 0
        if let coherence {
            coherence.stabilizer.strength = Float(settings.stability)
        } else if let frame {
            coherence = FrameCoherence(settings, frame: frame, pool: pool)
        }
    }

    /// Whether the session waits for `setAnchor`.
    public var wantsMiddleFrame: Bool { settings.anchor == .middle }

    /// Makes a frame of the prepared size the anchor: all frames from now on attend to it. Does nothing unless the settings
    /// ask for the middle frame. To be called again after a change of guidance, for which its keys and values were made.
    public func setAnchor(_ input: FrameView) throws {
        guard wantsMiddleFrame else { return }
        let frame = try checked(input.size)
        pool.begin()
        defer { pool.end() }
        frame.load(input)
        frame.plan.anchors[0] = 0
        frame.plan.anchors.keeping = 0
        frame.plan.run()
        frame.plan.anchors.keeping = nil
        frame.plan.anchors[0] = 1
        reuse?.forget()
    }

    private func checked(_ size: FrameSize) throws -> FramePlan {
        guard let frame, frame.size == size else {
            throw EditError("a frame of \(size) came before the session was prepared for this size")
        }
        return frame
    }

    /// Edits one frame of the prepared size.
    public func edit(_ input: FrameView, into output: MutableFrameView) throws {
        let frame = try checked(input.size)
        _ = try checked(output.size)
        pool.begin()  // unless the caller has: a frame's steps stay together
        defer { pool.end() }
        stageStart = .now
        frame.load(input)
        if let coherence { coherence.begin(at: frameTime ?? (ContinuousClock.now - start) / .seconds(1)) }
        frameTime = nil
        // What was computed while the frame attended to other anchors does not fit what is computed now.
        let isPartial = reuse?.begin(mayReuse: mayReuse && coherence?.hasChangedAnchors != true) ?? false
        lap(0)
        for index in frame.plan.stages.indices {
            frame.plan.run(frame.plan.stages[index], isPartial: isPartial)
            lap(index + 1)
        }
        let shown = reuse?.end() ?? nil
        frame.store(to: output, alphaFrom: input, instead: coherence?.end(shown) ?? shown)
        lap(stageMilliseconds.count - 1)
    }

    /// Notes how long a stage took; the next begins.
    private func lap(_ index: Int) {
        let now = ContinuousClock.now
        stageMilliseconds[index] = (now - stageStart) / .milliseconds(1)
        stageStart = now
    }
}
