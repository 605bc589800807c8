import CKernels
import Synchronization
import Tensors

/// Packed float weights, shared between plans. They are read from their file when the first plan needs them, so that a
/// model can be looked at without being loaded.
public final class WeightArray: LoadableWeights, @unchecked Sendable {
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

/// Weights of a convolution, packed when first planned: as floats [out, kernel, kernel, in], so that a patch and a filter
/// are both contiguous, and as int8 for the integer kernels. A linear layer is a convolution with a kernel of 1.
public struct ConvolutionWeights: Sendable {
    /// Where they are in the model: `unet.down_blocks.0.resnets.0.conv1`.
    public let name: String
    /// Output channels.
    public let outputs: Int
    /// Input channels.
    public let inputs: Int
    /// Rows and columns of the square kernel.
    public let kernel: Int
    /// The tensors they come from.
    public let stored: StoredConvolution
    let matrix: WeightArray
    let bias: WeightArray?
    let integers: IntegerWeights
    /// For the convolution of a picture enlarged twice: see `IntegerWeights.Form.phase`.
    let phases: [IntegerWeights]
    var arrays: [any LoadableWeights] { [matrix] + (bias.map { [$0] } ?? []) }

    /// Packs a tensor of shape [out, in, kernel, kernel] or [out, in].
    ///
    /// - Parameter scale: [out], what one step of int8 weights is worth; nil for weights stored as floats.
    public init(_ weight: StoredTensor, scale: StoredTensor? = nil, bias: StoredTensor?, name: String = "conv") {
        let stored = StoredConvolution(weight: weight, scale: scale)
        self.stored = stored
        self.name = name
        outputs = stored.outputs
        inputs = stored.inputs
        kernel = stored.kernel
        self.bias = bias.map { WeightArray($0) }
        matrix = WeightArray(count: weight.count) { stored.copyFloats(to: $0) }
        integers = IntegerWeights(stored, .whole)
        phases =
            kernel == 3
            ? [0, 1].flatMap { y in [0, 1].map { IntegerWeights(stored, .phase(row: y, column: $0)) } } : []
    }
}

/// A convolution's weights as the file has them.
public struct StoredConvolution: Sendable {
    /// [out, in, kernel, kernel] or [out, in].
    public let weight: StoredTensor
    /// [out] for int8 weights, nil for floats.
    public let scale: StoredTensor?

    var outputs: Int { weight.shape[0] }
    var inputs: Int { weight.shape[1] }
    var kernel: Int { weight.shape.count == 4 ? weight.shape[2] : 1 }

    /// Writes [out, kernel, kernel, in] floats.
    func copyFloats(to packed: UnsafeMutablePointer<Float>) {
        if kernel == 1 {
            weight.copyFloats(to: packed)
        } else {
            transposeTaps(weight.floats(), to: packed)
        }
        guard let scales = scale?.floats() else { return }
        let width = weight.count / outputs
        for output in 0..<outputs {
            for i in output &* width..<(output &+ 1) &* width { packed[i] *= scales[output] }
        }
    }

    /// The int8 weights [out, kernel, kernel, in] and what a step of each output is worth: as stored, or rounded now.
    func integers() -> (weights: [Int8], scales: [Float]) {
        if let scale, weight.type == .int8 {
            let whole = weight.withBytes { Array($0.bindMemory(to: Int8.self)) }
            var packed = whole
            if kernel > 1 {
                packed.withUnsafeMutableBufferPointer {
                    if let base = $0.baseAddress { transposeTaps(whole, to: base) }
                }
            }
            return (packed, scale.floats())
        }
        let floats = [Float](unsafeUninitializedCapacity: weight.count) { buffer, count in
            if let base = buffer.baseAddress { copyFloats(to: base) }
            count = weight.count
        }
        return quantizeRows(floats, rows: outputs)
    }

    /// [out, in, taps] to [out, taps, in].
    private func transposeTaps<Number>(_ source: [Number], to packed: UnsafeMutablePointer<Number>) {
        let taps = kernel * kernel
        for output in 0..<outputs {
            for input in 0..<inputs {
                let from = (output &* inputs &+ input) &* taps
                for tap in 0..<taps { packed[(output &* taps &+ tap) &* inputs &+ input] = source[from &+ tap] }
            }
        }
    }
}

/// Symmetric int8 of every row by its own largest magnitude: number = scale * integer, integers in -127...127.
public func quantizeRows(_ numbers: [Float], rows: Int) -> (weights: [Int8], scales: [Float]) {
    let width = numbers.count / max(1, rows)
    var scales = [Float](repeating: 1, count: rows)
    var integers = [Int8](repeating: 0, count: numbers.count)
    for row in 0..<rows {
        let range = row * width..<(row + 1) * width
        var top: Float = 0
        for i in range { top = max(top, abs(numbers[i])) }
        guard top > 0, top.isFinite else { continue }
        scales[row] = max(top / 127, .leastNormalMagnitude)
        let inverse = 1 / scales[row]
        for i in range {
            integers[i] = Int8(max(-127, min(127, (numbers[i] * inverse).rounded(.toNearestOrEven))))
        }
    }
    return (integers, scales)
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
