import Compute
import Frames
import Networks

/// Edits frames one by one with an editing model: the heart of the daemon, the command line and the element.
///
/// Create once a stream; `prepare` fixes the size, `edit` then neither allocates nor blocks. One frame at a time.
public final class EditSession: ReusingEditor {
    /// Sentences for the person at the keyboard, such as a prompt cut short.
    public private(set) var warnings: [String] = []
    /// Milliseconds of each stage of the last frame, in `stageNames`' order.
    public private(set) var stageMilliseconds: [Double] = []
    /// Names of the stages, once prepared.
    public private(set) var stageNames: [String] = []

    /// Widths and heights that can be edited, in pixels.
    private static let sides = 64...16384

    private let model: EditingModel
    private var settings: EditSettings
    private let pool: WorkerPool
    private let prompt: EncodedPrompt
    private let transform: (Graph) -> Graph
    /// What `edit` runs, once prepared.
    public private(set) var frame: FramePlan?
    private var reuse: FrameReuse?
    private var stageStart = ContinuousClock.now

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
    public var operations: Int { frame?.plan.operations ?? 0 }
    /// Bytes of activations, once prepared.
    public var memory: Int { frame?.plan.memory ?? 0 }

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
            model: model, size: size, tokens: prompt.tokens, pool: pool, reuses: reuses, transform: transform)
        prepared.set(prompt, settings, model: model)
        reuse = FrameReuse(
            plan: prepared.plan, settings: settings.reuse, width: prepared.paddedWidth, height: prepared.paddedHeight,
            pool: pool)
        frame = prepared
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
    }

    /// Edits one frame of the prepared size.
    public func edit(_ input: FrameView, into output: MutableFrameView) throws {
        guard let frame, frame.size == input.size, frame.size == output.size else {
            throw EditError("a frame of \(input.size) came before the session was prepared for this size")
        }
        pool.begin()  // unless the caller has: a frame's steps stay together
        defer { pool.end() }
        stageStart = .now
        frame.load(input)
        let isPartial = reuse?.begin(mayReuse: mayReuse) ?? false
        lap(0)
        for index in frame.plan.stages.indices {
            frame.plan.run(frame.plan.stages[index], isPartial: isPartial)
            lap(index + 1)
        }
        let shown = reuse?.end() ?? nil
        frame.store(to: output, alphaFrom: input, instead: shown)
        lap(stageMilliseconds.count - 1)
    }

    /// Notes how long a stage took; the next begins.
    private func lap(_ index: Int) {
        let now = ContinuousClock.now
        stageMilliseconds[index] = (now - stageStart) / .milliseconds(1)
        stageStart = now
    }
}
