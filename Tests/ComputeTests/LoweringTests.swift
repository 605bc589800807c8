import Tensors
import TestSupport
import Testing

@testable import Compute

/// Graphs rewritten onto integers compute what they computed in float, up to the rounding of levels.
@Suite struct LoweringTests {
    private func weights(
        _ g: TestGraph, _ name: String, _ outputs: Int, _ inputs: Int, kernel: Int = 3, bias: Bool = true
    ) throws -> ConvolutionWeights {
        let shape = kernel == 1 ? [outputs, inputs] : [outputs, inputs, kernel, kernel]
        let scale = 1 / Float(inputs * kernel * kernel).squareRoot()
        return ConvolutionWeights(
            try stored(g.numbers(shape.reduce(1, *)).map { $0 * scale }, shape),
            bias: bias ? try stored(g.numbers(outputs), [outputs]) : nil, name: name)
    }

    /// Relative error of the quantized graph's output, with levels from the ranges of this very run.
    private func error(_ g: TestGraph, _ result: Value, layers: Int) -> Double {
        g.graph.output("result", result)
        let observer = RangeObserver()
        let names = g.graph.quantizableLayers
        #expect(Set(names).count == layers)
        let float = g.plan()
        float.run()
        let reference = Array(float.output("result"))
        let observed = g.plan { $0.observed(by: observer) }
        observed.run()
        #expect(Array(observed.output("result")) == reference)
        let quantization = Quantization(layers: observer.ranges.mapValues { Quantizer(covering: $0) })
        let integer = g.plan { $0.quantized(quantization) }
        integer.run()
        #expect(g.graph.quantized(Quantization(layers: [:])).steps.count == g.graph.steps.count)
        return relativeError(Array(integer.output("result")), reference)
    }

    @Test(arguments: [(1, 9, 11), (2, 8, 8), (1, 1, 1), (3, 5, 2)])
    func residualBlock(_ size: (batch: Int, height: Int, width: Int)) throws {
        let g = TestGraph(seed: 7)
        let x = g.input(Shape(size.batch, size.height, size.width, 6)).value
        let first = g.graph.convolution(x, try weights(g, "first", 20, 6), activation: .relu)
        let second = g.graph.convolution(first, try weights(g, "second", 20, 20), activation: .relu)
        let last = g.graph.convolution(
            second, try weights(g, "last", 20, 20), activation: .relu, residual: first, activateLast: true)
        let result = g.graph.convolution(last, try weights(g, "exit", 3, 20), stride: 2)
        #expect(error(g, result, layers: 4) < 0.03)
    }

    /// A 3x3 convolution over an enlarged picture is four 2x2 convolutions over the picture.
    @Test(arguments: [(1, 4, 5, 8), (2, 1, 3, 70)])
    func enlargement(_ size: (batch: Int, height: Int, width: Int, channels: Int)) throws {
        let g = TestGraph(seed: 3)
        let x = g.input(Shape(size.batch, size.height, size.width, size.channels)).value
        let large = g.graph.resize(x, height: 2 * size.height, width: 2 * size.width)
        let result = g.graph.convolution(large, try weights(g, "after", 17, size.channels))
        #expect(error(g, result, layers: 1) < 0.02)
        let lowered = g.graph.quantized(Quantization(layers: ["after": Quantizer(covering: -1...1)]))
        #expect(!lowered.steps.contains { $0.name == "resize" })
    }

    /// A resize that somebody else reads, or by another factor, stays.
    @Test func otherEnlargementsStay() throws {
        let g = TestGraph(seed: 3)
        let x = g.input(Shape(1, 4, 4, 8)).value
        let odd = g.graph.resize(x, height: 7, width: 8)
        #expect(error(g, g.graph.convolution(odd, try weights(g, "after", 17, 8)), layers: 1) < 0.02)
    }

    /// Scales and shifts known once a prompt become part of the convolution, wherever they are recorded.
    @Test(arguments: [true, false]) func modulation(_ hasScales: Bool) throws {
        let g = TestGraph(seed: 5)
        let x = g.input(Shape(1, 6, 7, 8)).value
        let numbers = g.input(Shape(1, 1, 1, hasScales ? 32 : 16), isStatic: true).value
        let h = g.graph.convolution(x, try weights(g, "before", 16, 8))
        let active = g.graph.modulate(h, by: g.graph.activate(numbers, .tanh), activation: .relu)
        let result = g.graph.convolution(active, try weights(g, "after", 16, 16))
        #expect(error(g, result, layers: 2) < 0.02)
        let layers = ["before", "after"].map { ($0, Quantizer(covering: -1...1)) }
        let lowered = g.graph.quantized(Quantization(layers: Dictionary(uniqueKeysWithValues: layers)))
        #expect(!lowered.steps.contains { $0.name == "modulate" })
    }

    @Test(arguments: [(1, 8, 4, 4), (2, 24, 5, 7), (1, 32, 24, 32)])
    func normalizedAttention(_ size: (batch: Int, channels: Int, height: Int, width: Int)) throws {
        let g = TestGraph(seed: 11), c = size.channels
        let x = g.input(Shape(size.batch, size.height, size.width, c)).value
        let norm = NormalizationWeights(weight: try stored(g.numbers(c), [c]), bias: try stored(g.numbers(c), [c]))
        var h = g.graph.groupNorm(x, norm, groups: 4, eps: 1e-5, activation: .silu)
        h = g.graph.linear(h, try weights(g, "in", c, c, kernel: 1))
        let n = g.graph.layerNorm(h, norm, eps: 1e-5)
        let attended = g.graph.attention(
            query: g.graph.linear(n, try weights(g, "q", c, c, kernel: 1)),
            key: g.graph.linear(n, try weights(g, "k", c, c, kernel: 1)),
            value: g.graph.linear(n, try weights(g, "v", c, c, kernel: 1)), heads: 2)
        h = g.graph.linear(attended, try weights(g, "out", c, c, kernel: 1), residual: h)
        let gated = g.graph.geglu(g.graph.linear(h, try weights(g, "gate", 4 * c, c, kernel: 1)))
        #expect(error(g, g.graph.linear(gated, try weights(g, "last", c, 2 * c, kernel: 1)), layers: 7) < 0.05)
    }

    /// Causal attention and layers that are not listed stay as they are, bit for bit.
    @Test func onlyWhatIsListed() throws {
        let g = TestGraph(seed: 13)
        let x = g.input(Shape(1, 3, 4, 8)).value
        let h = g.graph.convolution(x, try weights(g, "float", 8, 8), activation: .silu)
        g.graph.output("result", g.graph.attention(query: h, key: h, value: h, heads: 2, isCausal: true))
        let float = g.plan(),
            same = g.plan { $0.quantized(Quantization(layers: ["other": Quantizer(covering: 0...1)])) }
        float.run()
        same.run()
        #expect(Array(float.output("result")) == Array(same.output("result")))
    }

    @Test func pixelsInAndOut() throws {
        let g = TestGraph(seed: 17)
        let pixels = g.graph.pixelInput("pixels", Shape(1, 8, 12, 3))
        let folded = g.graph.pixelUnshuffle(g.graph.affine(pixels, scale: 0.5, shift: 0.5), block: 2)
        let h = g.graph.convolution(folded, try weights(g, "first", 16, 12), activation: .relu)
        let last = g.graph.convolution(h, try weights(g, "last", 12, 16))
        g.graph.pixelOutput("edited", g.graph.affine(g.graph.pixelShuffle(last, block: 2), scale: 2, shift: -1))
        let observer = RangeObserver()
        var bytes: [[UInt8]] = []
        for transform in [
            { $0.observed(by: observer) },
            { $0.quantized(Quantization(layers: observer.ranges.mapValues { Quantizer(covering: $0) })) },
        ] as [(Graph) -> Graph] {
            let plan = g.plan(transform)
            let input = plan.pixels(ofInput: "pixels")
            for index in input.indices { input[index] = UInt8(index * 37 % 256) }
            plan.run()
            bytes.append(Array(plan.pixels(ofOutput: "edited")))
        }
        let worst = zip(bytes[0], bytes[1]).map { abs(Int($0) - Int($1)) }.max() ?? 255
        #expect(bytes[0].count == 8 * 12 * 3 && worst <= 3, "off by \(worst) of 255")
    }
}

@Suite struct QuantizerTests {
    @Test(arguments: [(-1, 1), (0, 5), (2, 5), (-3, -1), (0, 0), (-1e-30, 0), (-100, 1)] as [(Float, Float)])
    func coversItsRangeAndZero(_ range: (Float, Float)) {
        let q = Quantizer(covering: range.0...range.1)
        #expect(q.scale > 0 && q.scale.isFinite && q.zero == q.zero.rounded() && (0...255).contains(q.zero))
        for number in [range.0, range.1, 0] {
            let level = min(255, max(0, (number / q.scale + q.zero).rounded()))
            #expect(abs((level - q.zero) * q.scale - number) <= q.scale * 0.51)
        }
        #expect(!Quantizer(covering: 0...Float.infinity).scale.isInfinite)
    }

    /// Evenly spread numbers need all of their range; the one number in 100,000 that widens it is left out.
    @Test(arguments: [(0...1, 1), (0...1.2, 0.9), (-1...1, 1), (-1.2...1.2, 0.9)] as [(ClosedRange<Float>, Float)])
    func rareEndsOfARangeAreLeftOut(_ range: ClosedRange<Float>, _ share: Float) {
        let least = max(-1, range.lowerBound)
        var numbers = (0..<100_003).map { least + (1 - least) * Float($0) / 100_002 }
        numbers[0] = range.lowerBound
        numbers[100_002] = range.upperBound
        let observer = ClippingObserver(ranges: ["layer": range, "unseen": 0...2])
        numbers.withUnsafeBufferPointer {
            observer.see($0, layer: "layer")
            observer.see($0, layer: "stranger")
        }
        let wanted = Quantizer(covering: range.lowerBound * share...range.upperBound * share)
        #expect(observer.quantizers == ["layer": wanted, "unseen": Quantizer(covering: 0...2)])
    }

    @Test(arguments: [1, 15, 16, 17, 40])
    func whatLevelsLoseIsSummedOverEveryNumber(_ count: Int) {
        let q = Quantizer(covering: -1...2)
        let numbers = (0..<count).map { Float($0 * 7 % 23) / 4 - 2.4 }
        var wanted = 0.0
        for number in numbers {
            let level = min(255, max(0, (number / q.scale + q.zero).rounded(.toNearestOrEven)))
            let lost = (level - q.zero) * q.scale - number
            wanted += Double(lost * lost)
        }
        let found = numbers.withUnsafeBufferPointer { q.squaredError(of: $0) }
        #expect(abs(found - wanted) <= 1e-5 * wanted)
    }

    @Test func rowsOfWeights() {
        let (weights, scales) = quantizeRows([1, -2, 0.5, 0, 0, 0, -127, 63.5, 1], rows: 3)
        #expect(weights == [64, -127, 32, 0, 0, 0, -127, 64, 1])
        #expect(scales == [2 / 127, 1, 1])
    }
}
