import Compute
import Tensors

/// The multiply-adds of one frame, part by part, counted without loading weights.
public struct ModelWork {
    /// Part and multiply-adds, in the order of a frame; only the parts that the folder has.
    /// `operations` are those of one pass.
    public private(set) var parts: [(name: String, passes: Int, operations: Int)] = []

    /// Bytes that the keys and values of one anchor frame take, in the arithmetic of the folder.
    public private(set) var anchorMemory = 0

    /// Multiply-adds of the whole frame.
    public var operations: Int { parts.reduce(0) { $0 + $1.passes * $1.operations } }

    /// Counts for frames of height x width pixels. The UNet is counted at an eighth of it where the folder has no
    /// autoencoder, with the longest prompt, in one pass for a guided model and three for a base model (equation 1).
    public init(_ folder: ModelFolder, height: Int, width: Int) throws {
        var factor = 8
        if folder.has(.autoencoder) {
            let autoencoder = try folder.autoencoderConfiguration()
            factor = autoencoder.factor
            let pixels = Shape(1, height, width, 3)
            let latents = Shape(1, height / factor, width / factor, autoencoder.latentChannels)
            let graph = Graph()
            let encoded = try folder.encoder()(graph, graph.input("pixels", pixels))
            parts.append(("vae encoder", 1, total(graph)))
            let decoding = Graph()
            let features = encoded.features.enumerated().map { decoding.input("features.\($0)", $1.shape) }
            let conditioning = autoencoder.conditioningDim.map {
                decoding.input("conditioning", Shape(1, 1, 1, $0), isStatic: true)
            }
            _ = try folder.decoder()(
                decoding, decoding.input("latents", latents), features: features, conditioning: conditioning)
            parts.append(("vae decoder", 1, total(decoding)))
        }
        if folder.has(.unet) {
            let passes = try folder.unetConfiguration().hasGuidanceEmbedding ? 1 : 3
            let graph = try unet(folder, height: height / factor, width: width / factor)
            let operations = total(graph)
            parts.insert(("unet", passes, operations), at: parts.isEmpty ? 0 : 1)
            let lowered = try folder.quantization(for: nil).map { graph.quantized($0) } ?? graph
            anchorMemory = passes * lowered.anchorMemory
        }
    }

    private func unet(_ folder: ModelFolder, height: Int, width: Int) throws -> Graph {
        let unet = try folder.unet(), c = unet.configuration
        let tokens = folder.has(.textEncoder) ? try folder.textConfiguration().maxPositions : 77
        let graph = Graph()
        graph.anchorSlots = 1
        func number(_ name: String) -> Value { graph.input(name, Shape(1, 1, 1, 1), isStatic: true) }
        _ = unet(
            graph,
            .init(
                sample: graph.input("sample", Shape(1, height, width, c.inChannels)), timestep: number("timestep"),
                encoderHiddenStates: graph.input(
                    "prompt", Shape(1, 1, tokens, c.textProjectionDim ?? c.crossAttentionDim), isStatic: true),
                guidanceScale: number("guidance_scale"), imageGuidanceScale: number("image_guidance_scale")))
        return graph
    }

    private func total(_ graph: Graph) -> Int { graph.operations.reduce(0) { $0 + $1.count } }
}
