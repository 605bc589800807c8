import Glibc
import Tensors
import TestSupport
import Testing

@testable import Compute

/// A convolution to try: sizes around tile ends, batch of 2, strides and paddings.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    var shape: Shape
    var outputs: Int
    var kernel = 3
    var stride = 1
    var padding: Int?
    var padEnd: Int?
    var hasBias = true
    var testDescription: String { "\(shape)->\(outputs) k\(kernel) s\(stride) p\(padding ?? -1),\(padEnd ?? -1)" }
}

private let convolutionCases: [ConvolutionCase] = [
    .init(shape: Shape(1, 1, 1, 1), outputs: 1), .init(shape: Shape(1, 1, 1, 3), outputs: 2, kernel: 1),
    .init(shape: Shape(2, 5, 7, 3), outputs: 4), .init(shape: Shape(2, 5, 7, 3), outputs: 4, hasBias: false),
    .init(shape: Shape(2, 6, 7, 5), outputs: 3, stride: 2), .init(shape: Shape(2, 7, 6, 5), outputs: 3, stride: 2),
    .init(shape: Shape(1, 7, 6, 5), outputs: 3, stride: 2, padding: 0, padEnd: 1),
    .init(shape: Shape(1, 5, 4, 2), outputs: 3, padding: 0), .init(shape: Shape(1, 5, 4, 2), outputs: 3, padding: 2),
    .init(shape: Shape(2, 4, 5, 6), outputs: 7, kernel: 1), .init(shape: Shape(1, 5, 5, 3), outputs: 2, kernel: 5),
    .init(shape: Shape(2, 4, 5, 6), outputs: 7, kernel: 1, stride: 2, padding: 0),
    // Tiles of 32 positions and more: one less, as many, one more.
    .init(shape: Shape(1, 1, 31, 2), outputs: 3), .init(shape: Shape(1, 1, 32, 2), outputs: 3),
    .init(shape: Shape(1, 1, 33, 2), outputs: 3), .init(shape: Shape(2, 1, 127, 2), outputs: 3, kernel: 1),
    .init(shape: Shape(2, 1, 129, 2), outputs: 3, kernel: 1), .init(shape: Shape(1, 23, 23, 17), outputs: 5),
]

@Suite struct ConvolutionTests {
    @Test(arguments: convolutionCases)
    func convolution(_ c: ConvolutionCase) throws {
        let g = TestGraph()
        let x = g.input(c.shape)
        let (weights, matrix, bias) = try filter(g, c)
        let before = c.padding ?? c.kernel / 2, after = c.padEnd ?? before
        let height = (c.shape.height + before + after - c.kernel) / c.stride + 1
        let width = (c.shape.width + before + after - c.kernel) / c.stride + 1
        let result = g.graph.convolution(
            x.value, weights, stride: c.stride, padding: c.padding, padEnd: c.padEnd)
        #expect(result.shape == Shape(c.shape.batch, height, width, c.outputs))
        let reference = Reference.convolution(
            x.numbers, c.shape, weights: matrix, bias: bias, outputs: c.outputs, kernel: c.kernel, stride: c.stride,
            before: before, height: height, width: width)
        expectEqual(g.run(result), reference, c.testDescription)
    }

    @Test(arguments: Activation.allCases, [false, true])
    func activationAndResidual(_ activation: Activation, _ activateLast: Bool) throws {
        let g = TestGraph()
        let c = ConvolutionCase(shape: Shape(2, 5, 7, 3), outputs: 4)
        let x = g.input(c.shape), residual = g.input(Shape(2, 5, 7, 4))
        let (weights, matrix, bias) = try filter(g, c)
        let plain = Reference.convolution(
            x.numbers, c.shape, weights: matrix, bias: bias, outputs: 4, kernel: 3, stride: 1, before: 1, height: 5,
            width: 7)
        let reference = zip(plain, residual.numbers).map { value, other in
            activateLast
                ? Reference.activation(activation, value + Double(other))
                : Reference.activation(activation, value) + Double(other)
        }
        let result = g.graph.convolution(
            x.value, weights, activation: activation, residual: residual.value, activateLast: activateLast)
        expectEqual(g.run(result), reference, "\(activation) last: \(activateLast)")
    }

    @Test(arguments: [1, 2, 31, 63, 65, 300]) func linear(_ positions: Int) throws {
        let g = TestGraph()
        let shape = Shape(2, 1, positions, 9)
        let x = g.input(shape), residual = g.input(shape.with(channels: 5))
        let matrix = g.numbers(45)
        let weights = ConvolutionWeights(try stored(matrix, [5, 9]), bias: nil)
        let plain = Reference.convolution(
            x.numbers, shape, weights: matrix, bias: nil, outputs: 5, kernel: 1, stride: 1, before: 0, height: 1,
            width: positions)
        let result = g.graph.linear(x.value, weights, activation: .silu, residual: residual.value)
        let reference = zip(plain, residual.numbers).map { Reference.activation(.silu, $0) + Double($1) }
        expectEqual(g.run(result), reference, "\(positions) positions")
    }

    private func filter(_ g: TestGraph, _ c: ConvolutionCase) throws -> (ConvolutionWeights, [Float], [Float]?) {
        let matrix = g.numbers(c.outputs * c.shape.channels * c.kernel * c.kernel)
        let bias = c.hasBias ? g.numbers(c.outputs) : nil
        let weights = ConvolutionWeights(
            try stored(matrix, [c.outputs, c.shape.channels, c.kernel, c.kernel]),
            bias: try bias.map { try stored($0, [c.outputs]) })
        return (weights, matrix, bias)
    }
}

@Suite struct AttentionTests {
    @Test(
        arguments: [(1, 1), (63, 64), (64, 7), (65, 77), (129, 130), (3, 1)], [false, true])
    func attention(_ size: (queries: Int, keys: Int), _ isCausal: Bool) {
        let (queries, keys) = isCausal ? (size.keys, size.keys) : size
        for (batch, heads, width) in [(1, 1, 1), (2, 3, 5), (2, 4, 2)] {
            let g = TestGraph(), channels = heads * width
            let q = g.input(Shape(batch, 1, queries, channels))
            let k = g.input(Shape(batch, 1, keys, channels)), v = g.input(Shape(batch, 1, keys, channels))
            let result = g.graph.attention(
                query: q.value, key: k.value, value: v.value, heads: heads, isCausal: isCausal)
            let reference = Reference.attention(
                q.numbers, k.numbers, v.numbers, batch: batch, queries: queries, keys: keys, channels: channels,
                heads: heads, isCausal: isCausal)
            expectEqual(g.run(result), reference, "\(queries)x\(keys), batch \(batch), \(heads) heads of \(width)")
        }
    }

    /// The largest score is taken out before exp: scores of thousands do not overflow.
    @Test func largeScores() {
        let g = TestGraph(), shape = Shape(1, 1, 9, 4)
        let q = g.input(shape), k = g.input(shape), v = g.input(shape)
        let result = g.graph.attention(query: q.value, key: k.value, value: v.value, heads: 2, scale: 5000)
        let reference = Reference.attention(
            q.numbers, k.numbers, v.numbers, batch: 1, queries: 9, keys: 9, channels: 4, heads: 2, scale: 5000)
        // Scores of 5000 in float are off by up to 5e-4, and so are their exponentials.
        #expect(relativeError(g.run(result), reference.map { Float($0) }) < 2e-3)
    }
}

@Suite struct NormalizationTests {
    /// Around the tile of 512 positions, the block of 64 sums and the 256 channels a sum array has.
    private static let shapes = [
        Shape(1, 1, 1, 4), Shape(2, 3, 5, 8), Shape(2, 1, 63, 4), Shape(1, 1, 65, 4), Shape(1, 1, 511, 4),
        Shape(2, 1, 512, 4), Shape(1, 27, 19, 4), Shape(1, 1, 1025, 4), Shape(1, 2, 3, 260),
    ]

    @Test(arguments: shapes, [1, 2, 4])
    func groupNorm(_ shape: Shape, _ groups: Int) throws {
        let g = TestGraph()
        let x = g.input(shape)
        let modulation = g.input(Shape(shape.batch, 1, 1, 2 * shape.channels))
        let gamma = g.numbers(shape.channels), beta = g.numbers(shape.channels)
        let weights = NormalizationWeights(
            weight: try stored(gamma, [shape.channels]), bias: try stored(beta, [shape.channels]))
        let normed = Reference.groupNorm(
            x.numbers, batch: shape.batch, area: shape.area, channels: shape.channels, groups: groups, eps: 1e-3)
        let scaled = normed.enumerated().map { index, value in
            value * Double(gamma[index % shape.channels]) + Double(beta[index % shape.channels])
        }
        let plain = g.graph.groupNorm(x.value, weights, groups: groups, eps: 1e-3, activation: .silu)
        g.graph.output("plain", plain)
        let modulated = g.graph.groupNorm(x.value, weights, groups: groups, eps: 1e-3, modulation: modulation.value)
        g.graph.output("modulated", modulated)
        let plan = g.plan()
        plan.run()
        expectEqual(Array(plan.output("plain")), scaled.map { Reference.activation(.silu, $0) }, "\(shape)")
        let expected = modulate(scaled, modulation.numbers, shape)
        expectEqual(Array(plan.output("modulated")), expected, "\(shape) modulated")
    }

    /// A mean a thousand times the deviation. Scale and shift are floats: x * scale + shift cancels all but the last
    /// bits of 2000, hence 5e-4.
    @Test func groupNormFarFromZero() throws {
        let g = TestGraph(), shape = Shape(1, 8, 8, 4)
        let x = g.input(shape, g.numbers(shape.count).map { 1000 + $0 })
        let ones = NormalizationWeights(
            weight: try stored([1, 1, 1, 1], [4]), bias: try stored([0, 0, 0, 0], [4]))
        let result = g.run(g.graph.groupNorm(x.value, ones, groups: 2, eps: 1e-5))
        let reference = Reference.groupNorm(x.numbers, batch: 1, area: 64, channels: 4, groups: 2, eps: 1e-5)
        #expect(relativeError(result, reference.map { Float($0) }) < 5e-4)
    }

    @Test(arguments: shapes) func layerNorm(_ shape: Shape) throws {
        let g = TestGraph(), channels = shape.channels
        let x = g.input(shape, g.numbers(shape.count).map { 100 + $0 })
        let gamma = g.numbers(channels), beta = g.numbers(channels)
        let weights = NormalizationWeights(
            weight: try stored(gamma, [channels]), bias: try stored(beta, [channels]))
        let reference = Reference.groupNorm(
            x.numbers, batch: shape.positions, area: 1, channels: channels, groups: 1, eps: 1e-5
        ).enumerated().map { $1 * Double(gamma[$0 % channels]) + Double(beta[$0 % channels]) }
        let result = g.run(g.graph.layerNorm(x.value, weights, eps: 1e-5))
        // The mean is 100 deviations away and rounded to float: 100 * 6e-8 of a deviation.
        #expect(relativeError(result, reference.map { Float($0) }) < 5e-5, "\(shape)")
    }

    @Test(arguments: shapes, [1, 2]) func modulation(_ shape: Shape, _ width: Int) {
        let g = TestGraph()
        let x = g.input(shape), numbers = g.input(Shape(shape.batch, 1, 1, width * shape.channels))
        let result = g.run(g.graph.modulate(x.value, by: numbers.value, activation: .relu))
        let values = x.numbers.map { Double($0) }
        let plain =
            width == 2
            ? modulate(values, numbers.numbers, shape)
            : values.enumerated().map { index, value in
                value
                    + Double(
                        numbers.numbers[index / (shape.area * shape.channels) * shape.channels + index % shape.channels]
                    )
            }
        expectEqual(result, plain.map { max(0, $0) }, "\(shape)")
    }

    /// x * (1 + scale) + shift, a number a channel and batch element.
    private func modulate(_ values: [Double], _ numbers: [Float], _ shape: Shape) -> [Double] {
        values.enumerated().map { index, value in
            let base = index / (shape.area * shape.channels) * 2 * shape.channels + index % shape.channels
            return value * (1 + Double(numbers[base])) + Double(numbers[base + shape.channels])
        }
    }
}
