import Compute
import Tensors

/// The configuration of a CLIPTextModel (`text_encoder/config.json`), checked; absent keys have transformers' defaults.
public struct CLIPTextConfiguration: Sendable {
    /// Tokens of the vocabulary.
    public let vocabularySize: Int
    /// Width of the hidden states.
    public let hiddenSize: Int
    /// Longest prompt in tokens, start and end included.
    public let maxPositions: Int
    let intermediateSize: Int
    let layers: Int
    let heads: Int
    let activation: Activation
    let eps: Float
    let endToken: Int

    /// Reads and checks the configuration. Throws with the key, the value seen and the values allowed.
    public init(_ file: Configuration) throws(ModelError) {
        vocabularySize = try file.int("vocab_size", default: 49408, in: 1...10_000_000)
        hiddenSize = try file.int("hidden_size", default: 512)
        intermediateSize = try file.int("intermediate_size", default: 2048)
        layers = try file.int("num_hidden_layers", default: 12)
        heads = try file.int("num_attention_heads", default: 8)
        maxPositions = try file.int("max_position_embeddings", default: 77)
        eps = Float(try file.double("layer_norm_eps", default: 1e-5, in: 0...1))
        endToken = try file.int("eos_token_id", default: 49407, in: 0...10_000_000)
        let name = try file.string("hidden_act", default: "quick_gelu")
        guard let activation = Activation(configured: name) else {
            throw file.error("hidden_act", "one of quick_gelu, gelu, silu, relu")
        }
        self.activation = activation
        guard hiddenSize % heads == 0 else { throw file.error("num_attention_heads", "a divisor of hidden_size") }
    }
}

/// The prompt encoder: a causal transformer, each layer LayerNorm + attention and LayerNorm + MLP, both residual.
/// Keys: embeddings, encoder.layers.N, final_layer_norm, with or without `text_model.` before them.
public struct CLIPTextModel {
    /// The configuration it was made from.
    public let configuration: CLIPTextConfiguration
    private let tokens: WeightArray
    private let positions: WeightArray
    private let layers: [CLIPEncoderLayer]
    private let finalNorm: NormalizationWeights

    /// Loads and packs the weights. Throws for a missing tensor or one of another shape.
    public init(_ configuration: CLIPTextConfiguration, weights store: TensorStore) throws(TensorError) {
        let c = configuration
        var scope = WeightScope(store, part: "text_encoder")
        if scope.has("text_model.final_layer_norm.weight") { scope = scope["text_model"] }
        let embeddings = scope["embeddings"]
        tokens = WeightArray(try embeddings["token_embedding"].tensor("weight", [c.vocabularySize, c.hiddenSize]))
        positions = WeightArray(try embeddings["position_embedding"].tensor("weight", [c.maxPositions, c.hiddenSize]))
        var layers: [CLIPEncoderLayer] = []
        for index in 0..<c.layers { layers.append(try CLIPEncoderLayer(scope["encoder"]["layers"][index], c)) }
        self.layers = layers
        finalNorm = try scope["final_layer_norm"].normalization(c.hiddenSize)
        self.configuration = c
    }

    /// Records the network's steps.
    ///
    /// - Parameter ids: token ids as whole numbers, [batch, 1, length, 1]; length at most `maxPositions`.
    /// - Returns: `states` [batch, 1, length, hiddenSize], and `pooled` [batch, 1, 1, hiddenSize], the state at the end token.
    public func callAsFunction(_ graph: Graph, _ ids: Value) -> (states: Value, pooled: Value) {
        var h = graph.embed(ids, table: tokens, positions: positions, channels: configuration.hiddenSize)
        for layer in layers { h = layer(graph, h) }
        let states = graph.layerNorm(h, finalNorm, eps: configuration.eps)
        let end = Float(configuration.endToken)
        let pooled = graph.pick(states, ids: ids) { row in
            // Old configurations claim 2 as the end token: there the largest id counts, as in transformers.
            let wanted = end == 2 ? row.max() ?? 0 : end
            return row.firstIndex(of: wanted) ?? 0
        }
        return (states, pooled)
    }
}

/// Keys: layer_norm1, self_attn.{q_proj, k_proj, v_proj, out_proj}, layer_norm2, mlp.{fc1, fc2}.
struct CLIPEncoderLayer {
    private let norm1: NormalizationWeights
    private let toQuery: ConvolutionWeights
    private let toKey: ConvolutionWeights
    private let toValue: ConvolutionWeights
    private let toOut: ConvolutionWeights
    private let norm2: NormalizationWeights
    private let fc1: ConvolutionWeights
    private let fc2: ConvolutionWeights
    private let configuration: CLIPTextConfiguration

    init(_ scope: WeightScope, _ c: CLIPTextConfiguration) throws(TensorError) {
        let attention = scope["self_attn"]
        norm1 = try scope["layer_norm1"].normalization(c.hiddenSize)
        toQuery = try attention["q_proj"].linear(c.hiddenSize, c.hiddenSize)
        toKey = try attention["k_proj"].linear(c.hiddenSize, c.hiddenSize)
        toValue = try attention["v_proj"].linear(c.hiddenSize, c.hiddenSize)
        toOut = try attention["out_proj"].linear(c.hiddenSize, c.hiddenSize)
        norm2 = try scope["layer_norm2"].normalization(c.hiddenSize)
        fc1 = try scope["mlp"]["fc1"].linear(c.hiddenSize, c.intermediateSize)
        fc2 = try scope["mlp"]["fc2"].linear(c.intermediateSize, c.hiddenSize)
        configuration = c
    }

    func callAsFunction(_ graph: Graph, _ x: Value) -> Value {
        let normed = graph.layerNorm(x, norm1, eps: configuration.eps)
        let attended = graph.attention(
            query: graph.linear(normed, toQuery), key: graph.linear(normed, toKey),
            value: graph.linear(normed, toValue), heads: configuration.heads, isCausal: true)
        let h = graph.linear(attended, toOut, residual: x)
        let hidden = graph.linear(
            graph.layerNorm(h, norm2, eps: configuration.eps), fc1, activation: configuration.activation)
        return graph.linear(hidden, fc2, residual: h)
    }
}
