import Glibc
import Tensors

/// A model in the folder layout of the diffusers library. A folder may hold only some parts.
public struct ModelFolder: Sendable {
    /// The parts of an editing model, by their folder's name.
    public enum Part: String, CaseIterable, Sendable {
        case unet
        case autoencoder = "vae"
        case textEncoder = "text_encoder"
        case tokenizer
        case scheduler
    }

    /// The folder's path as given.
    public let path: String

    /// A model folder. Throws when there is no folder at `path`.
    public init(path: String) throws(ModelError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw ModelError("there is no model folder at \(path): give the path of a folder in diffusers layout")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw ModelError("\(path) is a file: a model is a folder in diffusers layout (unet, vae, text_encoder, …)")
        }
        self.path = path
    }

    /// Whether the folder of a part is there.
    public func has(_ part: Part) -> Bool { access("\(path)/\(part.rawValue)", F_OK) == 0 }

    /// Whether the folder says what pipeline it is (`model_index.json`).
    public var hasIndex: Bool { access("\(path)/model_index.json", F_OK) == 0 }

    private func folder(of part: Part) throws(ModelError) -> String {
        guard has(part) else {
            let wanted = Part.allCases.map(\.rawValue).joined(separator: ", ")
            throw ModelError("the model \(path) has no folder \(part.rawValue); an editing model has \(wanted)")
        }
        return "\(path)/\(part.rawValue)"
    }

    /// The weights of a network part.
    public func weights(_ part: Part) throws -> TensorStore {
        try TensorStore(folder: try folder(of: part), bases: ["diffusion_pytorch_model", "model"])
    }

    /// The configuration of the denoiser.
    public func unetConfiguration() throws -> UNetConfiguration {
        try UNetConfiguration(Configuration(path: "\(try folder(of: .unet))/config.json"))
    }

    /// The configuration of the autoencoder.
    public func autoencoderConfiguration() throws -> AutoencoderConfiguration {
        try AutoencoderConfiguration(Configuration(path: "\(try folder(of: .autoencoder))/config.json"))
    }

    /// The configuration of the prompt encoder.
    public func textConfiguration() throws -> CLIPTextConfiguration {
        try CLIPTextConfiguration(Configuration(path: "\(try folder(of: .textEncoder))/config.json"))
    }

    /// The guidance scales the model accepts.
    public func guidanceRanges() throws -> GuidanceRanges {
        try GuidanceRanges(Configuration(path: "\(try folder(of: .unet))/config.json"))
    }

    /// Whether live video is better with a rolling anchor: the key `rolling_anchor` of `unet/config.json`, false without.
    public func prefersRollingAnchor() throws -> Bool {
        try Configuration(path: "\(try folder(of: .unet))/config.json").bool("rolling_anchor", default: false)
    }

    /// The denoiser.
    public func unet() throws -> UNet2DConditionModel {
        try UNet2DConditionModel(try unetConfiguration(), weights: try weights(.unet))
    }

    /// The half of the autoencoder that makes latents.
    public func encoder() throws -> TinyEncoder {
        try TinyEncoder(try autoencoderConfiguration(), weights: try weights(.autoencoder))
    }

    /// The half of the autoencoder that makes pixels.
    public func decoder() throws -> TinyDecoder {
        try TinyDecoder(try autoencoderConfiguration(), weights: try weights(.autoencoder))
    }

    /// The prompt encoder.
    public func textEncoder() throws -> CLIPTextModel {
        try CLIPTextModel(try textConfiguration(), weights: try weights(.textEncoder))
    }

    /// The tokenizer.
    public func tokenizer() throws -> CLIPTokenizer {
        try CLIPTokenizer(folder: try folder(of: .tokenizer))
    }

    /// The noise schedule.
    public func schedule() throws -> NoiseSchedule {
        try NoiseSchedule(Configuration(path: "\(try folder(of: .scheduler))/scheduler_config.json"))
    }
}
