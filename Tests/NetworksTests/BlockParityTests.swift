import Compute
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Networks

/// Single blocks against diffusers and transformers, on the fixtures `block-*` of Training/reference/make_fixtures.py.
/// The tolerance is that of whole networks.
private let tolerance = 1e-4

@Suite struct BlockParityTests {
    /// Every fixture is handled by the function of its class: an unknown class fails.
    @Test(arguments: fixtures("block-"))
    func block(_ name: String) throws {
        let fixture = try BlockFixture(name)
        let record = try #require(recorders[fixture.className], "\(name) is of the class \(fixture.className)")
        let outputs = try record(fixture)
        for (output, value) in outputs { fixture.graph.output(output, value) }
        let plan = fixture.run()
        #expect(Set(outputs.keys) == fixture.outputNames, "\(name): every reference output is compared")
        for (output, value) in outputs {
            let reference = try #require(fixture.store["outputs.\(output)"])
            let (shape, numbers) = referenceLayout(plan.output(output), value.shape, rank: reference.shape.count)
            #expect(shape == reference.shape, "\(name) \(output)")
            let error = relativeError(numbers, reference.floats())
            #expect(error < tolerance, "\(name) \(output): relative error \(error)")
        }
    }
}

/// What records a block's steps, by the reference's class.
private let recorders: [String: @Sendable (BlockFixture) throws -> [String: Value]] = [
    "ResnetBlock2D": resnet, "Transformer2DModel": transformer, "BasicTransformerBlock": basicTransformer,
    "Attention": attention, "Downsample2D": downsample, "Upsample2D": upsample, "CrossAttnDownBlock2D": downBlock,
    "CrossAttnUpBlock2D": upBlock, "UNetMidBlock2DCrossAttn": midBlock, "TimestepEmbedding": timestepEmbedding,
    "Timesteps": timesteps, "AutoencoderTinyBlock": tinyBlock, "TextTimeEmbedding": textTimeEmbedding,
    "CLIPEncoderLayer": clipLayer,
]

private func resnet(_ f: BlockFixture) throws -> [String: Value] {
    let inputs = try f.int("in_channels")
    let settings = ResnetBlock2D.Settings(
        groups: try f.int("groups"), eps: Float(try f.number("eps")),
        activation: try f.activation("non_linearity", default: .silu),
        scaleShift: f.string("time_embedding_norm") == "scale_shift",
        outputScale: Float(f.optional("output_scale_factor") ?? 1))
    let block = try ResnetBlock2D(
        f.scope, inputs: inputs, outputs: f.optional("out_channels").map { Int($0) } ?? inputs,
        embedding: try f.int("temb_channels"), settings: settings)
    return ["hidden_states": block(f.graph, try f.input("input_tensor"), embedding: try f.input("temb"))]
}

private func transformer(_ f: BlockFixture) throws -> [String: Value] {
    let settings = Transformer2DModel.Settings(
        context: try f.int("cross_attention_dim"), heads: try f.int("num_attention_heads"),
        layers: Int(f.optional("num_layers") ?? 1), groups: try f.int("norm_num_groups"),
        usesLinearProjection: f.bool("use_linear_projection"), onlyCrossAttention: false)
    let model = try Transformer2DModel(f.scope, channels: try f.int("in_channels"), settings: settings)
    return ["hidden_states": model(f.graph, try f.input("hidden_states"), prompt: try f.prompt())]
}

private func basicTransformer(_ f: BlockFixture) throws -> [String: Value] {
    let block = try BasicTransformerBlock(
        f.scope, channels: try f.int("dim"), context: try f.int("cross_attention_dim"),
        heads: try f.int("num_attention_heads"), onlyCrossAttention: f.bool("only_cross_attention"))
    return ["hidden_states": block(f.graph, try f.input("hidden_states"), prompt: try f.prompt())]
}

private func attention(_ f: BlockFixture) throws -> [String: Value] {
    let channels = try f.int("query_dim")
    let context = f.optional("cross_attention_dim").map { Int($0) }
    let attention = try Attention(
        f.scope, channels: channels, context: context ?? channels, heads: try f.int("heads"))
    return [
        "hidden_states": attention(
            f.graph, try f.input("hidden_states"), context: context == nil ? nil : try f.prompt())
    ]
}

/// As `DownBlock` calls it.
private func downsample(_ f: BlockFixture) throws -> [String: Value] {
    let channels = try f.int("channels"), padding = try f.int("padding")
    let result = f.graph.convolution(
        try f.input("hidden_states"), try f.scope["conv"].convolution(channels, channels), stride: 2, padding: padding,
        padEnd: padding == 0 ? 1 : padding)
    return ["hidden_states": result]
}

/// As `UpBlock` calls it.
private func upsample(_ f: BlockFixture) throws -> [String: Value] {
    let channels = try f.int("channels"), x = try f.input("hidden_states")
    let size = f.forward("output_size") ?? [2 * x.shape.height, 2 * x.shape.width]
    let larger = f.graph.resize(x, height: size[0], width: size[1])
    return ["hidden_states": f.graph.convolution(larger, try f.scope["conv"].convolution(channels, channels))]
}

private func downBlock(_ f: BlockFixture) throws -> [String: Value] {
    let outputs = try f.int("out_channels")
    let widths = [try f.int("in_channels")] + Array(repeating: outputs, count: try f.int("num_layers") - 1)
    let block = try DownBlock(
        f.scope, layers: try f.layers(widths, outputs), channels: outputs, hasDownsampler: true, padding: 1)
    let residuals = block(
        f.graph, try f.input("hidden_states"), embedding: try f.input("temb"), prompt: try f.prompt())
    var named = Dictionary(uniqueKeysWithValues: residuals.enumerated().map { ("residuals.\($0)", $1) })
    named["hidden_states"] = try #require(residuals.last)
    return named
}

private func upBlock(_ f: BlockFixture) throws -> [String: Value] {
    let outputs = try f.int("out_channels"), count = try f.int("num_layers")
    let below = try f.int("prev_output_channel"), above = try f.int("in_channels")
    let widths = (0..<count).map { ($0 == 0 ? below : outputs) + ($0 == count - 1 ? above : outputs) }
    let block = try UpBlock(f.scope, layers: try f.layers(widths, outputs), channels: outputs, hasUpsampler: true)
    var skips = try (0..<count).map { try f.input("residuals.\($0)") }
    if let size = f.forward("upsample_size") {  // the next level's skip gives the size
        skips.insert(f.graph.zeros(Shape(2, size[0], size[1], 1)), at: 0)
    }
    let result = block(
        f.graph, try f.input("hidden_states"), skips: &skips, embedding: try f.input("temb"), prompt: try f.prompt())
    return ["hidden_states": result]
}

private func midBlock(_ f: BlockFixture) throws -> [String: Value] {
    let block = try MidBlock(
        f.scope, channels: try f.int("in_channels"), embedding: try f.int("temb_channels"),
        resnet: try f.resnetSettings(), transformer: try f.transformerSettings())
    return [
        "hidden_states": block(
            f.graph, try f.input("hidden_states"), embedding: try f.input("temb"), prompt: try f.prompt())
    ]
}

private func timestepEmbedding(_ f: BlockFixture) throws -> [String: Value] {
    let embedding = try TimestepEmbedding(
        f.scope, inputs: try f.int("in_channels"), outputs: try f.int("time_embed_dim"))
    return ["hidden_states": embedding(f.graph, try f.input("sample"))]
}

private func timesteps(_ f: BlockFixture) throws -> [String: Value] {
    let result = f.graph.sinusoid(
        try f.input("timesteps"), channels: try f.int("num_channels"), flipSinToCos: f.bool("flip_sin_to_cos"),
        frequencyShift: Float(try f.number("downscale_freq_shift")))
    return ["hidden_states": result]
}

private func tinyBlock(_ f: BlockFixture) throws -> [String: Value] {
    let block = try AutoencoderTinyBlock(
        f.scope, inputs: try f.int("in_channels"), outputs: try f.int("out_channels"),
        activation: try f.activation("act_fn", default: .relu), conditioning: nil)
    return ["hidden_states": block(f.graph, try f.input("x"))]
}

private func textTimeEmbedding(_ f: BlockFixture) throws -> [String: Value] {
    let embedding = try TextTimeEmbedding(
        f.scope, textWidth: try f.int("encoder_dim"), outputs: try f.int("time_embed_dim"),
        heads: try f.int("num_heads"))
    return ["hidden_states": embedding(f.graph, try f.input("hidden_states"))]
}

/// The block's config.json names its settings as transformers' text configuration does.
private func clipLayer(_ f: BlockFixture) throws -> [String: Value] {
    let layer = try CLIPEncoderLayer(f.scope, try CLIPTextConfiguration(Configuration(path: f.configurationPath)))
    return ["hidden_states": layer(f.graph, try f.input("hidden_states"))]
}

/// A `block-*` folder, and the graph that its inputs enter.
private final class BlockFixture {
    let graph = Graph()
    let store: TensorStore
    let scope: WeightScope
    let configurationPath: String
    private let configuration: [String: Any]
    private var values: [String: [Float]] = [:]

    init(_ name: String) throws {
        let folder = "\(fixtureFolder)/\(name)"
        configurationPath = "\(folder)/config.json"
        store = try TensorStore(file: "\(folder)/tensors.safetensors")
        scope = WeightScope(store, part: "block")["weights"]
        let data = try Data(contentsOf: URL(fileURLWithPath: configurationPath))
        configuration = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    var className: String { string("_class_name") ?? "none" }
    var outputNames: Set<String> {
        Set(store.names.filter { $0.hasPrefix("outputs.") }.map { String($0.dropFirst("outputs.".count)) })
    }

    func string(_ key: String) -> String? { configuration[key] as? String }
    func bool(_ key: String) -> Bool { configuration[key] as? Bool ?? false }
    func optional(_ key: String) -> Double? { (configuration[key] as? NSNumber)?.doubleValue }
    func number(_ key: String) throws -> Double { try #require(optional(key), "the key \(key)") }
    func int(_ key: String) throws -> Int { Int(try number(key)) }
    func forward(_ key: String) -> [Int]? { (configuration["forward"] as? [String: Any])?[key] as? [Int] }
    func activation(_ key: String, default fallback: Activation) throws -> Activation {
        guard let name = string(key) else { return fallback }
        return try #require(Activation(configured: name))
    }

    /// The input `name` in our layout: images lose their order, sequences and vectors gain dimensions of 1.
    func input(_ name: String) throws -> Value {
        let tensor = try #require(store["inputs.\(name)"])
        let s = tensor.shape, numbers = tensor.floats()
        switch s.count {
        case 4:
            values[name] = transposed(numbers, batch: s[0], rows: s[1], columns: s[2] * s[3])
            return graph.input(name, Shape(s[0], s[2], s[3], s[1]))
        case 3:
            values[name] = numbers
            return graph.input(name, Shape(s[0], 1, s[1], s[2]))
        default:
            values[name] = numbers
            return graph.input(name, Shape(s[0], 1, 1, s.count == 2 ? s[1] : 1))
        }
    }

    func prompt() throws -> Value { try input("encoder_hidden_states") }

    func resnetSettings() throws -> ResnetBlock2D.Settings {
        .init(
            groups: try int("resnet_groups"), eps: Float(try number("resnet_eps")),
            activation: try activation("resnet_act_fn", default: .silu), scaleShift: false)
    }

    func transformerSettings() throws -> Transformer2DModel.Settings {
        .init(
            context: try int("cross_attention_dim"), heads: try int("num_attention_heads"), layers: 1,
            groups: try int("resnet_groups"), usesLinearProjection: false, onlyCrossAttention: false)
    }

    func layers(_ widths: [Int], _ outputs: Int) throws -> UNetLayers {
        try UNetLayers(
            scope, inputs: widths, outputs: outputs, embedding: try int("temb_channels"), resnet: resnetSettings(),
            transformer: transformerSettings())
    }

    func run() -> Plan {
        let plan = Plan(graph, pool: ParityTests.pool)
        for (name, numbers) in values { _ = plan.input(name).update(from: numbers) }
        plan.prepare()
        plan.run()
        return plan
    }
}

/// A value as the reference lays out tensors of this rank.
private func referenceLayout(_ values: UnsafeBufferPointer<Float>, _ s: Shape, rank: Int) -> ([Int], [Float]) {
    switch rank {
    case 4:
        (
            [s.batch, s.channels, s.height, s.width],
            transposed(Array(values), batch: s.batch, rows: s.area, columns: s.channels)
        )
    case 3: ([s.batch, s.area, s.channels], Array(values))
    default: ([s.batch, s.channels], Array(values))
    }
}
