import FoundationEssentials
import Glibc

/// The tensors of one network: a safetensors file, or several joined by an index file.
public struct TensorStore: Sendable {
    /// Where they came from, for messages.
    public let origin: String
    private let tensors: [String: StoredTensor]

    /// Tensors that are at hand already.
    public init(origin: String, tensors: [String: StoredTensor]) {
        self.origin = origin
        self.tensors = tensors
    }

    /// Opens one safetensors file.
    public init(file path: String) throws(TensorError) {
        self.init(origin: path, tensors: try SafeTensorsFile(path: path).tensors)
    }

    /// Opens a network's weights in `folder`: `base.safetensors`, `base.fp16.safetensors` or the shards that
    /// `base.safetensors.index.json` lists, in this order. `bases` are tried one after the other.
    public init(folder: String, bases: [String]) throws(TensorError) {
        for base in bases {
            for variant in ["", ".fp16"] {
                let single = "\(folder)/\(base)\(variant).safetensors"
                if access(single, F_OK) == 0 { self = try TensorStore(file: single); return }
                let index = "\(folder)/\(base).safetensors.index\(variant).json"
                if access(index, F_OK) == 0 { self = try TensorStore(index: index, folder: folder); return }
            }
        }
        let names = bases.map { "\($0).safetensors" }.joined(separator: " or ")
        throw TensorError(
            "\(folder) has no weights: expected \(names), or an index of shards (….safetensors.index.json)")
    }

    private init(index path: String, folder: String) throws(TensorError) {
        let file = try MappedFile(path: path)
        guard let index = try? JSONDecoder().decode(ShardIndex.self, from: Data(file.bytes)) else {
            throw TensorError("\(path) is not an index of safetensors shards: expected JSON with a weight_map")
        }
        var tensors: [String: StoredTensor] = [:]
        var origins: [String: String] = [:]
        for shard in Set(index.weightMap.values).sorted() {
            guard !shard.contains("/") else { throw TensorError("\(path) names a shard outside its folder: \(shard)") }
            for (name, tensor) in try SafeTensorsFile(path: "\(folder)/\(shard)").tensors {
                if let other = origins[name] {
                    throw TensorError("\(path): tensor \(name) is in two shards, \(other) and \(shard)")
                }
                tensors[name] = tensor
                origins[name] = shard
            }
        }
        let names = index.weightMap.keys.sorted()
        if let name = names.first(where: { origins[$0] != index.weightMap[$0] }) {
            throw TensorError("\(path): tensor \(name) is missing from its shard \(index.weightMap[name] ?? "")")
        }
        self.init(origin: path, tensors: tensors)
    }

    /// All names, in no order.
    public var names: some Collection<String> { tensors.keys }

    /// The element types in use, sorted by name.
    public var typeNames: [String] { Set(tensors.values.map(\.type.rawValue)).sorted() }

    /// Number of elements of all tensors together.
    public var parameterCount: Int { tensors.values.reduce(0) { $0 + $1.count } }

    /// The tensor of this name, if there is one.
    public subscript(name: String) -> StoredTensor? { tensors[name] }

    /// The tensor of this name. Throws when it is missing or its shape differs (the message gives both shapes).
    public func tensor(_ name: String, shape: [Int]) throws(TensorError) -> StoredTensor {
        guard let tensor = tensors[name] else {
            throw TensorError("\(origin): tensor \(name) is missing; its shape should be \(shape)")
        }
        guard tensor.shape == shape else {
            throw TensorError("\(origin): tensor \(name) has the shape \(tensor.shape), expected \(shape)")
        }
        return tensor
    }
}

private struct ShardIndex: Decodable {
    let weightMap: [String: String]

    enum CodingKeys: String, CodingKey {
        case weightMap = "weight_map"
    }
}
