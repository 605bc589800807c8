import Glibc
import Tensors
import TestSupport
import Testing

@testable import Compute

/// A graph whose inputs are filled with given or random numbers, and its run.
final class TestGraph {
    static let pool = WorkerPool(threads: 3)

    let graph = Graph()
    private var values: [String: [Float]] = [:]
    private var random: TestRandom

    init(seed: UInt64 = 1) { random = TestRandom(seed: seed) }

    /// A random input, or one with these numbers.
    func input(_ shape: Shape, _ numbers: [Float]? = nil, isStatic: Bool = false) -> (value: Value, numbers: [Float]) {
        let name = "input \(values.count)"
        let numbers = numbers ?? random.numbers(shape.count)
        values[name] = numbers
        return (graph.input(name, shape, isStatic: isStatic), numbers)
    }

    /// Random numbers for weights.
    func numbers(_ count: Int) -> [Float] { random.numbers(count) }

    /// A plan with filled inputs, of the graph or of what `transform` makes of it.
    func plan(pool: WorkerPool = TestGraph.pool, _ transform: (Graph) -> Graph = { $0 }) -> Plan {
        let plan = Plan(transform(graph), pool: pool)
        for (name, numbers) in values { _ = plan.input(name).update(from: numbers) }
        plan.prepare()
        return plan
    }

    /// The numbers of `value` after a run.
    func run(_ value: Value) -> [Float] {
        graph.output("result", value)
        let plan = plan()
        plan.run()
        return Array(plan.output("result"))
    }
}

/// Weights made of numbers in memory, by way of a file as checkpoints come.
func stored(_ numbers: [Float], _ shape: [Int]) throws -> StoredTensor {
    let folder = TemporaryFolder()
    let path = folder.file("weights.safetensors")
    try writeSafeTensors([NamedTensor(name: "x", shape: shape, values: numbers)], to: path)
    return try #require(try SafeTensorsFile(path: path).tensors["x"])
}

/// Plain loops in Double: what the operators must compute.
enum Reference {
    static func activation(_ activation: Activation, _ x: Double) -> Double {
        switch activation {
        case .identity: x
        case .relu: max(0, x)
        case .silu: x / (1 + exp(-x))
        case .gelu: 0.5 * x * erfc(-x / 2.0.squareRoot())
        case .quickGELU: x / (1 + exp(-1.702 * x))
        case .mish: x * tanh(log1p(exp(x)))
        case .tanh: tanh(x)
        }
    }

    /// weights [outputs, inputs, kernel, kernel], as stored.
    static func convolution(
        _ x: [Float], _ s: Shape, weights: [Float], bias: [Float]?, outputs: Int, kernel: Int, stride: Int, before: Int,
        height: Int, width: Int
    ) -> [Double] {
        var result: [Double] = []
        for b in 0..<s.batch {
            for row in 0..<height {
                for column in 0..<width {
                    for o in 0..<outputs {
                        var sum = bias.map { Double($0[o]) } ?? 0
                        for ky in 0..<kernel {
                            for kx in 0..<kernel {
                                let y = row * stride + ky - before, z = column * stride + kx - before
                                guard (0..<s.height).contains(y), (0..<s.width).contains(z) else { continue }
                                for c in 0..<s.channels {
                                    let from = ((b * s.height + y) * s.width + z) * s.channels + c
                                    let weight = ((o * s.channels + c) * kernel + ky) * kernel + kx
                                    sum += Double(x[from]) * Double(weights[weight])
                                }
                            }
                        }
                        result.append(sum)
                    }
                }
            }
        }
        return result
    }

    /// softmax(scale * q k^T) v of every head; [batch, positions, channels].
    static func attention(
        _ q: [Float], _ k: [Float], _ v: [Float], batch: Int, queries: Int, keys: Int, channels: Int, heads: Int,
        scale: Double? = nil, isCausal: Bool = false
    ) -> [Double] {
        let width = channels / heads
        let scale = scale ?? 1 / Double(width).squareRoot()
        var result = [Double](repeating: 0, count: batch * queries * channels)
        for b in 0..<batch {
            for h in 0..<heads {
                for i in 0..<queries {
                    let kept = isCausal ? min(keys, i + 1) : keys
                    let own = (b * queries + i) * channels + h * width
                    let scores = (0..<kept).map { j in
                        let other = (b * keys + j) * channels + h * width
                        return scale * (0..<width).reduce(0) { $0 + Double(q[own + $1]) * Double(k[other + $1]) }
                    }
                    let top = scores.max() ?? 0
                    let powers = scores.map { exp($0 - top) }
                    let sum = powers.reduce(0, +)
                    for j in 0..<kept {
                        let other = (b * keys + j) * channels + h * width
                        for c in 0..<width { result[own + c] += powers[j] / sum * Double(v[other + c]) }
                    }
                }
            }
        }
        return result
    }

    /// GroupNorm of [batch, area, channels] without scale and shift.
    static func groupNorm(_ x: [Float], batch: Int, area: Int, channels: Int, groups: Int, eps: Double) -> [Double] {
        let width = channels / groups
        var result = x.map { Double($0) }
        for b in 0..<batch {
            for g in 0..<groups {
                let places = (0..<area).flatMap { p in (0..<width).map { (b * area + p) * channels + g * width + $0 } }
                let mean = places.reduce(0) { $0 + Double(x[$1]) } / Double(places.count)
                let variance = places.reduce(0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) }
                let factor = 1 / (variance / Double(places.count) + eps).squareRoot()
                for place in places { result[place] = (Double(x[place]) - mean) * factor }
            }
        }
        return result
    }
}

/// Expects `values` to be `reference` within the rounding of float sums: 1e-5 of the norm, for sums of up to a few
/// thousand terms and activations whose own budget (`ActivationTests`) is smaller.
func expectEqual(
    _ values: [Float], _ reference: [Double], _ comment: String, location: SourceLocation = #_sourceLocation
) {
    let error = relativeError(values, reference.map { Float($0) })
    #expect(error < 1e-5, "\(comment): relative error \(error)", sourceLocation: location)
}
