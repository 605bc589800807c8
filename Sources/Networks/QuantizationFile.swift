import Compute
import FoundationEssentials
import Glibc
import Tensors

/// `quantization.json` of a model folder: what `movied model quantize` found.
public struct QuantizationFile: Codable, Sendable {
    /// A layer that runs on integers.
    public struct Layer: Codable, Sendable {
        /// What one level of the input is worth.
        public var inputScale: Double
        /// The level of the input that stands for zero.
        public var inputZeroPoint: Int
        /// PSNR of the edited frame against float when only this layer is quantized, in dB; nil when not measured.
        public var psnr: Double?

        enum CodingKeys: String, CodingKey {
            case inputScale = "input_scale"
            case inputZeroPoint = "input_zero_point"
            case psnr
        }

        /// A layer whose input is written as `quantizer` says.
        public init(_ quantizer: Quantizer, psnr: Double?) {
            inputScale = Double(quantizer.scale)
            inputZeroPoint = Int(quantizer.zero)
            self.psnr = psnr
        }
    }

    /// What ranges and quality were measured on.
    public struct Calibration: Codable, Sendable {
        /// Files, by name without their folder.
        public var clips: [String]
        /// Frames that were edited.
        public var frames: Int
        /// Prompts they were edited with.
        public var prompts: [String]
        /// Columns of a frame.
        public var width: Int
        /// Rows of a frame.
        public var height: Int

        /// A record of a calibration.
        public init(clips: [String], frames: Int, prompts: [String], width: Int, height: Int) {
            self.clips = clips
            self.frames = frames
            self.prompts = prompts
            self.width = width
            self.height = height
        }
    }

    /// 1.
    public var version = 1
    /// Layers on integers, by name.
    public var layers: [String: Layer]
    /// Layers left in float because of their sensitivity, with the PSNR they alone would give when quantized.
    public var floatLayers: [String: Double]
    /// What it was measured on.
    public var calibration: Calibration
    /// PSNR of the edited frames against float with all `layers` quantized, in dB.
    public var psnr: Double?

    enum CodingKeys: String, CodingKey {
        case version, layers, calibration, psnr
        case floatLayers = "float_layers"
    }

    /// The content of a file to be written.
    public init(layers: [String: Layer], floatLayers: [String: Double], calibration: Calibration, psnr: Double?) {
        self.layers = layers
        self.floatLayers = floatLayers
        self.calibration = calibration
        self.psnr = psnr
    }

    /// Reads and checks a file. Throws what is wrong with it, with the value seen and the values allowed.
    public init(path: String) throws {
        let file = try MappedFile(path: path)
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(file.bytes))
        } catch {
            throw ModelError("\(path) is damaged: \(Self.explain(error)); quantize the model again")
        }
        guard version == 1 else { throw ModelError("\(path): version is \(version), this program reads 1") }
        guard !layers.isEmpty else { throw ModelError("\(path) lists no layers; quantize the model again") }
        for (name, layer) in layers.sorted(by: { $0.key < $1.key }) {
            guard layer.inputScale.isFinite, layer.inputScale >= 1e-30, layer.inputScale <= 1e30 else {
                throw ModelError(
                    "\(path): input_scale of \(name) is \(layer.inputScale); it must be positive and finite: "
                        + "quantize the model again")
            }
            guard (0...255).contains(layer.inputZeroPoint) else {
                throw ModelError(
                    "\(path): input_zero_point of \(name) is \(layer.inputZeroPoint); it must be 0 to 255: "
                        + "quantize the model again")
            }
        }
    }

    private static func explain(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            "\((context.codingPath + [key]).map(\.stringValue).joined(separator: ".")) is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")) has the wrong type"
        default: "it is not the JSON it should be"
        }
    }

    /// What the engine needs of it.
    public var quantization: Quantization {
        Quantization(
            layers: layers.mapValues { Quantizer(scale: Float($0.inputScale), zero: Float($0.inputZeroPoint)) })
    }

    /// The file as text, keys sorted.
    public func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}

extension ModelFolder {
    /// The path of the folder's `quantization.json`.
    public var quantizationPath: String { "\(path)/quantization.json" }

    /// How to compute at `precision`: nil means floats.
    ///
    /// - Parameter precision: nil takes integers where the folder was quantized.
    /// - Throws: for a damaged file, and for integers asked of a folder that was not quantized.
    public func quantization(for precision: Precision?) throws -> Quantization? {
        if precision == .float { return nil }
        guard access(quantizationPath, F_OK) == 0 else {
            if precision == nil { return nil }
            throw ModelError(
                "the model \(path) is not quantized (no quantization.json): use --precision float, or quantize it first "
                    + "with movied model quantize")
        }
        return try QuantizationFile(path: quantizationPath).quantization
    }
}
