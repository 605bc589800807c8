import Synchronization
import Tensors

/// Packed float weights, shared between plans. They are read from their file when the first plan needs them, so that a
/// model can be looked at without being loaded.
public final class WeightArray: @unchecked Sendable {
    /// Number of floats.
    public let count: Int
    private let fill: (UnsafeMutablePointer<Float>) -> Void
    private let gate = Mutex<Void>(())
    private var storage: UnsafeMutablePointer<Float>?

    /// `count` floats that `fill` will write.
    public init(count: Int, fill: @escaping (UnsafeMutablePointer<Float>) -> Void) {
        self.count = count
        self.fill = fill
    }

    /// The floats of a stored tensor, in its own order.
    public convenience init(_ tensor: StoredTensor) {
        self.init(count: tensor.count) { tensor.copyFloats(to: $0) }
    }

    deinit { storage?.deallocate() }

    /// Reads and packs the floats, once; a plan does it for all its weights before it runs.
    func load() {
        gate.withLock { _ in
            guard storage == nil else { return }
            let raw = UnsafeMutableRawPointer.allocate(byteCount: max(64, count * 4), alignment: 64)
            let fresh = raw.bindMemory(to: Float.self, capacity: max(16, count))
            fill(fresh)
            storage = fresh
        }
    }

    /// The floats, for steps of a plan, which has loaded them.
    var pointer: UnsafeMutablePointer<Float> { storage.unsafelyUnwrapped }
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
    var arrays: [WeightArray] { [matrix] + (bias.map { [$0] } ?? []) }

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
        matrix = WeightArray(count: weight.count) { packed in
            let source = weight.floats(), taps = kernel * kernel
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
    var arrays: [WeightArray] { [gamma, beta] }
    /// Channels.
    public var channels: Int { gamma.count }

    /// The tensors `weight` and `bias` of a GroupNorm or LayerNorm.
    public init(weight: StoredTensor, bias: StoredTensor) {
        gamma = WeightArray(weight)
        beta = WeightArray(bias)
    }
}
