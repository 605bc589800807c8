import Compute
import Tensors

/// Runs one network of a model on given tensors, named and laid out as the reference's forward has them
/// (`[batch, channels, height, width]`), so that whoever doubts a model can check it from outside.
public struct PartRunner {
    /// The networks that can be run alone.
    public enum Part: String, CaseIterable, Sendable {
        case unet
        case encoder = "vae-encoder"
        case decoder = "vae-decoder"
        case textEncoder = "text-encoder"
    }

    private let folder: ModelFolder
    private let pool: WorkerPool
    private let quantization: Quantization?

    /// A runner for the parts of `folder`. Throws for integers asked of a folder that was not quantized.
    public init(_ folder: ModelFolder, pool: WorkerPool, precision: Precision = .float) throws {
        self.folder = folder
        self.pool = pool
        quantization = try folder.quantization(for: precision)
    }

    /// Computes the outputs of `part`, named as the reference names them.
    ///
    /// - Parameter inputs: unet: sample, timestep, encoder_hidden_states, where the model has them guidance_scale,
    ///   image_guidance_scale, class_labels, and the samples of anchor frames, anchor.0 to anchor.6; vae-encoder: sample (or x); vae-decoder: sample (or x, z, latents), for a
    ///   model with skips features.N and conditioning; text-encoder: input_ids.
    /// - Throws: for a missing input or one whose shape does not fit the model.
    public func run(_ part: Part, inputs: TensorStore) throws -> [NamedTensor] {
        let planned = try plan(part, inputs: inputs)
        planned.fillAnchors()
        planned.plan.run()
        return planned.results()
    }

    /// A network with its inputs in place, ready to run as often as wanted.
    public struct Planned {
        /// Run it, then ask for `results`.
        public let plan: Plan
        fileprivate let outputs: [(String, Value, Layout)]
        fileprivate var anchors = AnchorSamples()

        /// The outputs of the last run, named and laid out as the reference's.
        public func results() -> [NamedTensor] {
            outputs.map { name, value, layout in layout.export(name, value.shape, plan.output(name)) }
        }

        /// Runs the anchor frames that were given, each attending to itself alone; the next run attends to all of them.
        public func fillAnchors() { anchors.fill(plan) }
    }

    /// Plans `part` for these inputs, as `run` takes them.
    public func plan(_ part: Part, inputs: TensorStore) throws -> Planned {
        var bindings = Bindings(inputs)
        let graph = Graph()
        var outputs: [(String, Value, Layout)]
        let anchors = part == .unet ? try AnchorSamples(inputs) : AnchorSamples()
        graph.anchorSlots = anchors.count
        switch part {
        case .unet: outputs = try recordUNet(graph, &bindings)
        case .encoder: outputs = try recordEncoder(graph, &bindings)
        case .decoder: outputs = try recordDecoder(graph, &bindings)
        case .textEncoder: outputs = try recordTextEncoder(graph, &bindings)
        }
        for (name, value, _) in outputs { graph.output(name, value) }
        let plan = Plan(quantization.map { graph.quantized($0) } ?? graph, pool: pool)
        bindings.fill(plan)
        plan.prepare()
        return Planned(plan: plan, outputs: outputs, anchors: anchors)
    }

    private func recordUNet(_ graph: Graph, _ b: inout Bindings) throws -> [(String, Value, Layout)] {
        let unet = try folder.unet()
        let c = unet.configuration
        let sample = try b.image(graph, "sample", channels: c.inChannels)
        let batch = sample.shape.batch
        guard min(sample.shape.height, sample.shape.width) >= c.smallestSide else {
            throw ModelError(
                "sample is \(sample.shape.width)x\(sample.shape.height); this UNet takes at least "
                    + "\(c.smallestSide)x\(c.smallestSide)")
        }
        var inputs = UNet2DConditionModel.Inputs(
            sample: sample, timestep: try b.number(graph, "timestep", batch: batch),
            encoderHiddenStates: try b.sequence(
                graph, "encoder_hidden_states", batch: batch, channels: c.textProjectionDim ?? c.crossAttentionDim))
        if c.hasGuidanceEmbedding {
            inputs.guidanceScale = try b.number(graph, "guidance_scale", batch: batch)
            inputs.imageGuidanceScale = try b.number(graph, "image_guidance_scale", batch: batch)
        }
        switch c.classEmbedding {
        case .none: break
        case .timestep: inputs.classLabels = try b.number(graph, "class_labels", batch: batch)
        case .projection(let width):
            inputs.classLabels = try b.vector(graph, "class_labels", batch: batch, channels: width)
        }
        let (prediction, conditioning) = unet(graph, inputs)
        let embeddings: [(String, Value, Layout)] =
            c.hasGuidanceEmbedding ? [("conditioning", conditioning, .vector)] : []
        return [("sample", prediction, .image)] + embeddings
    }

    private func recordEncoder(_ graph: Graph, _ b: inout Bindings) throws -> [(String, Value, Layout)] {
        let encoder = try folder.encoder(), c = try folder.autoencoderConfiguration()
        let pixels = try b.image(graph, "sample", aliases: ["x", "pixels"], channels: 3)
        guard pixels.shape.height % c.patchSize == 0, pixels.shape.width % c.patchSize == 0 else {
            throw ModelError(
                "sample is \(pixels.shape.width)x\(pixels.shape.height); both must be multiples of \(c.patchSize)")
        }
        let (latents, features) = encoder(graph, pixels)
        let named = features.enumerated().map { ("features.\($0)", $1, Layout.image) }
        return [("latents", latents, .image)] + (c.hasSkips ? named : [])
    }

    private func recordDecoder(_ graph: Graph, _ b: inout Bindings) throws -> [(String, Value, Layout)] {
        let decoder = try folder.decoder(), c = try folder.autoencoderConfiguration()
        let latents = try b.image(graph, "sample", aliases: ["x", "z", "latents"], channels: c.latentChannels)
        var features: [Value] = []
        if c.hasSkips {
            let widths = [3 * c.patchSize * c.patchSize] + c.encoderChannels
            for (index, width) in widths.enumerated() {
                let feature = try b.image(graph, "features.\(index)", channels: width)
                let halvings = c.encoderChannels.count - max(1, index)  // the patches are as large as the finest level
                let wanted = Shape(
                    latents.shape.batch, latents.shape.height << halvings, latents.shape.width << halvings, width)
                guard feature.shape == wanted else {
                    throw ModelError(
                        "features.\(index) is \(feature.shape.width)x\(feature.shape.height) in a batch of "
                            + "\(feature.shape.batch), for this sample it must be \(wanted.width)x\(wanted.height) in a "
                            + "batch of \(wanted.batch)")
                }
                features.append(feature)
            }
        }
        let conditioning = try c.conditioningDim.map {
            try b.vector(graph, "conditioning", batch: latents.shape.batch, channels: $0)
        }
        return [("sample", decoder(graph, latents, features: features, conditioning: conditioning), .image)]
    }

    private func recordTextEncoder(_ graph: Graph, _ b: inout Bindings) throws -> [(String, Value, Layout)] {
        let encoder = try folder.textEncoder()
        let ids = try b.tokens(
            graph, "input_ids", longest: encoder.configuration.maxPositions,
            vocabulary: encoder.configuration.vocabularySize)
        let (states, pooled) = encoder(graph, ids)
        return [("last_hidden_state", states, .sequence), ("pooler_output", pooled, .vector)]
    }
}

/// How a value is laid out in the reference.
private enum Layout {
    case image, sequence, vector

    /// The value as a tensor of the reference's shape.
    func export(_ name: String, _ shape: Shape, _ values: UnsafeBufferPointer<Float>) -> NamedTensor {
        switch self {
        case .vector: NamedTensor(name: name, shape: [shape.batch, shape.channels], values: Array(values))
        case .sequence:
            NamedTensor(name: name, shape: [shape.batch, shape.area, shape.channels], values: Array(values))
        case .image:
            NamedTensor(
                name: name, shape: [shape.batch, shape.channels, shape.height, shape.width],
                values: transposedRows(Array(values), batch: shape.batch, rows: shape.area, columns: shape.channels))
        }
    }
}

/// [batch, rows, columns] to [batch, columns, rows].
func transposedRows(_ values: [Float], batch: Int, rows: Int, columns: Int) -> [Float] {
    var result = [Float](repeating: 0, count: values.count)
    for element in 0..<batch {
        let base = element * rows * columns
        for row in 0..<rows {
            for column in 0..<columns {
                result[base &+ column &* rows &+ row] = values[base &+ row &* columns &+ column]
            }
        }
    }
    return result
}

/// The given tensors, checked against what a network wants and turned into its layout.
private struct Bindings {
    private let store: TensorStore
    private var values: [String: [Float]] = [:]

    init(_ store: TensorStore) { self.store = store }

    /// Writes all bound tensors into the plan's inputs.
    func fill(_ plan: Plan) {
        for (name, numbers) in values { _ = plan.input(name).update(from: numbers) }
    }

    private func find(_ name: String, rank: ClosedRange<Int>, _ wanted: String) throws(ModelError) -> StoredTensor {
        guard let tensor = store[name] else {
            throw ModelError("\(store.origin): the input \(name) is missing; it should be \(wanted)")
        }
        guard rank.contains(tensor.shape.count), tensor.count > 0 else {
            throw ModelError("\(store.origin): \(name) has the shape \(tensor.shape), it should be \(wanted)")
        }
        return tensor
    }

    private func mismatch(_ tensor: StoredTensor, _ wanted: String) -> ModelError {
        ModelError("\(store.origin): \(tensor.name) has the shape \(tensor.shape), it should be \(wanted)")
    }

    /// `aliases`: other names of the same argument in the reference's methods.
    mutating func image(
        _ graph: Graph, _ name: String, aliases: [String] = [], channels: Int
    ) throws(ModelError) -> Value {
        let wanted = "[batch, \(channels), height, width]"
        let given = ([name] + aliases).first { store[$0] != nil } ?? name
        let tensor = try find(given, rank: 4...4, wanted)
        let shape = tensor.shape
        guard shape[1] == channels else { throw mismatch(tensor, wanted) }
        values[name] = transposedRows(tensor.floats(), batch: shape[0], rows: channels, columns: shape[2] * shape[3])
        return graph.input(name, Shape(shape[0], shape[2], shape[3], channels))
    }

    mutating func sequence(_ graph: Graph, _ name: String, batch: Int, channels: Int) throws(ModelError) -> Value {
        let wanted = "[\(batch), length, \(channels)]"
        let tensor = try find(name, rank: 3...3, wanted)
        guard tensor.shape[0] == batch, tensor.shape[2] == channels else { throw mismatch(tensor, wanted) }
        values[name] = tensor.floats()
        return graph.input(name, Shape(batch, 1, tensor.shape[1], channels), isStatic: true)
    }

    mutating func vector(_ graph: Graph, _ name: String, batch: Int, channels: Int) throws(ModelError) -> Value {
        let wanted = "[\(batch), \(channels)]"
        let tensor = try find(name, rank: 2...2, wanted)
        guard tensor.shape == [batch, channels] else { throw mismatch(tensor, wanted) }
        values[name] = tensor.floats()
        return graph.input(name, Shape(batch, 1, 1, channels), isStatic: true)
    }

    /// A number for every batch element, or one for all.
    mutating func number(_ graph: Graph, _ name: String, batch: Int) throws(ModelError) -> Value {
        let wanted = "a number or [\(batch)]"
        let tensor = try find(name, rank: 0...1, wanted)
        guard tensor.count == batch || tensor.count == 1 else { throw mismatch(tensor, wanted) }
        let numbers = tensor.floats()
        values[name] = numbers.count == batch ? numbers : Array(repeating: numbers[0], count: batch)
        return graph.input(name, Shape(batch, 1, 1, 1), isStatic: true)
    }

    mutating func tokens(
        _ graph: Graph, _ name: String, longest: Int, vocabulary: Int
    ) throws(ModelError) -> Value {
        let wanted = "[batch, length] with a length of at most \(longest)"
        let tensor = try find(name, rank: 2...2, wanted)
        guard tensor.shape[1] <= longest else { throw mismatch(tensor, wanted) }
        let ids = tensor.floats()
        if let bad = ids.first(where: { !(0..<Float(vocabulary)).contains($0) || $0 != $0.rounded() }) {
            throw ModelError(
                "\(store.origin): \(name) holds \(bad), it must hold whole numbers from 0 to \(vocabulary - 1)")
        }
        values[name] = ids
        return graph.input(name, Shape(tensor.shape[0], 1, tensor.shape[1], 1))
    }
}
