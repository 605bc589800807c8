import Compute
import Tensors

/// GroupNorm, activation and convolution, twice, with the time embedding between and a residual around.
/// Keys: norm1, conv1, time_emb_proj, norm2, conv2, conv_shortcut (where the width changes).
struct ResnetBlock2D {
    private let norm1: NormalizationWeights
    private let conv1: ConvolutionWeights
    private let timeProjection: ConvolutionWeights
    private let norm2: NormalizationWeights
    private let conv2: ConvolutionWeights
    private let shortcut: ConvolutionWeights?
    private let settings: Settings

    /// What all blocks of a network share.
    struct Settings {
        let groups: Int
        let eps: Float
        let activation: Activation
        let scaleShift: Bool
        var outputScale: Float = 1
    }

    init(
        _ scope: WeightScope, inputs: Int, outputs: Int, embedding: Int, settings: Settings
    ) throws(TensorError) {
        norm1 = try scope["norm1"].normalization(inputs)
        conv1 = try scope["conv1"].convolution(inputs, outputs)
        timeProjection = try scope["time_emb_proj"].linear(embedding, settings.scaleShift ? 2 * outputs : outputs)
        norm2 = try scope["norm2"].normalization(outputs)
        conv2 = try scope["conv2"].convolution(outputs, outputs)
        shortcut = inputs == outputs ? nil : try scope["conv_shortcut"].convolution(inputs, outputs, kernel: 1)
        self.settings = settings
    }

    /// - Parameters:
    ///   - x: [batch, height, width, inputs].
    ///   - embedding: the sum of all embeddings, [batch, 1, 1, embedding].
    func callAsFunction(_ graph: Graph, _ x: Value, embedding: Value) -> Value {
        let activation = settings.activation
        let time = graph.linear(graph.activate(embedding, activation), timeProjection)
        var h = graph.groupNorm(x, norm1, groups: settings.groups, eps: settings.eps, activation: activation)
        h = graph.convolution(h, conv1)
        if settings.scaleShift {
            h = graph.groupNorm(
                h, norm2, groups: settings.groups, eps: settings.eps, modulation: time, activation: activation)
        } else {
            h = graph.modulate(h, by: time)
            h = graph.groupNorm(h, norm2, groups: settings.groups, eps: settings.eps, activation: activation)
        }
        let residual = shortcut.map { graph.convolution(x, $0) } ?? x
        h = graph.convolution(h, conv2, residual: residual)
        return settings.outputScale == 1 ? h : graph.affine(h, scale: 1 / settings.outputScale)
    }
}
