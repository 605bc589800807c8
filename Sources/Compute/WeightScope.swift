import Tensors

/// A place in a checkpoint: `scope["down_blocks"][0]` reads keys that begin with `down_blocks.0.`.
public struct WeightScope: Sendable {
    private let store: TensorStore
    private let prefix: String

    /// The whole checkpoint.
    public init(_ store: TensorStore) {
        self.init(store: store, prefix: "")
    }

    private init(store: TensorStore, prefix: String) {
        self.store = store
        self.prefix = prefix
    }

    /// The scope one name deeper.
    public subscript(name: String) -> WeightScope { WeightScope(store: store, prefix: "\(prefix)\(name).") }

    /// The scope of one element of a list.
    public subscript(index: Int) -> WeightScope { self[String(index)] }

    /// Whether this very tensor exists.
    public func has(_ name: String) -> Bool { store[prefix + name] != nil }

    /// The tensor `name` of this scope. Throws when it is missing or has another shape.
    public func tensor(_ name: String, _ shape: [Int]) throws(TensorError) -> StoredTensor {
        try store.tensor(prefix + name, shape: shape)
    }

    /// Weights of a convolution at this scope: `weight` [out, in, kernel, kernel] and `bias` [out].
    public func convolution(
        _ inputs: Int, _ outputs: Int, kernel: Int = 3, bias: Bool = true
    ) throws(TensorError) -> ConvolutionWeights {
        ConvolutionWeights(
            try tensor("weight", [outputs, inputs, kernel, kernel]), bias: bias ? try tensor("bias", [outputs]) : nil)
    }

    /// Weights of a linear layer at this scope: `weight` [out, in] and `bias` [out].
    public func linear(_ inputs: Int, _ outputs: Int, bias: Bool = true) throws(TensorError) -> ConvolutionWeights {
        ConvolutionWeights(
            try tensor("weight", [outputs, inputs]), bias: bias ? try tensor("bias", [outputs]) : nil)
    }

    /// Weights of a GroupNorm or LayerNorm at this scope: `weight` and `bias`, both [channels].
    public func normalization(_ channels: Int) throws(TensorError) -> NormalizationWeights {
        NormalizationWeights(weight: try tensor("weight", [channels]), bias: try tensor("bias", [channels]))
    }
}
