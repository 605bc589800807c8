import Tensors

/// Packed float weights; read-only after creation, shared between plans.
public final class WeightArray: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
    /// Number of floats.
    public let count: Int

    /// `count` floats written by `fill`.
    public init(count: Int, fill: (UnsafeMutablePointer<Float>) -> Void) {
        self.count = count
        let raw = UnsafeMutableRawPointer.allocate(byteCount: max(64, count * 4), alignment: 64)
        pointer = raw.bindMemory(to: Float.self, capacity: max(16, count))
        fill(pointer)
    }

    deinit { pointer.deallocate() }

    /// The floats of a stored tensor, in its own order.
    public convenience init(_ tensor: StoredTensor) {
        self.init(count: tensor.count) { tensor.copyFloats(to: $0) }
    }
}

/// Weights of a convolution: [out, kernel, kernel, in] after packing, so that a patch and a filter are both contiguous.
/// A linear layer is a convolution with a kernel of 1.
public struct ConvolutionWeights: Sendable {
    /// Output channels.
    public let outputs: Int
    /// Input channels.
    public let inputs: Int
    /// Rows and columns of the square kernel.
    public let kernel: Int
    let matrix: WeightArray
    let bias: WeightArray?

    /// Packs a tensor of shape [out, in, kernel, kernel] or [out, in].
    public init(_ weight: StoredTensor, bias: StoredTensor?) {
        let outputs = weight.shape[0], inputs = weight.shape[1]
        let kernel = weight.shape.count == 4 ? weight.shape[2] : 1
        self.outputs = outputs
        self.inputs = inputs
        self.kernel = kernel
        self.bias = bias.map { WeightArray($0) }
        guard kernel > 1 else {
            matrix = WeightArray(weight)
            return
        }
        let source = weight.floats()
        matrix = WeightArray(count: source.count) { packed in
            let taps = kernel * kernel
            for output in 0..<outputs {
                for input in 0..<inputs {
                    let from = (output &* inputs &+ input) &* taps
                    for tap in 0..<taps {
                        packed[(output &* taps &+ tap) &* inputs &+ input] = source[from &+ tap]
                    }
                }
            }
        }
    }
}

/// Scale and shift of a normalization, a number a channel.
public struct NormalizationWeights: Sendable {
    let gamma: WeightArray
    let beta: WeightArray
    /// Channels.
    public var channels: Int { gamma.count }

    /// The tensors `weight` and `bias` of a GroupNorm or LayerNorm.
    public init(weight: StoredTensor, bias: StoredTensor) {
        gamma = WeightArray(weight)
        beta = WeightArray(bias)
    }
}
