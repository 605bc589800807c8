import Glibc
import TestSupport
import Testing

@testable import Tensors

@Suite struct TensorStoreTests {
    private static let index = "model.safetensors.index.json"

    /// A folder with two shards (`a`, and `b` with `c`) and the index `map`.
    private func shards(_ map: String) throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        func tensor(_ name: String) -> NamedTensor { NamedTensor(name: name, shape: [1], values: [1]) }
        try writeSafeTensors([tensor("a")], to: folder.file("model-1.safetensors"))
        try writeSafeTensors([tensor("b"), tensor("c")], to: folder.file("model-2.safetensors"))
        folder.write(Self.index, Array(map.utf8))
        return folder
    }

    private func open(_ folder: TemporaryFolder) throws -> TensorStore {
        try TensorStore(folder: folder.path, bases: ["other", "model"])
    }

    @Test func shardsAreJoined() throws {
        let folder = try shards(
            #"{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors","c":"model-2.safetensors"}}"#)
        let store = try open(folder)
        #expect(Set(store.names) == ["a", "b", "c"] && store.parameterCount == 3 && store.typeNames == ["F32"])
        #expect(store.origin == folder.file(Self.index))
    }

    /// What an index can say wrongly, and the sentence; FOLDER stands for the folder.
    @Test(arguments: [
        (
            #"{"weight_map":{"a":"model-3.safetensors"}}"#,
            "cannot open FOLDER/model-3.safetensors: No such file or directory"
        ),
        (
            #"{"weight_map":{"a":"model-1.safetensors","d":"model-2.safetensors"}}"#,
            "FOLDER/model.safetensors.index.json: tensor d is missing from its shard model-2.safetensors"
        ),
        (
            #"{"weight_map":{"a":"model-2.safetensors","b":"model-1.safetensors"}}"#,
            "FOLDER/model.safetensors.index.json: tensor a is missing from its shard model-2.safetensors"
        ),
        (
            #"{"weight_map":{"a":"../model-1.safetensors"}}"#,
            "FOLDER/model.safetensors.index.json names a shard outside its folder: ../model-1.safetensors"
        ),
        (
            #"{"weight_map":{"a":"/etc/passwd"}}"#,
            "FOLDER/model.safetensors.index.json names a shard outside its folder: /etc/passwd"
        ),
        (#"{"weight_map":{"a":".."}}"#, "FOLDER/.. is not a file"),
        (#"{"weight_map":["a"]}"#, notAnIndex), ("{}", notAnIndex), ("no JSON", notAnIndex),
        ("", "FOLDER/model.safetensors.index.json is empty"),
    ])
    func badIndex(_ map: String, _ expected: String) throws {
        let folder = try shards(map)
        #expect(sentence { _ = try open(folder) } == expected.replacing("FOLDER", with: folder.path))
    }

    @Test func tensorInTwoShards() throws {
        let folder = try shards(#"{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}"#)
        try writeSafeTensors(
            [NamedTensor(name: "a", shape: [1], values: [2]), NamedTensor(name: "b", shape: [1], values: [2])],
            to: folder.file("model-2.safetensors"))
        #expect(
            sentence { _ = try open(folder) }
                == "\(folder.file(Self.index)): tensor a is in two shards, model-1.safetensors and model-2.safetensors")
    }

    @Test func damagedShard() throws {
        let folder = try shards(#"{"weight_map":{"a":"model-1.safetensors"}}"#)
        folder.write("model-1.safetensors", [1, 2])
        #expect(
            sentence { _ = try open(folder) }
                == "\(folder.file("model-1.safetensors")) is not a safetensors file: 2 bytes, the header alone takes 8")
    }

    @Test func noWeights() throws {
        let folder = TemporaryFolder()
        #expect(
            sentence { _ = try open(folder) }
                == "\(folder.path) has no weights: expected other.safetensors or model.safetensors, or an index of shards "
                + "(….safetensors.index.json)")
    }

    @Test func singleFileGoesBeforeTheIndex() throws {
        let folder = try shards("no JSON")
        try writeSafeTensors([], to: folder.file("model.fp16.safetensors"))
        #expect(throws: TensorError.self) { _ = try open(folder) }
        try writeSafeTensors([], to: folder.file("model.safetensors"))
        #expect(try open(folder).names.isEmpty)
    }

    @Test func wrongShapeAndMissingTensor() throws {
        let folder = TemporaryFolder()
        let path = folder.file("x.safetensors")
        try writeSafeTensors([NamedTensor(name: "x", shape: [2, 3], values: Array(repeating: 0, count: 6))], to: path)
        let store = try TensorStore(file: path)
        #expect(try store.tensor("x", shape: [2, 3]).count == 6)
        #expect(
            sentence { _ = try store.tensor("x", shape: [3, 2]) }
                == "\(path): tensor x has the shape [2, 3], expected [3, 2]")
        #expect(
            sentence { _ = try store.tensor("y", shape: [1]) }
                == "\(path): tensor y is missing; its shape should be [1]")
    }
}

private let notAnIndex =
    "FOLDER/model.safetensors.index.json is not an index of safetensors shards: expected JSON with a weight_map"
