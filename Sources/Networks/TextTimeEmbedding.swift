import Compute
import Tensors

/// The prompt's hidden states pooled by attention: diffusers' TextTimeEmbedding.
/// Keys: norm1, pool.{positional_embedding, q_proj, k_proj, v_proj}, proj, norm2.
struct TextTimeEmbedding {
    private let norm1: NormalizationWeights
    private let norm2: NormalizationWeights
    private let position: WeightArray
    private let toQuery: ConvolutionWeights
    private let toKey: ConvolutionWeights
    private let toValue: ConvolutionWeights
    private let projection: ConvolutionWeights
    private let heads: Int

    init(_ scope: WeightScope, textWidth: Int, outputs: Int, heads: Int) throws(TensorError) {
        let pool = scope["pool"]
        norm1 = try scope["norm1"].normalization(textWidth)
        norm2 = try scope["norm2"].normalization(outputs)
        position = WeightArray(try pool.tensor("positional_embedding", [1, textWidth]))
        toQuery = try pool["q_proj"].linear(textWidth, textWidth)
        toKey = try pool["k_proj"].linear(textWidth, textWidth)
        toValue = try pool["v_proj"].linear(textWidth, textWidth)
        projection = try scope["proj"].linear(textWidth, outputs)
        self.heads = heads
    }

    /// [batch, 1, length, textWidth] to [batch, 1, 1, outputs].
    func callAsFunction(_ graph: Graph, _ states: Value) -> Value {
        let normed = graph.layerNorm(states, norm1, eps: 1e-5)
        let token = graph.addVector(graph.meanOverPositions(normed), position)
        let all = graph.concatenatePositions([token, normed])
        let pooled = graph.attention(
            query: graph.linear(token, toQuery), key: graph.linear(all, toKey), value: graph.linear(all, toValue),
            heads: heads)
        return graph.layerNorm(graph.linear(pooled, projection), norm2, eps: 1e-5)
    }
}
