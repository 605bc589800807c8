import Tensors

/// A place in a checkpoint: `scope["down_blocks"][0]` reads keys that begin with `down_blocks.0.`.
public struct WeightScope: Sendable {
    private let store: TensorStore
    private let part: String
    private let prefix: String

    /// The whole checkpoint of a model's `part`, whose name comes first in the names of layers.
    public init(_ store: TensorStore, part: String) {
        self.init(store: store, part: part, prefix: "")
    }

    private init(store: TensorStore, part: String, prefix: String) {
        self.store = store
        self.part = part
        self.prefix = prefix
    }

    /// The scope one name deeper.
    public subscript(name: String) -> WeightScope { WeightScope(store: store, part: part, prefix: "\(prefix)\(name).") }

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
        try weights([outputs, inputs, kernel, kernel], bias: bias)
    }

    /// Weights of a linear layer at this scope: `weight` [out, in] and `bias` [out].
    public func linear(_ inputs: Int, _ outputs: Int, bias: Bool = true) throws(TensorError) -> ConvolutionWeights {
        try weights([outputs, inputs], bias: bias)
    }

    /// `weight` as floats, or as I8 with a `weight_scale` [out].
    private func weights(_ shape: [Int], bias: Bool) throws(TensorError) -> ConvolutionWeights {
        let weight = try tensor("weight", shape)
        let scale = weight.type == .int8 ? try tensor("weight_scale", [shape[0]]) : nil
        if let bad = scale?.floats().first(where: { !($0 > 0 && $0.isFinite) }) {
            throw TensorError(
                "\(store.origin): \(prefix)weight_scale holds \(bad); scales of int8 weights must be positive and finite: "
                    + "quantize the model again")
        }
        return ConvolutionWeights(
            weight, scale: scale, bias: bias ? try tensor("bias", [shape[0]]) : nil,
            name: "\(part).\(prefix.dropLast())")
    }

    /// Weights of a GroupNorm or LayerNorm at this scope: `weight` and `bias`, both [channels].
    public func normalization(_ channels: Int) throws(TensorError) -> NormalizationWeights {
        NormalizationWeights(weight: try tensor("weight", [channels]), bias: try tensor("bias", [channels]))
    }
}
