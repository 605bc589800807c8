import Compute
import FoundationEssentials
import Glibc
import Tensors

/// Writes a model folder whose layers are stored as int8, as `quantization.json` lists them.
public struct QuantizedFolder {
    private let source: ModelFolder

    /// The quantized form of `source`.
    public init(of source: ModelFolder) { self.source = source }

    /// Writes the folder `path`, which must not exist: whole or not at all.
    public func write(to path: String, _ file: QuantizationFile) throws {
        try Self.check(path)
        let temporary = "\(path).partial"
        let files = FileManager.default
        try? files.removeItem(atPath: temporary)
        do {
            try files.createDirectory(atPath: temporary, withIntermediateDirectories: true)
            try copyEverythingElse(to: temporary)
            for part in [ModelFolder.Part.unet, .autoencoder] where source.has(part) {
                try writeWeights(part, Set(file.layers.keys), to: temporary)
            }
            try file.encoded().write(to: URL(filePath: "\(temporary)/quantization.json"))
            guard rename(temporary, path) == 0 else {
                throw ModelError("cannot write \(path): \(lastSystemError())")
            }
        } catch {
            try? files.removeItem(atPath: temporary)
            throw error is ModelError || error is TensorError
                ? error : ModelError("cannot write \(path): \(error)")
        }
    }

    /// Throws when something is at `path` already.
    public static func check(_ path: String) throws(ModelError) {
        guard access(path, F_OK) != 0 else {
            throw ModelError("\(path) is there already: give the path of a folder that does not exist yet")
        }
    }

    private func copyEverythingElse(to target: String) throws {
        let files = FileManager.default
        for name in try files.contentsOfDirectory(atPath: source.path).sorted() where name != "quantization.json" {
            let from = "\(source.path)/\(name)", to = "\(target)/\(name)"
            guard [ModelFolder.Part.unet, .autoencoder].map(\.rawValue).contains(name) else {
                try files.copyItem(atPath: from, toPath: to)
                continue
            }
            try files.createDirectory(atPath: to, withIntermediateDirectories: true)
            try files.copyItem(atPath: "\(from)/config.json", toPath: "\(to)/config.json")
        }
    }

    private func writeWeights(_ part: ModelFolder.Part, _ layers: Set<String>, to target: String) throws {
        let store = try source.weights(part)
        var tensors: [TensorSource] = []
        for name in store.names.sorted() {
            guard let tensor = store[name] else { continue }
            let isWeight = name.hasSuffix(".weight") && layers.contains("\(part.rawValue).\(name.dropLast(7))")
            tensors += isWeight && tensor.type != .int8 ? Self.int8(tensor) : [TensorSource(tensor)]
        }
        let path = "\(target)/\(part.rawValue)/diffusion_pytorch_model.safetensors"
        try writeSafeTensors(sources: tensors, to: path)
    }

    /// A weight [out, ...] as I8, and beside it what one step is worth, [out].
    private static func int8(_ tensor: StoredTensor) -> [TensorSource] {
        let rows = tensor.shape.first ?? 1
        return [
            TensorSource(name: tensor.name, type: .int8, shape: tensor.shape) {
                quantizeRows(tensor.floats(), rows: rows).weights.map { UInt8(bitPattern: $0) }
            },
            TensorSource(name: "\(tensor.name)_scale", shape: [rows]) {
                quantizeRows(tensor.floats(), rows: rows).scales
            },
        ]
    }
}
