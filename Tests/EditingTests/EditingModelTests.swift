import Compute
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Editing
@testable import Networks

/// A pool for all tests of this target.
let testPool = WorkerPool(threads: 2)

/// The model of the fixture `whole-editor`, loaded once.
enum WholeEditor {
    static let path = "\(fixtureFolder)/whole-editor"
    static let model = Result { try EditingModel(ModelFolder(path: path)) }
    static let prompt = "Turn it into a pencil sketch, please!"

    static func session(
        _ prompt: String = prompt, guidance: Double? = nil, imageGuidance: Double? = nil, seed: UInt64 = 0
    ) throws -> EditSession {
        let settings = EditSettings(
            prompt: prompt, guidanceScale: guidance, imageGuidanceScale: imageGuidance, seed: seed)
        return try EditSession(model: try model.get(), settings: settings, pool: testPool)
    }
}

/// The fixture `whole-editor`: a complete model, and one frame edited by the reference implementation.
@Suite struct EditingModelTests {
    /// As for the networks: a hundred times the rounding of float32 sums of this length.
    private static let tolerance = 1e-4

    private let model: EditingModel
    private let inputs: TensorStore
    private let outputs: TensorStore

    init() throws {
        model = try WholeEditor.model.get()
        inputs = try TensorStore(file: "\(WholeEditor.path)/inputs.safetensors")
        outputs = try TensorStore(file: "\(WholeEditor.path)/outputs.safetensors")
    }

    @Test func promptIsTheFixtures() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(WholeEditor.path)/inputs.json"))
        let given = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(given["prompt"] as? String == WholeEditor.prompt)
        #expect(given["timestep"] as? Int == model.schedule.evaluationTimestep)
        #expect(given["guidance_scale"] as? Double == model.guidance.defaultGuidanceScale)
        #expect(given["image_guidance_scale"] as? Double == model.guidance.defaultImageGuidanceScale)
    }

    @Test func tokenIds() throws {
        let tokenizer = try CLIPTokenizer(folder: "\(WholeEditor.path)/tokenizer")
        let reference = try #require(outputs["input_ids"]).floats()
        #expect(tokenizer.encode(WholeEditor.prompt).ids.map(Float.init) == reference)
    }

    @Test func hiddenStates() throws {
        let reference = try #require(outputs["encoder_hidden_states"])
        let (states, cut) = model.encode(prompt: WholeEditor.prompt, pool: testPool)
        #expect(cut == 0 && model.tokens(of: states) == reference.shape[1])
        #expect(relativeError(states, reference.floats()) < Self.tolerance)
    }

    @Test func editedFrame() throws {
        let pixels = try #require(inputs["pixels"]), noise = try #require(inputs["noise"])
        let height = pixels.shape[2], width = pixels.shape[3]
        let (states, _) = model.encode(prompt: WholeEditor.prompt, pool: testPool)
        let plan = Plan(
            model.frameGraph(
                height: height, width: width, tokens: model.tokens(of: states), pixelsAreFloats: true), pool: testPool)
        func fill(_ name: String, _ numbers: [Float]) {
            #expect(plan.input(name).count == numbers.count, "\(name)")
            _ = plan.input(name).update(from: numbers)
        }
        fill("pixels", channelsLast(pixels))
        fill("noise", channelsLast(noise))
        fill("encoder_hidden_states", states)
        fill("timestep", [Float(model.schedule.evaluationTimestep)])
        for name in ["guidance_scale", "image_guidance_scale"] {
            let scale = try #require(inputs[name])
            fill(name, scale.floats())
        }
        plan.prepare()
        plan.run()
        let reference = try #require(outputs["pixels"])
        let error = relativeError(Array(plan.output("edited")), channelsLast(reference))
        #expect(error < Self.tolerance, "relative error \(error)")
        #expect(plan.stages.map(\.name) == ["encode", "denoise", "decode"])
    }

    private func channelsLast(_ tensor: StoredTensor) -> [Float] {
        let s = tensor.shape
        return transposed(tensor.floats(), batch: s[0], rows: s[1], columns: s[2] * s[3])
    }
}
