import Compute
import Tensors

/// Residual blocks, a transformer after each where the level has attention.
struct UNetLayers {
    let resnets: [ResnetBlock2D]
    let attentions: [Transformer2DModel]

    /// `inputs`: channels entering each residual block.
    init(
        _ scope: WeightScope, inputs: [Int], outputs: Int, embedding: Int, resnet: ResnetBlock2D.Settings,
        transformer: Transformer2DModel.Settings?
    ) throws(TensorError) {
        var resnets: [ResnetBlock2D] = [], attentions: [Transformer2DModel] = []
        for (index, width) in inputs.enumerated() {
            resnets.append(
                try ResnetBlock2D(
                    scope["resnets"][index], inputs: width, outputs: outputs, embedding: embedding, settings: resnet))
            if let transformer {
                attentions.append(
                    try Transformer2DModel(scope["attentions"][index], channels: outputs, settings: transformer))
            }
        }
        self.resnets = resnets
        self.attentions = attentions
    }

    /// One layer: residual block `index` and its transformer, if it has one.
    func callAsFunction(_ graph: Graph, _ index: Int, _ x: Value, embedding: Value, prompt: Value) -> Value {
        let h = resnets[index](graph, x, embedding: embedding)
        return index < attentions.count ? attentions[index](graph, h, prompt: prompt) : h
    }
}

/// DownBlock2D and CrossAttnDownBlock2D. Keys: resnets.N, attentions.N, downsamplers.0.conv (but at the lowest level).
struct DownBlock {
    private let layers: UNetLayers
    private let downsampler: ConvolutionWeights?
    private let padding: Int

    init(
        _ scope: WeightScope, layers: UNetLayers, channels: Int, hasDownsampler: Bool, padding: Int
    ) throws(TensorError) {
        self.layers = layers
        downsampler = hasDownsampler ? try scope["downsamplers"][0]["conv"].convolution(channels, channels) : nil
        self.padding = padding
    }

    /// Returns what every layer and the downsampler leave for the way up; the last is the block's output.
    func callAsFunction(_ graph: Graph, _ x: Value, embedding: Value, prompt: Value) -> [Value] {
        var outputs: [Value] = []
        var h = x
        for index in layers.resnets.indices {
            h = layers(graph, index, h, embedding: embedding, prompt: prompt)
            outputs.append(h)
        }
        if let downsampler {  // without padding, diffusers adds a row below and a column on the right
            outputs.append(
                graph.convolution(h, downsampler, stride: 2, padding: padding, padEnd: padding == 0 ? 1 : padding))
        }
        return outputs
    }
}

/// UpBlock2D and CrossAttnUpBlock2D. Keys: resnets.N, attentions.N, upsamplers.0.conv (but at the highest level).
struct UpBlock {
    private let layers: UNetLayers
    private let upsampler: ConvolutionWeights?

    init(_ scope: WeightScope, layers: UNetLayers, channels: Int, hasUpsampler: Bool) throws(TensorError) {
        self.layers = layers
        upsampler = hasUpsampler ? try scope["upsamplers"][0]["conv"].convolution(channels, channels) : nil
    }

    /// Takes its skips from the end of `skips`; upsamples to the size of the next one, which matters for odd sizes.
    func callAsFunction(
        _ graph: Graph, _ x: Value, skips: inout [Value], embedding: Value, prompt: Value
    ) -> Value {
        var h = x
        for index in layers.resnets.indices {
            let skip = skips.removeLast()
            h = layers(graph, index, graph.concatenate([h, skip]), embedding: embedding, prompt: prompt)
        }
        guard let upsampler else { return h }
        let height = skips.last?.shape.height ?? 2 * h.shape.height
        let width = skips.last?.shape.width ?? 2 * h.shape.width
        return graph.convolution(graph.resize(h, height: height, width: width), upsampler)
    }
}

/// UNetMidBlock2DCrossAttn: residual block, transformer, residual block; UNetMidBlock2D: one residual block.
/// Keys: resnets.N, attentions.0.
struct MidBlock {
    private let first: ResnetBlock2D
    private let attention: Transformer2DModel?
    private let second: ResnetBlock2D?

    init(
        _ scope: WeightScope, channels: Int, embedding: Int, resnet: ResnetBlock2D.Settings,
        transformer: Transformer2DModel.Settings?
    ) throws(TensorError) {
        func block(_ index: Int) throws(TensorError) -> ResnetBlock2D {
            try ResnetBlock2D(
                scope["resnets"][index], inputs: channels, outputs: channels, embedding: embedding, settings: resnet)
        }
        first = try block(0)
        if let transformer {
            attention = try Transformer2DModel(scope["attentions"][0], channels: channels, settings: transformer)
            second = try block(1)
        } else {
            attention = nil
            second = nil
        }
    }

    func callAsFunction(_ graph: Graph, _ x: Value, embedding: Value, prompt: Value) -> Value {
        var h = first(graph, x, embedding: embedding)
        if let attention { h = attention(graph, h, prompt: prompt) }
        return second?(graph, h, embedding: embedding) ?? h
    }
}
