import Compute

/// The configuration of a UNet2DConditionModel (`unet/config.json`), checked; absent keys have diffusers' defaults.
public struct UNetConfiguration: Sendable {
    /// What a level is made of.
    enum BlockType: String {
        case down = "DownBlock2D"
        case crossAttentionDown = "CrossAttnDownBlock2D"
        case up = "UpBlock2D"
        case crossAttentionUp = "CrossAttnUpBlock2D"
    }
    enum MidType: Equatable { case none, resnetOnly, crossAttention }
    enum ClassEmbedding: Equatable { case none, timestep, projection(Int) }

    /// Channels of `sample`.
    public let inChannels: Int
    /// Channels of the prediction.
    public let outChannels: Int
    /// Width of the prompt's hidden states.
    public let crossAttentionDim: Int
    /// Width of the sum of all embeddings.
    public let timeEmbedDim: Int
    /// Whether the UNet takes the two guidance scales as inputs (MoViE, section 3.3) instead of three passes.
    public let hasGuidanceEmbedding: Bool

    let channels: [Int]
    let downTypes: [BlockType]
    let upTypes: [BlockType]
    let midType: MidType
    let layers: [Int]
    let transformerLayers: [Int]
    let upTransformerLayers: [Int]
    let heads: [Int]
    let onlyCrossAttention: [Bool]
    let usesLinearProjection: Bool
    let activation: Activation
    let groups: Int
    let eps: Float
    let flipSinToCos: Bool
    let frequencyShift: Float
    let downsamplePadding: Int
    let midScale: Float
    let scaleShift: Bool
    let centersInput: Bool
    /// Width of the prompt before the UNet projects it; nil when it does not.
    public let textProjectionDim: Int?
    let classEmbedding: ClassEmbedding
    let pooledTextHeads: Int?
    let timeEmbedActivation: Activation?
    let timePostActivation: Activation?
    let guidanceDim: Int
    let guidanceScale: Float
    let path: String

    /// Levels of the UNet.
    var levels: Int { channels.count }

    /// The least height and width of `sample`: without padding, a picture of one pixel cannot be halved.
    var smallestSide: Int { downsamplePadding == 0 ? 1 << min(levels - 1, 32) : 1 }

    /// Reads and checks the configuration. Throws with the key, the value seen and the values allowed.
    public init(_ file: Configuration) throws(ModelError) {
        path = file.path
        channels = try file.ints("block_out_channels", default: [320, 640, 1280, 1280])
        let levels = channels.count
        downTypes = try Self.blocks(
            file, "down_block_types", levels: levels, allowed: [.down, .crossAttentionDown],
            default: [.crossAttentionDown, .crossAttentionDown, .crossAttentionDown, .down])
        upTypes = try Self.blocks(
            file, "up_block_types", levels: levels, allowed: [.up, .crossAttentionUp],
            default: [.up, .crossAttentionUp, .crossAttentionUp, .crossAttentionUp])
        midType = try Self.mid(file)
        layers = try file.ints("layers_per_block", levels: levels, default: 2)
        transformerLayers = try file.ints("transformer_layers_per_block", levels: levels, default: 1)
        upTransformerLayers =
            file.has("reverse_transformer_layers_per_block")
            ? try file.ints("reverse_transformer_layers_per_block", levels: levels) : transformerLayers.reversed()
        // diffusers keeps SD-1.5's misnomer: attention_head_dim is the number of heads.
        heads = try file.ints(
            file.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim", levels: levels, default: 8)
        onlyCrossAttention = try file.bools("only_cross_attention", levels: levels, default: false)
        usesLinearProjection = try file.bool("use_linear_projection", default: false)
        inChannels = try file.int("in_channels", default: 4)
        outChannels = try file.int("out_channels", default: 4)
        let contexts = try file.ints("cross_attention_dim", levels: levels, default: 1280)
        guard let width = contexts.first, contexts.allSatisfy({ $0 == width }) else {
            throw file.error("cross_attention_dim", "a number, or a list of \(levels) equal ones")
        }
        crossAttentionDim = width
        activation = try Self.activation(file, "act_fn") ?? .silu
        groups = try file.int("norm_num_groups", default: 32)
        eps = Float(try file.double("norm_eps", default: 1e-5, in: 0...1))
        flipSinToCos = try file.bool("flip_sin_to_cos", default: true)
        frequencyShift = Float(try file.double("freq_shift", default: 0, in: 0...1))
        downsamplePadding = try file.int("downsample_padding", default: 1, in: 0...1)
        midScale = Float(try file.double("mid_block_scale_factor", default: 1, in: 1e-3...1e3))
        scaleShift = try file.string("resnet_time_scale_shift", default: "default") == "scale_shift"
        centersInput = try file.bool("center_input_sample", default: false)
        textProjectionDim = file.has("encoder_hid_dim") ? try file.int("encoder_hid_dim") : nil
        timeEmbedDim = try file.int("time_embedding_dim", default: channels[0] * 4)
        classEmbedding = try Self.classes(file)
        pooledTextHeads =
            file.has("addition_embed_type") ? try file.int("addition_embed_type_num_heads", default: 64) : nil
        timeEmbedActivation = try Self.activation(file, "time_embedding_act_fn")
        timePostActivation = try Self.activation(file, "timestep_post_act")
        hasGuidanceEmbedding = file.has("guidance_embed_dim")
        guidanceDim = hasGuidanceEmbedding ? try file.int("guidance_embed_dim") : 0
        guidanceScale = Float(try file.double("guidance_embed_scale", default: 1, in: 1e-3...1e6))
        try checkWidths(file)
        try refuseTheRest(file)
    }

    private func checkWidths(_ file: Configuration) throws(ModelError) {
        for level in 0..<levels {
            guard channels[level] % groups == 0 else {
                throw file.error("norm_num_groups", "a divisor of every block_out_channels")
            }
            guard !hasAttention(level) || channels[level] % heads[level] == 0 else {
                throw file.error("attention_head_dim", "a divisor of its level's channels")
            }
        }
        if let pooledTextHeads, (textProjectionDim ?? crossAttentionDim) % pooledTextHeads != 0 {
            throw file.error("addition_embed_type_num_heads", "a divisor of cross_attention_dim")
        }
    }

    private func hasAttention(_ level: Int) -> Bool {
        downTypes[level] == .crossAttentionDown || upTypes[levels - 1 - level] == .crossAttentionUp
            || (level == levels - 1 && midType == .crossAttention)
    }

    /// What diffusers knows and this program does not must not be ignored silently.
    private func refuseTheRest(_ file: Configuration) throws(ModelError) {
        try file.require("dual_cross_attention", oneOf: [.bool(false)])
        try file.require("class_embeddings_concat", oneOf: [.bool(false)])
        try file.require("resnet_time_scale_shift", oneOf: [.string("default"), .string("scale_shift")])
        try file.require("time_embedding_type", oneOf: [.string("positional")])
        try file.require("attention_type", oneOf: [.string("default")])
        try file.require("addition_embed_type", oneOf: [.string("text")])
        try file.require("encoder_hid_dim_type", oneOf: [.string("text_proj")])
        try file.require("cross_attention_norm", oneOf: [])
        try file.require("conv_in_kernel", oneOf: [.number(3)])
        try file.require("conv_out_kernel", oneOf: [.number(3)])
    }

    private static func blocks(
        _ file: Configuration, _ key: String, levels: Int, allowed: [BlockType], default fallback: [BlockType]
    ) throws(ModelError) -> [BlockType] {
        guard file.has(key) else {
            guard levels == fallback.count else { throw file.error(key, "a list of \(levels), one a level") }
            return fallback
        }
        let names = try file.strings(key)
        let types = names.compactMap(BlockType.init(rawValue:)).filter(allowed.contains)
        guard types.count == names.count, types.count == levels else {
            throw file.error(key, "a list of \(levels) of \(allowed.map(\.rawValue).joined(separator: ", "))")
        }
        return types
    }

    private static func mid(_ file: Configuration) throws(ModelError) -> MidType {
        if file.isNull("mid_block_type") { return .none }
        switch try file.string("mid_block_type", default: "UNetMidBlock2DCrossAttn") {
        case "UNetMidBlock2DCrossAttn": return .crossAttention
        case "UNetMidBlock2D": return .resnetOnly
        default: throw file.error("mid_block_type", "UNetMidBlock2DCrossAttn, UNetMidBlock2D or null")
        }
    }

    private static func classes(_ file: Configuration) throws(ModelError) -> ClassEmbedding {
        guard file.has("class_embed_type") else {
            try file.require("num_class_embeds", oneOf: [])
            return .none
        }
        switch try file.string("class_embed_type") {
        case "timestep": return .timestep
        case "projection": return .projection(try file.int("projection_class_embeddings_input_dim"))
        default: throw file.error("class_embed_type", "null, \"timestep\" or \"projection\"")
        }
    }

    static func activation(_ file: Configuration, _ key: String) throws(ModelError) -> Activation? {
        guard file.has(key) else { return nil }
        guard let activation = Activation(configured: try file.string(key)) else {
            throw file.error(key, "one of silu, swish, relu, gelu, mish, tanh, identity")
        }
        return activation
    }
}
