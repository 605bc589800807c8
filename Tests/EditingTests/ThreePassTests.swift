import Compute
import Tensors
import TestSupport
import Testing

@testable import Editing
@testable import Networks

/// The fixture `whole-editor` without its guidance embeddings: a base model, which takes three passes a frame.
@Suite struct ThreePassTests {
    private let copy: FixtureCopy
    private let model: EditingModel

    init() throws {
        copy = try FixtureCopy("whole-editor")
        try copy.edit("unet/config.json", ["guidance_embed_dim": nil])
        model = try EditingModel(ModelFolder(path: copy.path))
    }

    /// Against equation 1 of the paper, written out with three passes of their own.
    @Test(arguments: [(Float(1), Float(1)), (1.5, 7.5)])
    func equationOne(_ scales: (image: Float, text: Float)) throws {
        #expect(model.needsUnconditionalPrompt)
        let graph = model.frameGraph(height: 64, width: 72, tokens: 16, pixelsAreFloats: true)
        let reference = try referenceGraph(imageScale: scales.image, textScale: scales.text)
        let results = [graph, reference].map { graph in
            let plan = Plan(graph, pool: testPool)
            fill(plan, scales)
            plan.run()
            return Array(plan.output("edited"))
        }
        // Both are ours, in another order of sums.
        #expect(relativeError(results[0], results[1]) < 1e-5)
    }

    @Test func sessionsUseTheEmptyPrompt() throws {
        func edited(_ guidance: Double) throws -> [UInt8] {
            let settings = EditSettings(prompt: WholeEditor.prompt, guidanceScale: guidance)
            let session = try EditSession(model: model, settings: settings, pool: testPool)
            let input = TestPicture(pattern: 1, size: .init(width: 64, height: 64))
            let output = TestPicture(size: input.size)
            try session.prepare(size: input.size)
            try session.edit(input.view, into: output.mutableView)
            #expect(output.isUntouchedOutside)
            return output.pixels
        }
        #expect(try edited(2) == edited(2))
        #expect(try edited(2) != edited(20))
    }

    private func fill(_ plan: Plan, _ scales: (image: Float, text: Float)) {
        var random = TestRandom(seed: 5)
        for name in ["pixels", "noise"] { _ = plan.input(name).update(from: random.numbers(plan.input(name).count)) }
        let prompts = [("encoder_hidden_states", WholeEditor.prompt), ("unconditional_hidden_states", "")]
        for (name, prompt) in prompts {
            _ = plan.input(name).update(from: model.encode(prompt: prompt, pool: testPool).states)
        }
        _ = plan.input("timestep").update(from: [Float(model.schedule.evaluationTimestep)])
        _ = plan.input("guidance_scale").update(from: [scales.text])
        _ = plan.input("image_guidance_scale").update(from: [scales.image])
        plan.prepare()
    }

    private func referenceGraph(imageScale: Float, textScale: Float) throws -> Graph {
        let folder = try ModelFolder(path: copy.path), graph = Graph()
        let unet = try folder.unet(), latent = Shape(1, 8, 9, 4), states = Shape(1, 1, 16, 16)
        let (latents, features) = try folder.encoder()(graph, graph.input("pixels", Shape(1, 64, 72, 3)))
        let image = graph.affine(latents, scale: 1 / (try folder.autoencoderConfiguration().imageLatentsScale))
        let noise = graph.input("noise", latent), timestep = graph.input("timestep", Shape(1, 1, 1, 1))
        let prompt = graph.input("encoder_hidden_states", states)
        let empty = graph.input("unconditional_hidden_states", states)
        func pass(_ image: Value, _ prompt: Value) -> (prediction: Value, conditioning: Value) {
            unet(
                graph,
                .init(
                    sample: graph.concatenate([noise, image]), timestep: timestep, encoderHiddenStates: prompt))
        }
        let none = pass(graph.zeros(latent), empty).prediction, seen = pass(image, empty).prediction
        let both = pass(image, prompt)
        let ofImage = graph.mix(none, 1 - imageScale, seen, imageScale)
        let ofText = graph.mix(both.prediction, textScale, seen, -textScale)
        let step = model.schedule.oneStep(at: model.schedule.evaluationTimestep)
        let denoised = graph.mix(noise, step.sample, graph.add(ofImage, ofText), step.prediction)
        let conditioning = both.conditioning
        graph.output(
            "edited", try folder.decoder()(graph, denoised, features: features, conditioning: conditioning))
        return graph
    }
}
