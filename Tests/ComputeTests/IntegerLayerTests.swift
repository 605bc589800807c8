import Foundation
import Tensors
import TestSupport
import Testing

@testable import Compute

/// Layers on integers against the arithmetic that Training/reference/simulate_int8.py writes out: equal, level by level.
@Suite struct IntegerLayerTests {
    private static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/int8-layers.safetensors").path
    private static let store = Result { try TensorStore(file: path) }

    static var cases: [String] {
        let names = (try? store.get())?.names.filter { $0.hasSuffix(".inputs") } ?? []
        return names.isEmpty ? ["missing"] : names.map { String($0.dropLast(7)) }.sorted()
    }

    @Test(arguments: cases) func equalsTheSimulation(_ name: String) throws {
        let store = try Self.store.get()
        let input = try #require(store["\(name).inputs"])
        let graph = Graph()
        var layer = 0
        var value: Value?, levels: Levels?
        while store["\(name).\(layer).weights"] != nil {
            let fixture = try LayerFixture(store, "\(name).\(layer)")
            if value == nil {
                let shape = try #require(Shape(input.shape))
                let written = Levels(fixture.input, channels: shape.channels, border: fixture.padding)
                value = graph.quantize(graph.input("x", shape), written)
                levels = written
            }
            guard let x = value, let written = levels else { return }
            let following = "\(name).\(layer + 1)"
            let border = store["\(following).weights"] == nil ? 0 : try LayerFixture(store, following).padding
            let (made, output) = try fixture.record(graph, x, written, border: border)
            value = made
            levels = output
            layer += 1
        }
        let (result, written) = (try #require(value), try #require(levels))
        graph.output("y", result)
        let plan = Plan(graph, pool: TestGraph.pool)
        let first = try LayerFixture(store, "\(name).0")
        _ = plan.input("x").update(from: input.floats().map { ($0 - first.input.zero) * first.input.scale })
        for index in 0..<layer { try LayerFixture(store, "\(name).\(index)").fillResidual(plan) }
        plan.prepare()
        plan.run()
        let memory = plan.pixels(ofOutput: "y"), shape = result.shape
        let reference = try #require(store["\(name).\(layer - 1).outputs"]).floats()
        var worst = 0, index = 0
        for row in 0..<shape.batch * shape.height {
            let offset = written.offset(shape, picture: row / shape.height, row: row % shape.height)
            for column in 0..<shape.width {
                for c in 0..<shape.channels {
                    let level = Int(memory[offset + column * written.stride + c])
                    worst = max(worst, abs(level - Int(reference[index])))
                    index += 1
                }
            }
        }
        #expect(index == reference.count && worst == 0, "off by \(worst) levels")
    }
}

/// One layer of a case.
private struct LayerFixture {
    let name: String
    let weights: ConvolutionWeights
    let input: Quantizer
    let output: Quantizer
    let stride: Int
    let padding: Int
    let activation: Activation
    let residual: StoredTensor?
    let residualQuantizer: Quantizer?

    init(_ store: TensorStore, _ name: String) throws {
        self.name = name
        let weight = try #require(store["\(name).weights"])
        weights = ConvolutionWeights(
            weight, scale: store["\(name).weight_scales"], bias: store["\(name).bias"], name: name)
        let scales = try #require(store["\(name).scales"]).floats()
        let zeros = try #require(store["\(name).zero_points"]).floats()
        input = Quantizer(scale: scales[0], zero: zeros[0])
        output = Quantizer(scale: scales[1], zero: zeros[1])
        let geometry = try #require(store["\(name).geometry"]).floats().map { Int($0) }
        stride = geometry[0]
        padding = geometry[1]
        activation = geometry[2] == 1 ? .relu : .identity
        residual = store["\(name).residual"]
        residualQuantizer =
            try residual?.type == .uint8
            ? Quantizer(
                scale: #require(store["\(name).residual_scale"]).floats()[0],
                zero: #require(store["\(name).residual_zero_point"]).floats()[0]) : nil
    }

    func record(_ graph: Graph, _ x: Value, _ levels: Levels, border: Int) throws -> (Value, Levels) {
        let written = Levels(output, channels: weights.outputs, border: border)
        var extra: Value?, extraLevels: Levels?
        if let residual {
            let shape = try #require(Shape(residual.shape))
            extra = graph.input("\(name).residual", shape)
            if let quantizer = residualQuantizer, let floats = extra {
                let own = Levels(quantizer, channels: shape.channels, border: 0)
                extraLevels = own
                extra = graph.quantize(floats, own)
            }
        }
        let task = IntegerConvolution(
            convolution: Convolution(
                weights: weights, stride: stride, padBefore: padding, padAfter: padding, activation: activation,
                activateLast: true),
            levels: levels, outputLevels: written, residualLevels: extraLevels, enlarges: false)
        return (graph.integerConvolution(task, x, residual: extra, modulation: nil), written)
    }

    func fillResidual(_ plan: Plan) throws {
        guard let residual else { return }
        let q = residualQuantizer ?? Quantizer(scale: 1, zero: 0)
        _ = plan.input("\(name).residual").update(from: residual.floats().map { ($0 - q.zero) * q.scale })
    }
}

extension Shape {
    fileprivate init?(_ dimensions: [Int]) {
        guard dimensions.count == 4 else { return nil }
        self.init(dimensions[0], dimensions[1], dimensions[2], dimensions[3])
    }
}
