import Glibc

/// The forward diffusion process of a model (`scheduler/scheduler_config.json`) and its one evaluation step.
///
/// The step is diffusers' LCMScheduler.step: the prediction becomes a clean sample, and the boundary condition of latent
/// consistency models mixes in the noisy one (Luo et al. 2023): denoised = c_out * x_0 + c_skip * x_t.
public struct NoiseSchedule: Sendable {
    /// What the UNet predicts.
    public enum PredictionType: String, Sendable {
        case epsilon
        case velocity = "v_prediction"
        case sample
    }

    /// Product of (1 - beta) up to each timestep.
    public let alphasCumprod: [Double]
    /// What the UNet predicts.
    public let predictionType: PredictionType
    /// The timestep of the single step: the last that a one-step LCM schedule visits, or the key `evaluation_timestep`.
    public let evaluationTimestep: Int
    private let timestepScaling: Double

    /// Reads and checks the configuration. Throws with the key, the value seen and the values allowed.
    public init(_ file: Configuration) throws(ModelError) {
        let count = try file.int("num_train_timesteps", default: 1000, in: 1...100_000)
        let betas = try Self.betas(file, count: count)
        var product = 1.0
        var alphas = betas.map { beta in
            product *= 1 - beta
            return product
        }
        if try file.bool("rescale_betas_zero_snr", default: false) { alphas = Self.zeroTerminalSNR(alphas) }
        alphasCumprod = alphas
        let name = try file.string("prediction_type", default: "epsilon")
        guard let type = PredictionType(rawValue: name) else {
            throw file.error("prediction_type", "epsilon, v_prediction or sample")
        }
        predictionType = type
        timestepScaling = try file.double("timestep_scaling", default: 10, in: 1e-6...1e6)
        try file.require("clip_sample", oneOf: [.bool(false)])
        try file.require("thresholding", oneOf: [.bool(false)])
        let original = try file.int("original_inference_steps", default: min(50, count), in: 1...count)
        let last = original * (count / original) - 1
        evaluationTimestep = try file.int("evaluation_timestep", default: last, in: 0...count - 1)
        let step = oneStep(at: evaluationTimestep)
        guard step.sample.isFinite, step.prediction.isFinite else {
            let isRescaled = try file.bool("rescale_betas_zero_snr", default: false)
            throw file.error(
                isRescaled ? "rescale_betas_zero_snr" : "beta_end",
                (isRescaled ? "false" : "smaller") + ": with this prediction_type the step is infinite")
        }
    }

    /// The weights of a step: denoised = sample * `sample` + prediction * `prediction`.
    public func oneStep(at timestep: Int) -> (sample: Float, prediction: Float) {
        let alpha = alphasCumprod[timestep].squareRoot(), sigma = (1 - alphasCumprod[timestep]).squareRoot()
        let scaled = Double(timestep) * timestepScaling, data = 0.5
        let skip = data * data / (scaled * scaled + data * data)
        let out = scaled / (scaled * scaled + data * data).squareRoot()
        switch predictionType {
        case .epsilon: return (Float(out / alpha + skip), Float(-out * sigma / alpha))
        case .velocity: return (Float(out * alpha + skip), Float(-out * sigma))
        case .sample: return (Float(skip), Float(out))
        }
    }

    private static func betas(_ file: Configuration, count: Int) throws(ModelError) -> [Double] {
        if file.has("trained_betas") {
            let betas = try file.doubles("trained_betas")
            guard betas.count == count, betas.allSatisfy((0...1).contains) else {
                throw file.error("trained_betas", "a list of \(count) numbers from 0 to 1")
            }
            return betas
        }
        let first = try file.double("beta_start", default: 0.00085, in: 0...1)
        let last = try file.double("beta_end", default: 0.012, in: 0...1)
        func ramp(_ from: Double, _ to: Double) -> [Double] {
            (0..<count).map { from + (to - from) * Double($0) / Double(max(1, count - 1)) }
        }
        switch try file.string("beta_schedule", default: "scaled_linear") {
        case "linear": return ramp(first, last)
        case "scaled_linear": return ramp(first.squareRoot(), last.squareRoot()).map { $0 * $0 }
        case "squaredcos_cap_v2":
            func alphaBar(_ t: Double) -> Double { pow(cos((t + 0.008) / 1.008 * .pi / 2), 2) }
            return (0..<count).map { index in
                let start = Double(index) / Double(count), end = Double(index + 1) / Double(count)
                return min(1 - alphaBar(end) / alphaBar(start), 0.999)
            }
        default: throw file.error("beta_schedule", "linear, scaled_linear or squaredcos_cap_v2")
        }
    }

    /// Rescales so that the last timestep is pure noise (Lin et al. 2023, algorithm 1).
    private static func zeroTerminalSNR(_ alphas: [Double]) -> [Double] {
        let roots = alphas.map { $0.squareRoot() }
        let first = roots[0], last = roots[roots.count - 1]
        return roots.map { root in
            let moved = (root - last) * first / (first - last)
            return moved * moved
        }
    }
}
