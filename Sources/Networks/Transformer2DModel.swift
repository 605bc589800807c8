import Compute
import Tensors

/// Queries, keys, values and the output projection: diffusers' Attention. Keys: to_q, to_k, to_v, to_out.0.
struct Attention {
    private let toQuery: ConvolutionWeights
    private let toKey: ConvolutionWeights
    private let toValue: ConvolutionWeights
    private let toOut: ConvolutionWeights
    private let heads: Int

    /// `context`: width of what is attended to.
    init(_ scope: WeightScope, channels: Int, context: Int, heads: Int) throws(TensorError) {
        toQuery = try scope["to_q"].linear(channels, channels, bias: false)
        toKey = try scope["to_k"].linear(context, channels, bias: false)
        toValue = try scope["to_v"].linear(context, channels, bias: false)
        toOut = try scope["to_out"][0].linear(channels, channels)
        self.heads = heads
    }

    /// x attends to `context`, by default to itself and to the graph's anchor frames; `residual` is added to the result.
    func callAsFunction(_ graph: Graph, _ x: Value, context: Value? = nil, residual: Value? = nil) -> Value {
        let source = context ?? x
        let query = graph.linear(x, toQuery), key = graph.linear(source, toKey), value = graph.linear(source, toValue)
        let attended =
            context == nil
            ? graph.selfAttention(query: query, key: key, value: value, heads: heads)
            : graph.attention(query: query, key: key, value: value, heads: heads)
        return graph.linear(attended, toOut, residual: residual)
    }
}

/// Self-attention, cross-attention to the prompt and a gated feed-forward layer, each after a LayerNorm, each a residual.
/// Keys: norm1, attn1, norm2, attn2, norm3, ff.net.0.proj, ff.net.2.
struct BasicTransformerBlock {
    private let norm1: NormalizationWeights
    private let attention1: Attention
    private let norm2: NormalizationWeights
    private let attention2: Attention
    private let norm3: NormalizationWeights
    private let gate: ConvolutionWeights
    private let output: ConvolutionWeights
    private let onlyCrossAttention: Bool

    init(
        _ scope: WeightScope, channels: Int, context: Int, heads: Int, onlyCrossAttention: Bool
    ) throws(TensorError) {
        norm1 = try scope["norm1"].normalization(channels)
        attention1 = try Attention(
            scope["attn1"], channels: channels, context: onlyCrossAttention ? context : channels, heads: heads)
        norm2 = try scope["norm2"].normalization(channels)
        attention2 = try Attention(scope["attn2"], channels: channels, context: context, heads: heads)
        norm3 = try scope["norm3"].normalization(channels)
        gate = try scope["ff"]["net"][0]["proj"].linear(channels, 8 * channels)
        output = try scope["ff"]["net"][2].linear(4 * channels, channels)
        self.onlyCrossAttention = onlyCrossAttention
    }

    /// x: [batch, height, width, channels]; prompt: [batch, 1, length, context].
    func callAsFunction(_ graph: Graph, _ x: Value, prompt: Value) -> Value {
        var h = attention1(
            graph, graph.layerNorm(x, norm1, eps: 1e-5), context: onlyCrossAttention ? prompt : nil, residual: x)
        h = attention2(graph, graph.layerNorm(h, norm2, eps: 1e-5), context: prompt, residual: h)
        let gated = graph.geglu(graph.linear(graph.layerNorm(h, norm3, eps: 1e-5), gate))
        return graph.linear(gated, output, residual: h)
    }
}

/// Transformer blocks over the positions of a feature map: diffusers' Transformer2DModel with continuous input.
/// Keys: norm, proj_in, transformer_blocks.N, proj_out.
struct Transformer2DModel {
    private let norm: NormalizationWeights
    private let projectIn: ConvolutionWeights
    private let blocks: [BasicTransformerBlock]
    private let projectOut: ConvolutionWeights
    private let groups: Int

    /// What all transformers of one level share.
    struct Settings {
        let context: Int
        let heads: Int
        let layers: Int
        let groups: Int
        let usesLinearProjection: Bool
        let onlyCrossAttention: Bool
    }

    init(_ scope: WeightScope, channels: Int, settings: Settings) throws(TensorError) {
        norm = try scope["norm"].normalization(channels)
        if settings.usesLinearProjection {
            projectIn = try scope["proj_in"].linear(channels, channels)
            projectOut = try scope["proj_out"].linear(channels, channels)
        } else {  // the same product, written as a 1x1 convolution
            projectIn = try scope["proj_in"].convolution(channels, channels, kernel: 1)
            projectOut = try scope["proj_out"].convolution(channels, channels, kernel: 1)
        }
        var blocks: [BasicTransformerBlock] = []
        for index in 0..<settings.layers {
            blocks.append(
                try BasicTransformerBlock(
                    scope["transformer_blocks"][index], channels: channels, context: settings.context,
                    heads: settings.heads, onlyCrossAttention: settings.onlyCrossAttention))
        }
        self.blocks = blocks
        groups = settings.groups
    }

    /// x: [batch, height, width, channels]; prompt: [batch, 1, length, context].
    func callAsFunction(_ graph: Graph, _ x: Value, prompt: Value) -> Value {
        var h = graph.linear(graph.groupNorm(x, norm, groups: groups, eps: 1e-6), projectIn)
        for block in blocks { h = block(graph, h, prompt: prompt) }
        return graph.linear(h, projectOut, residual: x)
    }
}
