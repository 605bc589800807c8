import Glibc
import Tensors
import TestSupport
import Testing

@testable import Compute

/// Sizes around the tiles of elementwise steps (512 positions, 65536 numbers).
private let counts = [1, 2, 511, 512, 513, 1025]

@Suite struct ElementwiseTests {
    @Test(arguments: counts) func affineGegluSliceAndActivate(_ width: Int) {
        let g = TestGraph(), shape = Shape(2, 1, width, 6)
        let x = g.input(shape)
        g.graph.output("affine", g.graph.affine(x.value, scale: -1.5, shift: 0.25))
        g.graph.output("geglu", g.graph.geglu(x.value))
        g.graph.output("slice", g.graph.slice(x.value, 1..<4))
        g.graph.output("tanh", g.graph.activate(x.value, .tanh))
        let plan = g.plan()
        plan.run()
        let numbers = x.numbers.map { Double($0) }
        expectEqual(Array(plan.output("affine")), numbers.map { $0 * -1.5 + 0.25 }, "affine")
        expectEqual(Array(plan.output("tanh")), numbers.map { tanh($0) }, "tanh")
        let rows = stride(from: 0, to: numbers.count, by: 6)
        expectEqual(Array(plan.output("slice")), rows.flatMap { numbers[($0 + 1)..<($0 + 4)] }, "slice")
        let gated = rows.flatMap { row in
            (0..<3).map { numbers[row + $0] * Reference.activation(.gelu, numbers[row + 3 + $0]) }
        }
        expectEqual(Array(plan.output("geglu")), gated, "geglu")
    }

    @Test(arguments: [1, 65535, 65536, 65537]) func addAndMix(_ width: Int) {
        let g = TestGraph(), shape = Shape(1, 1, width, 1)
        let a = g.input(shape), b = g.input(shape)
        g.graph.output("add", g.graph.add(a.value, b.value))
        g.graph.output("mix", g.graph.mix(a.value, 0.5, b.value, -2))
        let plan = g.plan()
        plan.run()
        #expect(Array(plan.output("add")) == zip(a.numbers, b.numbers).map { $0 + $1 })
        #expect(Array(plan.output("mix")) == zip(a.numbers, b.numbers).map { $0 * 0.5 + $1 * -2 })
    }

    @Test func concatenateChannels() {
        let g = TestGraph()
        let a = g.input(Shape(2, 3, 4, 1)), b = g.input(Shape(2, 3, 4, 5)), c = g.input(Shape(2, 3, 4, 2))
        let result = g.run(g.graph.concatenate([a.value, b.value, c.value]))
        var expected: [Float] = []
        for position in 0..<24 {
            expected.append(a.numbers[position])
            expected += b.numbers[(position * 5)..<(position * 5 + 5)]
            expected += c.numbers[(position * 2)..<(position * 2 + 2)]
        }
        #expect(result == expected)
    }

    @Test func sequences() throws {
        let g = TestGraph()
        let a = g.input(Shape(2, 1, 1, 3)), b = g.input(Shape(2, 2, 2, 3)), id = g.input(Shape(1, 1, 1, 1), [4])
        g.graph.output("positions", g.graph.concatenatePositions([a.value, b.value]))
        g.graph.output("stack", g.graph.stack([a.value, a.value]))
        g.graph.output("repeated", g.graph.repeated(id.value, 3))
        g.graph.output("zeros", g.graph.zeros(Shape(1, 1, 1, 4)))
        g.graph.output("mean", g.graph.meanOverPositions(b.value))
        g.graph.output("reshape", g.graph.reshape(b.value, Shape(1, 1, 1, 24)))
        g.graph.output("vector", g.graph.addVector(b.value, WeightArray(try stored([1, 2, 3], [3]))))
        let plan = g.plan()
        plan.run()
        let expected: [Float] =
            Array(a.numbers[..<3]) + Array(b.numbers[..<12]) + Array(a.numbers[3...]) + Array(b.numbers[12...])
        #expect(Array(plan.output("positions")) == expected)
        #expect(Array(plan.output("stack")) == a.numbers + a.numbers)
        #expect(Array(plan.output("repeated")) == [4, 4, 4] && plan.shape(ofOutput: "repeated")?.batch == 3)
        #expect(Array(plan.output("zeros")) == [0, 0, 0, 0] && Array(plan.output("reshape")) == b.numbers)
        #expect(Array(plan.output("vector")) == b.numbers.enumerated().map { $1 + Float($0 % 3 + 1) })
        let means = (0..<6).map { (i: Int) -> Double in
            let column = (0..<4).map { position in Double(b.numbers[i / 3 * 12 + position * 3 + i % 3]) }
            return column.reduce(0, +) / 4
        }
        expectEqual(Array(plan.output("mean")), means, "mean")
    }

    /// Ids outside the table, infinities and NaN included, read its nearest row (a NaN the first).
    @Test func embeddingAndPick() throws {
        let g = TestGraph()
        let ids = g.input(Shape(2, 1, 4, 1), [0, 2, -3, 9, .nan, .infinity, -.infinity, 9.3e18])
        let table = WeightArray(try stored([0, 1, 10, 11, 20, 21], [3, 2]))
        let places = WeightArray(try stored([0, 0, 100, 100, 200, 200, 300, 300], [4, 2]))
        let rows = g.graph.embed(ids.value, table: table, positions: places, channels: 2)
        g.graph.output("rows", rows)
        g.graph.output("picked", g.graph.pick(rows, ids: ids.value) { $0.firstIndex(of: 9) ?? -7 })
        let plan = g.plan()
        plan.run()
        let expected: [Float] = [0, 1, 120, 121, 200, 201, 320, 321, 0, 1, 120, 121, 200, 201, 320, 321]
        #expect(Array(plan.output("rows")) == expected)
        #expect(Array(plan.output("picked")) == [320, 321, 0, 1])
    }

    @Test(arguments: [false, true], [Float(0), 1]) func sinusoid(_ flip: Bool, _ shift: Float) {
        for channels in [2, 7, 16, 320] where Float(channels / 2) != shift {
            let g = TestGraph()
            let x = g.input(Shape(4, 1, 1, 1), [0, 1, 37.5, 999])
            let result = g.run(
                g.graph.sinusoid(x.value, channels: channels, flipSinToCos: flip, frequencyShift: shift, scale: 2))
            let half = channels / 2
            let reference = x.numbers.flatMap { number in
                let angles = (0..<half).map { i in
                    2 * Double(number) * pow(10000, -Double(i) / (Double(half) - Double(shift)))
                }
                let sines = angles.map { sin($0) }, cosines = angles.map { cos($0) }
                return (flip ? cosines + sines : sines + cosines) + (channels % 2 == 1 ? [0] : [])
            }
            // Angles of 2000 are rounded to float by up to 6e-5 before their sine is taken, as in the reference.
            let worst = zip(result, reference).map { abs(Double($0) - $1) }.max() ?? 1
            #expect(worst < 3e-4, "\(channels) channels")
        }
    }

    /// MoViE, equation 1: none + s_I (image - none) + s_T (both - image).
    @Test func guidance() {
        let g = TestGraph(), shape = Shape(3, 2, 3, 2)
        let passes = g.input(shape), one = Shape(1, 1, 1, 1)
        let image = g.input(one, [1.5]), text = g.input(one, [7.5])
        let result = g.graph.guide(passes.value, imageScale: image.value, textScale: text.value)
        #expect(result.shape == Shape(1, 2, 3, 2))
        let p = passes.numbers.map { Double($0) }
        let expected = (0..<12).map { (i: Int) -> Double in
            let none = p[i], image = p[12 + i], both = p[24 + i]
            return none + 1.5 * (image - none) + 7.5 * (both - image)
        }
        expectEqual(g.run(result), expected, "guidance")
    }
}

@Suite struct ResamplingTests {
    @Test(arguments: [(1, 1), (5, 7), (8, 16), (9, 3), (17, 33), (3, 5)])
    func resize(_ size: (height: Int, width: Int)) {
        let g = TestGraph(), shape = Shape(2, 5, 7, 3)
        let x = g.input(shape)
        let result = g.run(g.graph.resize(x.value, height: size.height, width: size.width))
        var expected: [Float] = []
        for b in 0..<2 {
            for row in 0..<size.height {
                for column in 0..<size.width {
                    let y = min(4, Int(Float(row) * (5 / Float(size.height))))
                    let z = min(6, Int(Float(column) * (7 / Float(size.width))))
                    let from = ((b * 5 + y) * 7 + z) * 3
                    expected += x.numbers[from..<from + 3]
                }
            }
        }
        #expect(result == expected)
    }

    @Test(arguments: [1, 2, 3, 4]) func unshuffle(_ block: Int) {
        let g = TestGraph(), shape = Shape(2, 9 * block, 5 * block, 3)
        let x = g.input(shape)
        let coarse = g.graph.pixelUnshuffle(x.value, block: block)
        #expect(coarse.shape == Shape(2, 9, 5, 3 * block * block))
        g.graph.output("coarse", coarse)
        let back = g.run(g.graph.pixelShuffle(coarse, block: block))
        #expect(back == x.numbers, "pixelShuffle is the inverse")
    }

    /// torch's channel order: channel c * block * block + row * block + column.
    @Test func unshuffleOrder() {
        let g = TestGraph()
        let x = g.input(Shape(1, 2, 2, 2), [0, 1, 2, 3, 4, 5, 6, 7])
        #expect(g.run(g.graph.pixelUnshuffle(x.value, block: 2)) == [0, 2, 4, 6, 1, 3, 5, 7])
    }
}

/// The activations against Glibc in double, over all of their range.
@Suite struct ActivationTests {
    /// Largest |error| allowed, as a part of max(1, |x|): exp's own 2e-7 and a few roundings (1.2e-7 each) for all; gelu
    /// adds half of erf's 1.5e-7, times |x|; tanh near 0.1 changes from a series to a difference of nearly equal numbers.
    private static func budget(_ activation: Activation) -> Double {
        switch activation {
        case .identity, .relu: 0
        case .silu, .quickGELU, .gelu, .mish, .tanh: 5e-7
        }
    }

    @Test(arguments: Activation.allCases) func activation(_ activation: Activation) {
        let line = (-20000...20000).map { Float($0) / 100 } + (-2000...2000).map { Float($0) / 1000 }
        let tiny: [Float] = [0, -0.0, .leastNonzeroMagnitude, -.leastNormalMagnitude, 1e-20, -1e-8, 3e38, -3e38]
        let inputs = line + tiny
        let g = TestGraph()
        let x = g.input(Shape(1, 1, inputs.count, 1), inputs)
        let results = g.run(g.graph.activate(x.value, activation))
        for (input, result) in zip(inputs, results) {
            let exact = Reference.activation(activation, Double(input))
            let error = abs(Double(result) - exact) / max(1, abs(Double(input)))
            #expect(error <= Self.budget(activation), "\(activation)(\(input)) = \(result), not \(exact)")
        }
    }

    @Test func names() {
        #expect(Activation(configured: "swish") == .silu && Activation(configured: "quick_gelu") == .quickGELU)
        #expect(Activation(configured: "softplus") == nil && Activation(configured: "") == nil)
    }
}
