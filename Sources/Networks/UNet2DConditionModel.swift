import Compute
import Tensors

/// The denoiser: diffusers' UNet2DConditionModel, with the embeddings of the two guidance scales that MoViE adds.
///
/// The way down leaves skips, the middle works at the lowest resolution, the way up consumes the skips last first.
/// Keys beside each property; the paper's additions are `guidance_embedding` and `image_guidance_embedding`.
public struct UNet2DConditionModel {
    /// The configuration it was made from.
    public let configuration: UNetConfiguration

    private let convIn: ConvolutionWeights  // conv_in
    private let timeEmbedding: TimestepEmbedding  // time_embedding
    private let classEmbedding: TimestepEmbedding?  // class_embedding
    private let textEmbedding: TextTimeEmbedding?  // add_embedding
    private let guidanceEmbedding: TimestepEmbedding?  // guidance_embedding
    private let imageGuidanceEmbedding: TimestepEmbedding?  // image_guidance_embedding
    private let textProjection: ConvolutionWeights?  // encoder_hid_proj
    private let downBlocks: [DownBlock]  // down_blocks.N
    private let midBlock: MidBlock?  // mid_block
    private let upBlocks: [UpBlock]  // up_blocks.N
    private let normOut: NormalizationWeights  // conv_norm_out
    private let convOut: ConvolutionWeights  // conv_out

    /// What the network is given; shapes [batch, height, width, channels], numbers [batch, 1, 1, 1].
    public struct Inputs {
        /// Noisy latents, and behind them the image's latents.
        public var sample: Value
        /// 0 to the number of training timesteps.
        public var timestep: Value
        /// The prompt, [batch, 1, length, crossAttentionDim].
        public var encoderHiddenStates: Value
        /// s_T of the paper; needed by guided models alone.
        public var guidanceScale: Value?
        /// s_I of the paper; needed by guided models alone.
        public var imageGuidanceScale: Value?
        /// [batch, 1, 1, width]; needed by models with class embeddings alone.
        public var classLabels: Value?

        /// Inputs of a UNet.
        public init(
            sample: Value, timestep: Value, encoderHiddenStates: Value, guidanceScale: Value? = nil,
            imageGuidanceScale: Value? = nil, classLabels: Value? = nil
        ) {
            self.sample = sample
            self.timestep = timestep
            self.encoderHiddenStates = encoderHiddenStates
            self.guidanceScale = guidanceScale
            self.imageGuidanceScale = imageGuidanceScale
            self.classLabels = classLabels
        }
    }

    /// Loads and packs the weights. Throws for a missing tensor or one of another shape.
    public init(_ configuration: UNetConfiguration, weights store: TensorStore) throws(TensorError) {
        let scope = WeightScope(store, part: "unet"), c = configuration
        self.configuration = c
        convIn = try scope["conv_in"].convolution(c.inChannels, c.channels[0])
        normOut = try scope["conv_norm_out"].normalization(c.channels[0])
        convOut = try scope["conv_out"].convolution(c.channels[0], c.outChannels)
        timeEmbedding = try TimestepEmbedding(
            scope["time_embedding"], inputs: c.channels[0], outputs: c.timeEmbedDim, activation: c.activation,
            after: c.timePostActivation ?? .identity)
        classEmbedding = try c.loadClassEmbedding(scope["class_embedding"])
        textEmbedding = try c.pooledTextHeads.map { heads throws(TensorError) in
            try TextTimeEmbedding(
                scope["add_embedding"], textWidth: c.textProjectionDim ?? c.crossAttentionDim, outputs: c.timeEmbedDim,
                heads: heads)
        }
        guidanceEmbedding = try c.loadGuidanceEmbedding(scope["guidance_embedding"])
        imageGuidanceEmbedding = try c.loadGuidanceEmbedding(scope["image_guidance_embedding"])
        textProjection = try c.textProjectionDim.map { width throws(TensorError) in
            try scope["encoder_hid_proj"].linear(width, c.crossAttentionDim)
        }
        downBlocks = try c.loadDownBlocks(scope["down_blocks"])
        midBlock = try c.loadMidBlock(scope["mid_block"])
        upBlocks = try c.loadUpBlocks(scope["up_blocks"])
    }

    /// Records the network's steps.
    ///
    /// - Returns: `prediction` [batch, height, width, outChannels], and `conditioning`, the sum of all embeddings
    ///   [batch, 1, 1, timeEmbedDim], by which a conditioned decoder is modulated.
    public func callAsFunction(_ graph: Graph, _ inputs: Inputs) -> (prediction: Value, conditioning: Value) {
        let conditioning = embed(graph, inputs)
        let embedding = configuration.timeEmbedActivation.map { graph.activate(conditioning, $0) } ?? conditioning
        let prompt = textProjection.map { graph.linear(inputs.encoderHiddenStates, $0) } ?? inputs.encoderHiddenStates
        let sample = configuration.centersInput ? graph.affine(inputs.sample, scale: 2, shift: -1) : inputs.sample

        var skips = [graph.convolution(sample, convIn)]
        var h = skips[0]
        for block in downBlocks {
            let outputs = block(graph, h, embedding: embedding, prompt: prompt)
            skips += outputs
            h = outputs.last ?? h
        }
        if let midBlock { h = midBlock(graph, h, embedding: embedding, prompt: prompt) }
        for block in upBlocks { h = block(graph, h, skips: &skips, embedding: embedding, prompt: prompt) }

        let c = configuration
        h = graph.groupNorm(h, normOut, groups: c.groups, eps: c.eps, activation: c.activation)
        return (graph.convolution(h, convOut), conditioning)
    }

    /// The sum of the embeddings of timestep, class, pooled prompt and guidance scales.
    private func embed(_ graph: Graph, _ inputs: Inputs) -> Value {
        let c = configuration
        func sinusoid(_ x: Value) -> Value {
            graph.sinusoid(
                x, channels: c.channels[0], flipSinToCos: c.flipSinToCos, frequencyShift: c.frequencyShift)
        }
        func guidance(_ x: Value) -> Value {
            graph.sinusoid(x, channels: c.guidanceDim, flipSinToCos: true, frequencyShift: 0, scale: c.guidanceScale)
        }
        var sum = timeEmbedding(graph, sinusoid(inputs.timestep))
        if let classEmbedding, let labels = inputs.classLabels {
            sum = graph.add(sum, classEmbedding(graph, c.classEmbedding == .timestep ? sinusoid(labels) : labels))
        }
        if let textEmbedding { sum = graph.add(sum, textEmbedding(graph, inputs.encoderHiddenStates)) }
        if let guidanceEmbedding, let scale = inputs.guidanceScale {
            sum = graph.add(sum, guidanceEmbedding(graph, guidance(scale)))
        }
        if let imageGuidanceEmbedding, let scale = inputs.imageGuidanceScale {
            sum = graph.add(sum, imageGuidanceEmbedding(graph, guidance(scale)))
        }
        return sum
    }
}

/// How the configuration's lists become blocks.
extension UNetConfiguration {
    private var resnetSettings: ResnetBlock2D.Settings {
        .init(groups: groups, eps: eps, activation: activation, scaleShift: scaleShift)
    }

    private func transformerSettings(level: Int, layers: Int, onlyCrossAttention: Bool) -> Transformer2DModel.Settings {
        .init(
            context: crossAttentionDim, heads: heads[level], layers: layers, groups: groups,
            usesLinearProjection: usesLinearProjection, onlyCrossAttention: onlyCrossAttention)
    }

    func loadClassEmbedding(_ scope: WeightScope) throws(TensorError) -> TimestepEmbedding? {
        switch classEmbedding {
        case .none: nil
        case .timestep:
            try TimestepEmbedding(scope, inputs: channels[0], outputs: timeEmbedDim, activation: activation)
        case .projection(let width): try TimestepEmbedding(scope, inputs: width, outputs: timeEmbedDim)
        }
    }

    func loadGuidanceEmbedding(_ scope: WeightScope) throws(TensorError) -> TimestepEmbedding? {
        guard hasGuidanceEmbedding else { return nil }
        return try TimestepEmbedding(scope, inputs: guidanceDim, outputs: timeEmbedDim)
    }

    func loadDownBlocks(_ scope: WeightScope) throws(TensorError) -> [DownBlock] {
        var blocks: [DownBlock] = []
        for level in 0..<levels {
            let outputs = channels[level]
            let inputs =
                [level == 0 ? channels[0] : channels[level - 1]] + Array(repeating: outputs, count: layers[level] - 1)
            let transformer =
                downTypes[level] == .crossAttentionDown
                ? transformerSettings(
                    level: level, layers: transformerLayers[level], onlyCrossAttention: onlyCrossAttention[level]) : nil
            let layers = try UNetLayers(
                scope[level], inputs: inputs, outputs: outputs, embedding: timeEmbedDim, resnet: resnetSettings,
                transformer: transformer)
            blocks.append(
                try DownBlock(
                    scope[level], layers: layers, channels: outputs, hasDownsampler: level < levels - 1,
                    padding: downsamplePadding))
        }
        return blocks
    }

    func loadMidBlock(_ scope: WeightScope) throws(TensorError) -> MidBlock? {
        guard midType != .none else { return nil }
        var resnet = resnetSettings
        resnet.outputScale = midScale
        let transformer =
            midType == .crossAttention
            ? transformerSettings(
                level: levels - 1, layers: transformerLayers[levels - 1], onlyCrossAttention: false) : nil
        return try MidBlock(
            scope, channels: channels[levels - 1], embedding: timeEmbedDim, resnet: resnet, transformer: transformer)
    }

    func loadUpBlocks(_ scope: WeightScope) throws(TensorError) -> [UpBlock] {
        var blocks: [UpBlock] = []
        for index in 0..<levels {
            let level = levels - 1 - index  // of the way down, from the lowest
            let outputs = channels[level], count = layers[level] + 1
            let below = channels[min(level + 1, levels - 1)], above = channels[max(level - 1, 0)]
            let inputs = (0..<count).map { layer in
                (layer == 0 ? below : outputs) + (layer == count - 1 ? above : outputs)
            }
            let transformer =
                upTypes[index] == .crossAttentionUp
                ? transformerSettings(
                    level: level, layers: upTransformerLayers[index], onlyCrossAttention: onlyCrossAttention[level])
                : nil
            let layers = try UNetLayers(
                scope[index], inputs: inputs, outputs: outputs, embedding: timeEmbedDim, resnet: resnetSettings,
                transformer: transformer)
            blocks.append(
                try UpBlock(scope[index], layers: layers, channels: outputs, hasUpsampler: index < levels - 1))
        }
        return blocks
    }
}
