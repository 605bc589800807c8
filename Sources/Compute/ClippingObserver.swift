import Synchronization
import Tensors

/// Finds how much of its range each layer's input should be written with.
///
/// The ends of a range are rare. Levels that leave them out are finer for all other numbers: of shares of the range, the one
/// with the smallest squared error over everything seen is taken ("MSE calibration": Nagel et al., "A White Paper on Neural
/// Network Quantization", section 3.1).
public final class ClippingObserver: InputObserver {
    /// What is tried, in parts of the range; of equal ones the first.
    static let shares: [Float] = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]

    private let candidates: [String: [Quantizer]]
    private let errors: Mutex<[String: [Double]]>

    /// An observer of the layers whose `ranges` are known.
    public init(ranges: [String: ClosedRange<Float>]) {
        candidates = ranges.mapValues { range in
            Self.shares.map { Quantizer(covering: range.lowerBound * $0...range.upperBound * $0) }
        }
        errors = Mutex(ranges.mapValues { _ in [Double](repeating: 0, count: Self.shares.count) })
    }

    /// The best levels of every layer; those of the whole range where nothing was seen.
    public var quantizers: [String: Quantizer] {
        errors.withLock { errors in
            candidates.reduce(into: [:]) { best, layer in
                let sums = errors[layer.key] ?? []
                let least = sums.indices.min { (sums[$0], $0) < (sums[$1], $1) } ?? 0
                best[layer.key] = layer.value[least]
            }
        }
    }

    /// Adds what each of the layer's candidates loses of these numbers; layers without a range are passed over.
    public func see(_ numbers: UnsafeBufferPointer<Float>, layer: String) {
        guard let candidates = candidates[layer] else { return }
        let found = candidates.map { $0.squaredError(of: numbers) }
        errors.withLock { errors in
            for (index, error) in found.enumerated() { errors[layer]?[index] += error }
        }
    }
}

extension Quantizer {
    /// 1.5 x 2^23: added and taken away again, it rounds. (`rounded()` and `clamped()` of SIMD types are function calls here, forty
    /// times as slow.)
    private static let rounding: Float = 12_582_912
    private static let top = SIMD16<Float>(repeating: 255)

    /// The sum of the squares of what is lost when `numbers` are written as levels, those beyond the levels at the nearest.
    func squaredError(of numbers: UnsafeBufferPointer<Float>) -> Double {
        var sums = SIMD16<Float>()
        let bytes = UnsafeRawBufferPointer(numbers), whole = numbers.count / 16 * 16
        for index in stride(from: 0, to: whole, by: 16) {
            sums += squaredErrors(of: bytes.loadUnaligned(fromByteOffset: 4 * index, as: SIMD16<Float>.self))
        }
        var rest = SIMD16<Float>()  // zero is a level: nothing is lost of what is not there
        for index in whole..<numbers.count { rest[index - whole] = numbers[index] }
        return Double((sums + squaredErrors(of: rest)).sum())
    }

    private func squaredErrors(of numbers: SIMD16<Float>) -> SIMD16<Float> {
        var places = numbers / scale + zero
        places.replace(with: Self.top, where: places .> Self.top)
        places.replace(with: SIMD16(), where: places .< 0)
        let lost = ((places + Self.rounding) - Self.rounding - zero) * scale - numbers
        return lost * lost
    }
}
