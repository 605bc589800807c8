import Compute
import Tensors

/// The configuration of an AutoencoderTiny (`vae/config.json`), and nano's additions: patches of pixels, widths by level,
/// skips from encoder to decoder, a decoder modulated by the UNet's conditioning.
public struct AutoencoderConfiguration: Sendable {
    /// Channels of the latents.
    public let latentChannels: Int
    /// What image latents are divided by before the UNet: 0.18215 for an autoencoder in Stable Diffusion's scaled space.
    public let imageLatentsScale: Float
    /// Whether the decoder takes the encoder's features.
    public let hasSkips: Bool
    /// Width of the conditioning that the decoder takes; nil when it takes none.
    public let conditioningDim: Int?
    /// Pixels a latent spans, each way.
    public let factor: Int
    /// Pixels the decoder makes of a latent, each way.
    let decoderFactor: Int

    let patchSize: Int
    let encoderChannels: [Int]
    let encoderBlocks: [Int]
    let decoderChannels: [Int]
    let decoderBlocks: [Int]
    let activation: Activation
    let upsampling: Int

    /// Eight levels halve a picture 128 times over; sizes then stay small numbers.
    private static let mostLevels = 8

    /// Reads and checks the configuration. Throws with the key, the value seen and the values allowed.
    public init(_ file: Configuration) throws(ModelError) {
        try file.require("_class_name", oneOf: [.string("AutoencoderTiny"), .string("SkipAutoencoder")])
        try file.require("in_channels", oneOf: [.number(3)])
        try file.require("out_channels", oneOf: [.number(3)])
        try file.require("upsample_fn", oneOf: [.string("nearest")])
        latentChannels = try file.int("latent_channels", default: 4)
        imageLatentsScale = Float(try file.double("image_latents_scaling_factor", default: 0.18215, in: 1e-4...1e4))
        hasSkips = try file.bool("skip_connections", default: false)
        conditioningDim = file.has("conditioning_dim") ? try file.int("conditioning_dim") : nil
        patchSize = try file.int("patch_size", default: 1, in: 1...16)
        encoderChannels = try file.ints("encoder_block_out_channels", default: [64, 64, 64, 64])
        decoderChannels = try file.ints("decoder_block_out_channels", default: [64, 64, 64, 64])
        encoderBlocks = try file.ints("num_encoder_blocks", default: [1, 3, 3, 3], in: 0...64)
        decoderBlocks = try file.ints("num_decoder_blocks", default: [3, 3, 3, 1], in: 0...64)
        upsampling = try file.int("upsampling_scaling_factor", default: 2, in: 1...8)
        activation = try UNetConfiguration.activation(file, "act_fn") ?? .relu
        for (key, levels) in [
            ("encoder_block_out_channels", encoderChannels.count),
            ("decoder_block_out_channels", decoderChannels.count),
        ] where levels > Self.mostLevels {
            throw file.error(key, "a list of at most \(Self.mostLevels), one a level")
        }
        factor = patchSize << (encoderChannels.count - 1)
        decoderFactor = (1..<decoderChannels.count).reduce(patchSize) { [upsampling] product, _ in product * upsampling
        }
        guard encoderBlocks.count == encoderChannels.count else {
            throw file.error("num_encoder_blocks", "a list of \(encoderChannels.count), one a level")
        }
        guard decoderBlocks.count == decoderChannels.count else {
            throw file.error("num_decoder_blocks", "a list of \(decoderChannels.count), one a level")
        }
        guard !hasSkips || upsampling == 2 else {
            throw file.error("upsampling_scaling_factor", "2: skips join levels that the encoder halved")
        }
        guard !hasSkips || decoderChannels.count == encoderChannels.count else {
            throw file.error(
                "decoder_block_out_channels", "a list of \(encoderChannels.count): skips join equal levels")
        }
    }
}

/// Three 3x3 convolutions and a residual: AutoencoderTinyBlock, optionally modulated after the first convolution.
/// Keys: conv.0, conv.2, conv.4, skip (where the width changes), film (nano).
struct AutoencoderTinyBlock {
    private let convolutions: [ConvolutionWeights]
    private let skip: ConvolutionWeights?
    private let film: ConvolutionWeights?
    private let activation: Activation

    init(
        _ scope: WeightScope, inputs: Int, outputs: Int, activation: Activation, conditioning: Int?
    ) throws(TensorError) {
        convolutions = [
            try scope["conv"][0].convolution(inputs, outputs), try scope["conv"][2].convolution(outputs, outputs),
            try scope["conv"][4].convolution(outputs, outputs),
        ]
        skip = inputs == outputs ? nil : try scope["skip"].convolution(inputs, outputs, kernel: 1, bias: false)
        film = try conditioning.map { width throws(TensorError) in try scope["film"].linear(width, 2 * outputs) }
        self.activation = activation
    }

    /// `conditioning`: [batch, 1, 1, width], already activated; used by blocks with `film` alone.
    func callAsFunction(_ graph: Graph, _ x: Value, conditioning: Value? = nil) -> Value {
        var h: Value
        if let film, let conditioning {
            h = graph.modulate(
                graph.convolution(x, convolutions[0]), by: graph.linear(conditioning, film), activation: activation)
        } else {
            h = graph.convolution(x, convolutions[0], activation: activation)
        }
        h = graph.convolution(h, convolutions[1], activation: activation)
        let residual = skip.map { graph.convolution(x, $0) } ?? x
        return graph.convolution(h, convolutions[2], activation: .relu, residual: residual, activateLast: true)
    }
}

/// Pixels to latents: diffusers' EncoderTiny. Keys: encoder.layers.N, numbered through all levels.
public struct TinyEncoder {
    private let configuration: AutoencoderConfiguration
    private let entries: [ConvolutionWeights]
    private let blocks: [[AutoencoderTinyBlock]]
    private let output: ConvolutionWeights

    /// Loads and packs the weights. Throws for a missing tensor or one of another shape.
    public init(_ configuration: AutoencoderConfiguration, weights store: TensorStore) throws(TensorError) {
        let c = configuration, scope = WeightScope(store, part: "vae")["encoder"]["layers"]
        var layer = 0
        var entries: [ConvolutionWeights] = [], blocks: [[AutoencoderTinyBlock]] = []
        for (level, width) in c.encoderChannels.enumerated() {
            let inputs = level == 0 ? 3 * c.patchSize * c.patchSize : c.encoderChannels[level - 1]
            entries.append(try scope[layer].convolution(inputs, width, bias: level == 0))
            layer += 1
            var group: [AutoencoderTinyBlock] = []
            for _ in 0..<c.encoderBlocks[level] {
                group.append(
                    try AutoencoderTinyBlock(
                        scope[layer], inputs: width, outputs: width, activation: c.activation, conditioning: nil))
                layer += 1
            }
            blocks.append(group)
        }
        output = try scope[layer].convolution(c.encoderChannels[c.encoderChannels.count - 1], c.latentChannels)
        self.entries = entries
        self.blocks = blocks
        self.configuration = c
    }

    /// Records the encoder's steps.
    ///
    /// - Parameter pixels: [batch, height, width, 3] in -1...1; a multiple of `factor` each way.
    /// - Returns: latents [batch, height / factor, width / factor, latentChannels], and the skip features: the patches
    ///   first, then the levels, finest first.
    public func callAsFunction(_ graph: Graph, _ pixels: Value) -> (latents: Value, features: [Value]) {
        var h = graph.pixelUnshuffle(graph.affine(pixels, scale: 0.5, shift: 0.5), block: configuration.patchSize)
        var features = [h]
        for level in entries.indices {
            h = graph.convolution(h, entries[level], stride: level == 0 ? 1 : 2)
            for block in blocks[level] { h = block(graph, h) }
            features.append(h)
        }
        return (graph.convolution(h, output), features)
    }
}

/// Latents to pixels: diffusers' DecoderTiny. Keys: decoder.layers.N, numbered through all levels, activation and
/// upsampling included; nano adds decoder.skips.N and decoder.pixel_skip.
public struct TinyDecoder {
    private let configuration: AutoencoderConfiguration
    private let input: ConvolutionWeights
    private let blocks: [[AutoencoderTinyBlock]]
    private let exits: [ConvolutionWeights]
    private let skips: [ConvolutionWeights]
    private let pixelSkip: ConvolutionWeights?

    /// Loads and packs the weights. Throws for a missing tensor or one of another shape.
    public init(_ configuration: AutoencoderConfiguration, weights store: TensorStore) throws(TensorError) {
        let c = configuration, decoder = WeightScope(store, part: "vae")["decoder"], scope = decoder["layers"]
        input = try scope[0].convolution(c.latentChannels, c.decoderChannels[0])
        var layer = 2  // behind the first convolution and its activation
        var blocks: [[AutoencoderTinyBlock]] = [], exits: [ConvolutionWeights] = [], skips: [ConvolutionWeights] = []
        let patch = 3 * c.patchSize * c.patchSize
        for (level, width) in c.decoderChannels.enumerated() {
            var group: [AutoencoderTinyBlock] = []
            for _ in 0..<c.decoderBlocks[level] {
                group.append(
                    try AutoencoderTinyBlock(
                        scope[layer], inputs: width, outputs: width, activation: c.activation,
                        conditioning: c.conditioningDim))
                layer += 1
            }
            blocks.append(group)
            let isLast = level == c.decoderChannels.count - 1
            if !isLast { layer += 1 }
            exits.append(
                try scope[layer].convolution(width, isLast ? patch : c.decoderChannels[level + 1], bias: isLast))
            layer += 1
            if c.hasSkips {
                let from = c.encoderChannels[c.encoderChannels.count - 1 - level]
                skips.append(try decoder["skips"][level].convolution(from, width, kernel: 1))
            }
        }
        let finest = c.decoderChannels[c.decoderChannels.count - 1]
        pixelSkip = c.hasSkips ? try decoder["pixel_skip"].convolution(patch, finest, kernel: 1) : nil
        self.blocks = blocks
        self.exits = exits
        self.skips = skips
        self.configuration = c
    }

    /// Records the decoder's steps.
    ///
    /// - Parameters:
    ///   - latents: [batch, height / factor, width / factor, latentChannels].
    ///   - features: the encoder's, for a model with skips.
    ///   - conditioning: [batch, 1, 1, conditioningDim], for a conditioned decoder.
    /// - Returns: pixels [batch, height, width, 3], nominally in -1...1.
    public func callAsFunction(
        _ graph: Graph, _ latents: Value, features: [Value] = [], conditioning: Value? = nil
    ) -> Value {
        let active = conditioning.map { graph.activate($0, .silu) }
        var h = graph.affine(graph.activate(graph.affine(latents, scale: 1 / 3), .tanh), scale: 3)
        h = graph.convolution(h, input, activation: configuration.activation)
        for level in exits.indices {
            if configuration.hasSkips { h = join(graph, h, features, level) }
            for block in blocks[level] { h = block(graph, h, conditioning: active) }
            if level < exits.count - 1 {
                let scale = configuration.upsampling
                h = graph.resize(h, height: h.shape.height * scale, width: h.shape.width * scale)
            }
            h = graph.convolution(h, exits[level])
        }
        return graph.affine(graph.pixelShuffle(h, block: configuration.patchSize), scale: 2, shift: -1)
    }

    /// relu(h + skip of this level), at the finest level also the skip of the pixels themselves.
    private func join(_ graph: Graph, _ h: Value, _ features: [Value], _ level: Int) -> Value {
        var h = h
        let isFinest = level == exits.count - 1
        if isFinest, let pixelSkip { h = graph.convolution(features[0], pixelSkip, residual: h) }
        return graph.convolution(
            features[features.count - 1 - level], skips[level], activation: .relu, residual: h, activateLast: true)
    }
}
