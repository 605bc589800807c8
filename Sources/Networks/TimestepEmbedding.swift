import Compute
import Tensors

/// Two linear layers with an activation between: diffusers' TimestepEmbedding. Keys: linear_1, linear_2.
struct TimestepEmbedding {
    private let linear1: ConvolutionWeights
    private let linear2: ConvolutionWeights
    private let activation: Activation
    private let after: Activation

    init(
        _ scope: WeightScope, inputs: Int, outputs: Int, activation: Activation = .silu, after: Activation = .identity
    ) throws(TensorError) {
        linear1 = try scope["linear_1"].linear(inputs, outputs)
        linear2 = try scope["linear_2"].linear(outputs, outputs)
        self.activation = activation
        self.after = after
    }

    /// [batch, 1, 1, inputs] to [batch, 1, 1, outputs].
    func callAsFunction(_ graph: Graph, _ x: Value) -> Value {
        graph.linear(graph.linear(x, linear1, activation: activation), linear2, activation: after)
    }
}
