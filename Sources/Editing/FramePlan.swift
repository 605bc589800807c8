import Compute
import Frames
import Networks

/// The networks planned for one frame size, with the pixels' way in and out.
public final class FramePlan {
    /// Size of the frames.
    public let size: FrameSize
    /// What is run.
    public let plan: Plan
    /// Smaller frames are padded to this: networks that halve a picture several times need something to halve.
    private static let smallestSide = 64

    /// Size of the networks' pictures: the frames' with padding.
    let paddedWidth: Int
    let paddedHeight: Int
    /// Rows to be stored in place of the plan's output.
    private var shown: UnsafePointer<UInt8>?
    private let pool: WorkerPool
    private var source: FrameView?
    private var target: MutableFrameView?

    /// Plans `model` for frames of `size`.
    ///
    /// - Parameters:
    ///   - tokens: length of the prompt's hidden states.
    ///   - anchorSlots: anchor frames that the denoiser may attend to.
    ///   - reuses: whether the plan can be run partially.
    ///   - transform: makes another graph of the model's, for calibration.
    public init(
        model: EditingModel, size: FrameSize, tokens: Int, pool: WorkerPool, anchorSlots: Int = 0, reuses: Bool = false,
        transform: (Graph) -> Graph = { $0 }
    ) {
        self.size = size
        self.pool = pool
        paddedWidth = (max(size.width, Self.smallestSide) + model.factor - 1) / model.factor * model.factor
        paddedHeight = (max(size.height, Self.smallestSide) + model.factor - 1) / model.factor * model.factor
        let graph = model.frameGraph(
            height: paddedHeight, width: paddedWidth, tokens: tokens, anchorSlots: anchorSlots)
        plan = Plan(transform(graph), pool: pool, partialFor: reuses ? "pixels" : nil)
    }

    /// Sets prompt, guidance and noise, and computes all that depends on them alone.
    func set(_ prompt: EncodedPrompt, _ settings: EditSettings, model: EditingModel) {
        fill("encoder_hidden_states", prompt.states)
        fill("unconditional_hidden_states", prompt.emptyStates)
        setGuidance(settings, model: model)
        fill("timestep", [Float(model.schedule.evaluationTimestep)])
        var noise = Noise(seed: settings.seed)
        noise.fill(plan.input("noise"))
        plan.prepare()
    }

    /// Sets guidance; counts after `plan.prepare`.
    func setGuidance(_ settings: EditSettings, model: EditingModel) {
        fill("guidance_scale", [Float(settings.guidanceScale ?? model.guidance.defaultGuidanceScale)])
        fill("image_guidance_scale", [Float(settings.imageGuidanceScale ?? model.guidance.defaultImageGuidanceScale)])
    }

    /// Writes a static input; does nothing where the model has none of this name.
    private func fill(_ name: String, _ values: [Float]) { _ = plan.input(name).update(from: values) }

    /// Rows of the frame to the network's pixels; the last column and row fill the padding.
    func load(_ view: FrameView) {
        source = view
        pool.parallelFor(paddedHeight, loadRow)
        source = nil
    }

    /// The network's pixels to rows of a frame, without the padding; two at a time, which may share chroma. Alpha is the
    /// input's.
    ///
    /// - Parameter shown: pixels to store instead, as the network's lie.
    func store(to view: MutableFrameView, alphaFrom input: FrameView, instead shown: UnsafePointer<UInt8>? = nil) {
        source = input
        target = view
        self.shown = shown
        pool.parallelFor((size.height + 1) / 2, storeRows)
        source = nil
        target = nil
        self.shown = nil
    }

    // Made once, since making a closure allocates; they find the frame of the moment in `source` and `target`.

    private lazy var loadRow: WorkerPool.Body = { [unowned self, pixels = plan.pixels(ofInput: "pixels")] row, _ in
        guard let source, let pixels = pixels.baseAddress else { return }
        let width = size.width * 3, padded = paddedWidth * 3
        let bytes = pixels + row * padded, line = min(row, size.height - 1)
        source.readRGB(rows: line..<line + 1, into: bytes, stride: padded)
        for index in width..<max(width, padded) { bytes[index] = bytes[index - 3] }
    }

    private lazy var storeRows: WorkerPool.Body = { [unowned self, pixels = plan.pixels(ofOutput: "edited")] pair, _ in
        guard let target, let pixels = shown ?? pixels.baseAddress else { return }
        let rows = 2 * pair..<min(2 * pair + 2, size.height), stride = paddedWidth * 3
        target.writeRGB(rows: rows, from: pixels + rows.lowerBound * stride, stride: stride, alphaFrom: source)
    }
}

/// A prompt as the denoiser takes it.
struct EncodedPrompt {
    /// Hidden states, [1, 1, length, width] row-major.
    let states: [Float]
    /// Those of the empty prompt, for models that need them; otherwise empty.
    let emptyStates: [Float]
    /// Length of the states.
    let tokens: Int
    /// Tokens that did not fit.
    let truncatedTokens: Int

    init(_ prompt: String, model: EditingModel, pool: WorkerPool) {
        (states, truncatedTokens) = model.encode(prompt: prompt, pool: pool)
        emptyStates = model.needsUnconditionalPrompt ? model.encode(prompt: "", pool: pool).states : []
        tokens = model.tokens(of: states)
    }
}
