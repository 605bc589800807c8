import Compute
import Tensors

/// All networks of an editing model, loaded and packed once, shared by sessions.
public final class EditingModel: @unchecked Sendable {
    /// Where it came from.
    public let folder: ModelFolder
    /// The noise schedule.
    public let schedule: NoiseSchedule
    /// What the interface allows.
    public let guidance: GuidanceRanges
    /// Whether live video is better with a rolling anchor, where nothing else is asked for.
    public let prefersRollingAnchor: Bool
    /// Pixels a latent spans, each way: frames are padded to a multiple.
    public let factor: Int
    /// Channels of the latents.
    public let latentChannels: Int

    private let unet: UNet2DConditionModel
    private let encoder: TinyEncoder
    private let decoder: TinyDecoder
    private let autoencoder: AutoencoderConfiguration
    private let textEncoder: CLIPTextModel
    private let tokenizer: CLIPTokenizer

    /// What its networks compute with.
    public let precision: Precision
    private let quantization: Quantization?

    /// Loads every part.
    ///
    /// - Parameter precision: nil computes on integers where the folder was quantized, else on floats.
    /// - Throws: for a missing part or tensor, for parts that do not fit each other, and for integers asked of a folder
    ///   that was not quantized.
    public init(_ folder: ModelFolder, precision: Precision? = nil) throws {
        self.folder = folder
        tokenizer = try folder.tokenizer()
        textEncoder = try folder.textEncoder()
        schedule = try folder.schedule()
        autoencoder = try folder.autoencoderConfiguration()
        encoder = try folder.encoder()
        decoder = try folder.decoder()
        unet = try folder.unet()
        factor = autoencoder.factor
        latentChannels = autoencoder.latentChannels
        guidance = try folder.guidanceRanges()
        prefersRollingAnchor = try folder.prefersRollingAnchor()
        quantization = try folder.quantization(for: precision)
        self.precision = quantization == nil ? .float : .int8
        try checkFit()
    }

    private func checkFit() throws(ModelError) {
        let c = unet.configuration
        guard c.inChannels == 2 * latentChannels, c.outChannels == latentChannels else {
            throw ModelError(
                "\(folder.path): the UNet takes \(c.inChannels) channels and gives \(c.outChannels); an editing model with "
                    + "\(latentChannels) latent channels takes \(2 * latentChannels) (noise and image) and gives \(latentChannels)"
            )
        }
        let width = c.textProjectionDim ?? c.crossAttentionDim
        guard textEncoder.configuration.hiddenSize == width else {
            throw ModelError(
                "\(folder.path): the text encoder's hidden_size is \(textEncoder.configuration.hiddenSize), "
                    + "the UNet expects \(width)")
        }
        guard autoencoder.decoderFactor == factor else {
            throw ModelError(
                "\(folder.path): the encoder makes pictures \(factor) times smaller, the decoder "
                    + "\(autoencoder.decoderFactor) times larger; both must be the same")
        }
        try checkTokens()
        if let wanted = autoencoder.conditioningDim, wanted != c.timeEmbedDim {
            throw ModelError(
                "\(folder.path): the decoder's conditioning_dim is \(wanted), the UNet's embeddings have \(c.timeEmbedDim)"
            )
        }
    }

    /// The tokenizer's ids must have rows in the text encoder's tables.
    private func checkTokens() throws(ModelError) {
        let c = textEncoder.configuration
        guard tokenizer.maximumLength <= c.maxPositions else {
            throw ModelError(
                "\(folder.path): the tokenizer's model_max_length is \(tokenizer.maximumLength), the text encoder takes "
                    + "at most \(c.maxPositions) (max_position_embeddings)")
        }
        guard tokenizer.vocabularySize <= c.vocabularySize else {
            throw ModelError(
                "\(folder.path): the tokenizer has ids up to \(tokenizer.vocabularySize - 1), the text encoder takes "
                    + "them up to \(c.vocabularySize - 1) (vocab_size)")
        }
    }

    /// The prompt as hidden states [1, 1, length, width], row-major, and how many tokens were cut off.
    public func encode(prompt: String, pool: WorkerPool) -> (states: [Float], truncatedTokens: Int) {
        let encoding = tokenizer.encode(prompt)
        let ids = encoding.ids.map(Float.init)
        let graph = Graph()
        let (states, _) = textEncoder(graph, graph.input("input_ids", Shape(1, 1, ids.count, 1)))
        graph.output("states", states)
        let plan = Plan(graph, pool: pool)
        _ = plan.input("input_ids").update(from: ids)
        plan.run()
        return (Array(plan.output("states")), encoding.truncatedTokens)
    }

    /// Length of hidden states that `encode` made.
    public func tokens(of states: [Float]) -> Int { states.count / textEncoder.configuration.hiddenSize }

    /// The steps that edit one frame (MoViE, section 3): encode, one UNet evaluation, decode.
    ///
    /// x_T is fixed noise, z_I = E(frame), x_0 = one step from UNet([x_T; z_I], prompt, s_I, s_T, t), edited = D(x_0).
    /// Inputs: `pixels` [1, height, width, 3], 8 bits, and static `noise` [1, h, w, latentChannels],
    /// `encoder_hidden_states`, `guidance_scale`, `image_guidance_scale`, `timestep`. Output: `edited`, like `pixels`.
    ///
    /// - Parameters:
    ///   - height, width: multiples of `factor`.
    ///   - tokens: length of the prompt's hidden states.
    ///   - anchorSlots: anchor frames that the denoiser may attend to.
    ///   - pixelsAreFloats: whether `pixels` and `edited` are floats in -1...1 instead of 8 bits.
    public func frameGraph(
        height: Int, width: Int, tokens: Int, anchorSlots: Int = 0, pixelsAreFloats: Bool = false
    ) -> Graph {
        let graph = Graph(), c = unet.configuration
        graph.anchorSlots = anchorSlots
        let latentShape = Shape(1, height / factor, width / factor, latentChannels)
        graph.beginStage("encode")
        let frame = Shape(1, height, width, 3)
        let pixels = pixelsAreFloats ? graph.input("pixels", frame) : graph.pixelInput("pixels", frame)
        let noise = graph.input("noise", latentShape, isStatic: true)
        let number = Shape(1, 1, 1, 1)
        let inputs = UNet2DConditionModel.Inputs(
            sample: noise, timestep: graph.input("timestep", number, isStatic: true),
            encoderHiddenStates: graph.input(
                "encoder_hidden_states", Shape(1, 1, tokens, c.textProjectionDim ?? c.crossAttentionDim), isStatic: true
            ),
            guidanceScale: graph.input("guidance_scale", number, isStatic: true),
            imageGuidanceScale: graph.input("image_guidance_scale", number, isStatic: true))

        let (latents, features) = encoder(graph, pixels)
        let scale = autoencoder.imageLatentsScale
        let image = scale == 1 ? latents : graph.affine(latents, scale: 1 / scale)
        graph.beginStage("denoise")
        let (prediction, conditioning) =
            c.hasGuidanceEmbedding ? onePass(graph, inputs, image) : threePasses(graph, inputs, image)
        let step = schedule.oneStep(at: schedule.evaluationTimestep)
        let denoised = graph.mix(noise, step.sample, prediction, step.prediction)
        graph.beginStage("decode")
        let edited = decoder(graph, denoised, features: features, conditioning: conditioning)
        if pixelsAreFloats { graph.output("edited", edited) } else { graph.pixelOutput("edited", edited) }
        return quantization.map { graph.quantized($0) } ?? graph
    }

    /// A guided model: both scales are inputs of the network.
    private func onePass(
        _ graph: Graph, _ inputs: UNet2DConditionModel.Inputs, _ image: Value
    ) -> (Value, Value) {
        var inputs = inputs
        inputs.sample = graph.concatenate([inputs.sample, image])
        return unet(graph, inputs)
    }

    /// A base model: three passes in one batch, combined by equation 1 of the paper. The empty prompt's states are an
    /// input of their own, `unconditional_hidden_states`.
    private func threePasses(
        _ graph: Graph, _ inputs: UNet2DConditionModel.Inputs, _ image: Value
    ) -> (Value, Value) {
        let none = graph.input("unconditional_hidden_states", inputs.encoderHiddenStates.shape, isStatic: true)
        let images = graph.stack([graph.zeros(image.shape), image, image])
        var batch = inputs
        batch.sample = graph.concatenate([graph.repeated(inputs.sample, 3), images])
        batch.timestep = graph.repeated(inputs.timestep, 3)
        batch.encoderHiddenStates = graph.stack([none, none, inputs.encoderHiddenStates])
        let (passes, conditioning) = unet(graph, batch)
        guard let textScale = inputs.guidanceScale, let imageScale = inputs.imageGuidanceScale else {
            return (passes, conditioning)
        }
        // A conditioned decoder takes the embeddings of the pass that knows the prompt: the last.
        let width = conditioning.shape.channels
        let own = graph.slice(graph.reshape(conditioning, Shape(1, 1, 1, 3 * width)), 2 * width..<3 * width)
        return (graph.guide(passes, imageScale: imageScale, textScale: textScale), own)
    }

    /// Whether a frame's graph needs the empty prompt's hidden states.
    public var needsUnconditionalPrompt: Bool { !unet.configuration.hasGuidanceEmbedding }
}
