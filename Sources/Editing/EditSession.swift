import CKernels
import Compute
import Frames
import Networks

/// Edits frames one by one with an editing model: the heart of the daemon, the command line and the element.
///
/// Create once a stream; `prepare` fixes the size, `edit` then neither allocates nor blocks. One frame at a time.
public final class EditSession: FrameEditor {
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
    private let promptStates: [Float]
    private let emptyPromptStates: [Float]
    private let tokens: Int
    private var frame: PreparedFrame?
    private var stageStart = ContinuousClock.now

    /// Encodes the prompt. Throws for an empty prompt or a guidance scale outside the model's range.
    public init(model: EditingModel, settings: EditSettings, pool: WorkerPool) throws(EditError) {
        try settings.check(against: model.guidance)
        self.model = model
        self.settings = settings
        self.pool = pool
        let (states, cut) = model.encode(prompt: settings.prompt, pool: pool)
        promptStates = states
        emptyPromptStates = model.needsUnconditionalPrompt ? model.encode(prompt: "", pool: pool).states : []
        tokens = model.tokens(of: states)
        if cut > 0 {
            warnings.append("the prompt is too long for this model: its last \(cut) tokens are ignored")
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
        let prepared = PreparedFrame(model: model, size: size, tokens: tokens, pool: pool)
        prepared.fill("encoder_hidden_states", promptStates)
        prepared.fill("unconditional_hidden_states", emptyPromptStates)
        fillGuidance(prepared)
        prepared.fill("timestep", [Float(model.schedule.evaluationTimestep)])
        var noise = Noise(seed: settings.seed)
        noise.fill(prepared.plan.input("noise"))
        prepared.plan.prepare()
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
        guard let frame else { return }
        fillGuidance(frame)
        frame.plan.prepare()
    }

    private func fillGuidance(_ frame: PreparedFrame) {
        let defaults = model.guidance
        frame.fill("guidance_scale", [Float(settings.guidanceScale ?? defaults.defaultGuidanceScale)])
        frame.fill("image_guidance_scale", [Float(settings.imageGuidanceScale ?? defaults.defaultImageGuidanceScale)])
    }

    /// Edits one frame of the prepared size.
    public func edit(_ input: FrameView, into output: MutableFrameView) throws {
        guard let frame, frame.size == input.size, frame.size == output.size else {
            throw EditError("a frame of \(input.size) came before the session was prepared for this size")
        }
        stageStart = .now
        frame.load(input)
        lap(0)
        for index in frame.plan.stages.indices {
            frame.plan.run(frame.plan.stages[index])
            lap(index + 1)
        }
        frame.store(to: output, alphaFrom: input)
        lap(stageMilliseconds.count - 1)
    }

    /// Notes how long a stage took; the next begins.
    private func lap(_ index: Int) {
        let now = ContinuousClock.now
        stageMilliseconds[index] = (now - stageStart) / .milliseconds(1)
        stageStart = now
    }
}

/// The plan for one frame size, with the pixels' way in and out.
private final class PreparedFrame {
    let size: FrameSize
    let plan: Plan
    private let paddedWidth: Int
    private let paddedHeight: Int
    private let pool: WorkerPool
    private let scratch: RowScratch
    private var source: FrameView?
    private var target: MutableFrameView?

    init(model: EditingModel, size: FrameSize, tokens: Int, pool: WorkerPool) {
        self.size = size
        self.pool = pool
        scratch = RowScratch(width: size.width, workers: pool.width)
        paddedWidth = (size.width + model.factor - 1) / model.factor * model.factor
        paddedHeight = (size.height + model.factor - 1) / model.factor * model.factor
        plan = Plan(model.frameGraph(height: paddedHeight, width: paddedWidth, tokens: tokens), pool: pool)
    }

    /// Writes a static input; does nothing where the model has none of this name.
    func fill(_ name: String, _ values: [Float]) { _ = plan.input(name).update(from: values) }

    /// 8-bit rows to floats in -1...1; the last column and row fill the padding.
    func load(_ view: FrameView) {
        source = view
        pool.parallelFor(paddedHeight, loadRow)
        source = nil
    }

    /// Floats to 8-bit rows, without the padding; two at a time, which may share chroma.
    func store(to view: MutableFrameView, alphaFrom input: FrameView) {
        source = input
        target = view
        pool.parallelFor((size.height + 1) / 2, storeRows)
        source = nil
        target = nil
    }

    // Made once, since making a closure allocates; they find the frame of the moment in `source` and `target`.

    private lazy var loadRow: WorkerPool.Body = { [unowned self, pixels = plan.input("pixels")] row, worker in
        guard let source, let pixels = pixels.baseAddress else { return }
        let width = size.width * 3, padded = paddedWidth * 3
        let floats = pixels + row * padded, bytes = scratch.rows(of: worker)
        let line = min(row, size.height - 1)
        source.readRGB(rows: line..<line + 1, into: bytes, stride: scratch.stride)
        movie_pixels_to_f32(floats, bytes, width)
        for index in width..<max(width, padded) { floats[index] = floats[index - 3] }
    }

    private lazy var storeRows: WorkerPool.Body = { [unowned self, pixels = plan.output("edited")] pair, worker in
        guard let target, let pixels = pixels.baseAddress else { return }
        let rows = 2 * pair..<min(2 * pair + 2, size.height), bytes = scratch.rows(of: worker)
        for row in rows {
            movie_pixels_from_f32(
                bytes + (row - rows.lowerBound) * scratch.stride, pixels + row * paddedWidth * 3, size.width * 3)
        }
        target.writeRGB(rows: rows, from: bytes, stride: scratch.stride, alphaFrom: source)
    }
}
