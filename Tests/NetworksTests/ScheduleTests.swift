import Foundation
import Tensors
import TestSupport
import Testing

@testable import Networks

/// The reference computes the schedule in float32, ours in float64. 1e-5 covers its thousand products, rounded each.
private let tolerance = 1e-5

@Suite struct ScheduleTests {
    /// The fixture whose configuration clips the prediction, which is refused.
    private static let clipping = "scheduler-linear-epsilon"

    @Test(arguments: fixtures("scheduler-"))
    func alphasAndTimestep(_ name: String) throws {
        let copy = try FixtureCopy(name)
        if name == Self.clipping { try copy.edit("scheduler/scheduler_config.json", ["clip_sample": false]) }
        let schedule = try NoiseSchedule(Configuration(path: copy.file("scheduler/scheduler_config.json")))
        let outputs = try TensorStore(file: copy.file("outputs.safetensors"))
        let alphas = try #require(outputs["alphas_cumprod"]).floats()
        #expect(relativeError(schedule.alphasCumprod.map { Float($0) }, alphas) < tolerance)
        // The last ones are small: each is compared by itself, too.
        for (timestep, (own, reference)) in zip(schedule.alphasCumprod, alphas).enumerated() {
            #expect(abs(own - Double(reference)) <= 1e-6 + 1e-4 * own, "\(name) at \(timestep)")
        }
        #expect(try #require(outputs["timesteps"]).floats() == [Float(schedule.evaluationTimestep)])
    }

    @Test(arguments: fixtures("scheduler-"))
    func denoised(_ name: String) throws {
        let folder = "\(fixtureFolder)/\(name)"
        let path = "\(folder)/scheduler/scheduler_config.json"
        if name == Self.clipping {
            #expect(
                sentence { _ = try NoiseSchedule(Configuration(path: path)) }
                    == "\(path): clip_sample is true, it must be false (others are not supported)")
            return
        }
        let schedule = try NoiseSchedule(Configuration(path: path))
        let inputs = try TensorStore(file: "\(folder)/inputs.safetensors")
        let outputs = try TensorStore(file: "\(folder)/outputs.safetensors")
        let timesteps = try #require(inputs["timestep"]).floats().map { Int($0) }
        let predictions = try #require(inputs["model_output"]).floats()
        let samples = try #require(inputs["sample"]).floats(), reference = try #require(outputs["denoised"]).floats()
        let count = samples.count / timesteps.count
        for (row, timestep) in timesteps.enumerated() {
            let range = row * count..<(row + 1) * count
            let step = schedule.oneStep(at: timestep)
            let own = range.map { samples[$0] * step.sample + predictions[$0] * step.prediction }
            let error = relativeError(own, Array(reference[range]))
            #expect(error < 1e-4, "\(name) at timestep \(timestep): relative error \(error)")
        }
    }

    /// At timestep 0 the boundary condition makes the step the identity, whatever the network says.
    @Test func firstTimestepIsTheIdentity() throws {
        let schedule = try schedule(["prediction_type": "sample"])
        let step = schedule.oneStep(at: 0)
        #expect(step.sample == 1 && step.prediction == 0)
    }

    @Test func evaluationTimestepCanBeGiven() throws {
        #expect(try schedule(["evaluation_timestep": 259]).evaluationTimestep == 259)
        #expect(try schedule(["original_inference_steps": 7]).evaluationTimestep == 7 * 142 - 1)
        #expect(try schedule(["num_train_timesteps": 20]).evaluationTimestep == 19)
        #expect(try schedule(["trained_betas": [0.1, 0.2], "num_train_timesteps": 2]).alphasCumprod.count == 2)
    }

    @Test(arguments: [
        BadKey("num_train_timesteps", 0, "num_train_timesteps is 0, it must be a whole number from 1 to 100000"),
        BadKey("num_train_timesteps", 2.5, "num_train_timesteps is 2.5, it must be a whole number from 1 to 100000"),
        BadKey("beta_start", -1, "beta_start is -1, it must be a number from 0.0 to 1.0"),
        BadKey("beta_end", "much", "beta_end is \"much\", it must be a number from 0.0 to 1.0"),
        BadKey(
            "beta_schedule", "wavy", "beta_schedule is \"wavy\", it must be linear, scaled_linear or squaredcos_cap_v2"),
        BadKey(
            "prediction_type", "future", "prediction_type is \"future\", it must be epsilon, v_prediction or sample"),
        BadKey("timestep_scaling", 0, "timestep_scaling is 0, it must be a number from 1e-06 to 1000000.0"),
        BadKey(
            "original_inference_steps", 1001,
            "original_inference_steps is 1001, it must be a whole number from 1 to 1000"),
        BadKey("evaluation_timestep", 1000, "evaluation_timestep is 1000, it must be a whole number from 0 to 999"),
        BadKey("rescale_betas_zero_snr", 1, "rescale_betas_zero_snr is 1, it must be true or false"),
        BadKey("thresholding", true, "thresholding is true, it must be false (others are not supported)"),
        BadKey(
            "trained_betas", [0.1, 0.2], "trained_betas is [0.1, 0.2], it must be a list of 1000 numbers from 0 to 1"),
    ])
    func badValue(_ bad: BadKey) throws {
        let seen = try #require(sentence { _ = try schedule([bad.key: bad.value]) })
        #expect(seen.hasSuffix("scheduler_config.json: \(bad.expected)"), "\(seen)")
    }

    /// A schedule that divides by zero would turn every frame into NaNs.
    @Test(
        arguments: [
            ["rescale_betas_zero_snr": true, "prediction_type": "epsilon"],
            ["rescale_betas_zero_snr": true, "beta_start": 0, "beta_end": 0],
            ["beta_start": 1, "beta_end": 1],
        ] as [[String: any Sendable]])
    func unusableSchedule(_ settings: [String: any Sendable]) throws {
        let seen = try #require(sentence { _ = try schedule(settings) })
        #expect(seen.contains("scheduler_config.json: ") && seen.contains("must be"), "\(seen)")
    }

    private func schedule(_ settings: [String: any Sendable]) throws -> NoiseSchedule {
        let folder = TemporaryFolder()
        let path = folder.file("scheduler_config.json")
        try JSONSerialization.data(withJSONObject: settings).write(to: URL(fileURLWithPath: path))
        return try NoiseSchedule(Configuration(path: path))
    }
}
