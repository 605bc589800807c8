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

    private let model: EditingModel
    private let settings: EditSettings
    private let pool: WorkerPool
    private let promptStates: [Float]
    private let emptyPromptStates: [Float]
    private let tokens: Int
    private var frame: PreparedFrame?

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
        guard size.width >= 64, size.height >= 64, size.width % 2 == 0, size.height % 2 == 0 else {
            throw EditError("the frame size is \(size); width and height must be even and at least 64")
        }
        if frame?.size == size { return }
        let prepared = PreparedFrame(model: model, size: size, tokens: tokens, pool: pool)
        prepared.fill("encoder_hidden_states", promptStates)
        prepared.fill("unconditional_hidden_states", emptyPromptStates)
        prepared.fill("guidance_scale", [Float(settings.guidanceScale ?? model.guidance.defaultGuidanceScale)])
        prepared.fill(
            "image_guidance_scale", [Float(settings.imageGuidanceScale ?? model.guidance.defaultImageGuidanceScale)])
        prepared.fill("timestep", [Float(model.schedule.evaluationTimestep)])
        var noise = Noise(seed: settings.seed)
        noise.fill(prepared.plan.input("noise"))
        prepared.plan.prepare()
        frame = prepared
        stageNames = ["pre-process"] + prepared.plan.stages.map(\.name) + ["compose"]
        stageMilliseconds = Array(repeating: 0, count: stageNames.count)
    }

    /// Edits one frame of the prepared size.
    public func edit(_ input: FrameView, into output: MutableFrameView) throws {
        guard let frame, frame.size == input.size, frame.size == output.size else {
            throw EditError("a frame of \(input.size) came before the session was prepared for this size")
        }
        let clock = ContinuousClock()
        var last = clock.now
        func lap(_ index: Int) {
            let now = clock.now
            stageMilliseconds[index] = (now - last) / .milliseconds(1)
            last = now
        }
        frame.load(input)
        lap(0)
        for (index, stage) in frame.plan.stages.enumerated() {
            frame.plan.run(stage)
            lap(index + 1)
        }
        frame.store(to: output)
        lap(stageMilliseconds.count - 1)
    }
}

/// The plan for one frame size, with the pixels' way in and out.
private final class PreparedFrame {
    let size: FrameSize
    let plan: Plan
    private let paddedWidth: Int
    private let paddedHeight: Int
    private let pool: WorkerPool

    init(model: EditingModel, size: FrameSize, tokens: Int, pool: WorkerPool) {
        self.size = size
        self.pool = pool
        paddedWidth = (size.width + model.factor - 1) / model.factor * model.factor
        paddedHeight = (size.height + model.factor - 1) / model.factor * model.factor
        plan = Plan(model.frameGraph(height: paddedHeight, width: paddedWidth, tokens: tokens), pool: pool)
    }

    /// Writes a static input; does nothing where the model has none of this name.
    func fill(_ name: String, _ values: [Float]) { _ = plan.input(name).update(from: values) }

    /// 8-bit rows to floats in -1...1; the last column and row fill the padding.
    func load(_ view: FrameView) {
        guard let pixels = plan.input("pixels").baseAddress else { return }
        let width = size.width * 3, padded = paddedWidth * 3, height = size.height
        pool.parallelFor(paddedHeight) { row, _ in
            let target = pixels + row * padded
            let source = view.base + min(row, height - 1) * view.stride
            movie_pixels_to_f32(target, source.assumingMemoryBound(to: UInt8.self), width)
            for index in width..<max(width, padded) { target[index] = target[index - 3] }
        }
    }

    /// Floats to 8-bit rows, without the padding.
    func store(to view: MutableFrameView) {
        guard let pixels = plan.output("edited").baseAddress else { return }
        let width = size.width * 3, padded = paddedWidth * 3
        pool.parallelFor(size.height) { row, _ in
            let target = view.base + row * view.stride
            movie_pixels_from_f32(target.assumingMemoryBound(to: UInt8.self), pixels + row * padded, width)
        }
    }
}
