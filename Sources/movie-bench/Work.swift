import ArgumentParser
import Compute
import Editing
import Foundation
import Frames
import Networks
import Service
import Tensors

/// What can be timed.
enum WorkName: String, CaseIterable, ExpressibleByArgument {
    case unet
    case encoder = "vae-encoder"
    case decoder = "vae-decoder"
    case frame = "nano-frame"

    var part: PartRunner.Part? {
        switch self {
        case .unet: .unet
        case .encoder: .encoder
        case .decoder: .decoder
        case .frame: nil
        }
    }
}

/// A loaded network or editor, ready to run.
struct Work {
    /// Runs once.
    let run: () throws -> Void
    /// The steps behind it.
    let plan: Plan
    /// Outputs of the last run.
    let results: () -> [TensorSource]

    /// Loads and plans. Without `inputs`, numbers from a fixed seed.
    init(
        _ name: WorkName, folder: ModelFolder, precision: Precision, size: FrameSize, prompt: String, inputs: String?,
        pool: WorkerPool
    ) throws {
        if let part = name.part {
            let store = try inputs.map { try TensorStore(file: $0) } ?? Self.randomInputs(part, folder, size)
            let planned = try PartRunner(folder, pool: pool, precision: precision).plan(part, inputs: store)
            plan = planned.plan
            run = {  // as a session does: the thread on a processor of its own
                pool.begin()
                defer { pool.end() }
                planned.plan.run()
            }
            results = { planned.results().map { TensorSource($0) } }
        } else {
            let model = try EditingModel(folder, precision: precision)
            let session = try EditSession(model: model, settings: EditSettings(prompt: prompt), pool: pool)
            try session.prepare(size: size)
            guard let frame = session.frame else { throw ValidationError("the editor has no plan") }
            plan = frame.plan
            let input = try inputs.map { try Self.picture($0) } ?? Self.randomPicture(size)
            let box = FrameBox(input)
            run = { try box.edit(by: session) }
            results = { [box.tensor] }
        }
    }

    /// A picture `pixels` [height, width, 3], U8, of a file.
    private static func picture(_ path: String) throws -> StoredFrame {
        let store = try TensorStore(file: path)
        guard let tensor = store["pixels"], tensor.type == .uint8, tensor.shape.count == 3, tensor.shape[2] == 3 else {
            throw ValidationError("\(path) must hold pixels, U8 [height, width, 3]")
        }
        return StoredFrame(
            size: FrameSize(width: tensor.shape[1], height: tensor.shape[0]),
            pixels: tensor.withBytes { Array($0) })
    }

    private static func randomPicture(_ size: FrameSize) -> StoredFrame {
        var state: UInt64 = 1
        // Smooth shades with a little noise, as cameras give.
        let pixels = (0..<size.width * size.height * 3).map { index -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let place = index / 3, column = place % size.width, row = place / size.width
            return UInt8((column * 3 / 4 + row / 2 + index % 3 * 40 + Int(state >> 60)) & 255)
        }
        return StoredFrame(size: size, pixels: pixels)
    }

    /// Inputs as a reference's forward takes them, standard normal numbers, by way of a file that is removed again.
    private static func randomInputs(
        _ part: PartRunner.Part, _ folder: ModelFolder, _ size: FrameSize
    ) throws -> TensorStore {
        var noise = Noise(seed: 1)
        func tensor(_ name: String, _ shape: [Int]) -> NamedTensor {
            var values = [Float](repeating: 0, count: shape.reduce(1, *))
            noise.fill(&values)
            return NamedTensor(name: name, shape: shape, values: values)
        }
        let vae = folder.has(.autoencoder) ? try folder.autoencoderConfiguration() : nil
        let factor = vae?.factor ?? 8
        let height = size.height / factor, width = size.width / factor
        var tensors: [NamedTensor] = []
        switch part {
        case .unet:
            let c = try folder.unetConfiguration()
            tensors = [
                tensor("sample", [1, c.inChannels, height, width]),
                tensor("encoder_hidden_states", [1, 77, c.textProjectionDim ?? c.crossAttentionDim]),
                NamedTensor(name: "timestep", shape: [1], values: [999]),
                NamedTensor(name: "guidance_scale", shape: [1], values: [7.5]),
                NamedTensor(name: "image_guidance_scale", shape: [1], values: [1.5]),
            ]
        case .encoder: tensors = [tensor("sample", [1, 3, size.height, size.width])]
        case .decoder: tensors = [tensor("sample", [1, vae?.latentChannels ?? 4, height, width])]
        case .textEncoder: break
        }
        let path = NSTemporaryDirectory() + "movie-bench-\(getpid()).safetensors"
        try writeSafeTensors(tensors, to: path)
        defer { unlink(path) }
        return try TensorStore(file: path)
    }
}

/// A picture and what was made of it, in memory taken once.
private final class FrameBox {
    private let input: StoredFrame
    private var output: StoredFrame

    init(_ input: StoredFrame) {
        self.input = input
        output = StoredFrame(size: input.size)
    }

    func edit(by editor: any FrameEditor) throws { try input.edit(by: editor, into: &output) }

    var tensor: TensorSource {
        let output = output
        return TensorSource(
            name: "pixels", type: .uint8, shape: [output.size.height, output.size.width, 3], bytes: { output.pixels })
    }
}
