import Foundation
import Tensors

/// Where the fixtures of Training/reference/make_fixtures.py are.
public let fixtureFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("NetworksTests/Fixtures").path

/// Names of the fixtures that begin with `prefix`, sorted; never empty, so that a moved folder fails the tests.
public func fixtures(_ prefix: String) -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: fixtureFolder)) ?? []
    let names = all.filter { $0.hasPrefix(prefix) }.sorted()
    return names.isEmpty ? ["\(prefix)missing"] : names
}

/// A copy of a fixture that a test may damage; removed when the value goes.
public final class FixtureCopy {
    private let folder = TemporaryFolder()

    /// Copies the fixture `name`.
    public init(_ name: String) throws {
        try FileManager.default.copyItem(atPath: "\(fixtureFolder)/\(name)", toPath: folder.file("model"))
    }

    /// The copy's path.
    public var path: String { folder.file("model") }

    /// The path of a file or folder in the copy.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Removes a file or folder.
    public func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

    /// Writes a file, over what is there.
    public func write(_ name: String, _ text: String) throws {
        try text.write(toFile: file(name), atomically: false, encoding: .utf8)
    }

    /// Takes the place of `name`'s contents from another fixture.
    public func replace(_ name: String, from fixture: String) throws {
        if FileManager.default.fileExists(atPath: file(name)) { try remove(name) }
        try FileManager.default.copyItem(atPath: "\(fixtureFolder)/\(fixture)/\(name)", toPath: file(name))
    }

    /// Changes keys of a JSON file; a value of nil removes the key.
    public func edit(_ name: String, _ changes: [String: Any?]) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: file(name)))
        var object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        for (key, value) in changes { object[key] = value }
        try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: file(name)))
    }

    /// Writes a safetensors file again, as F32, after changing its tensors by name.
    public func editTensors(_ name: String, _ change: (inout [String: NamedTensor]) -> Void) throws {
        let stored = try SafeTensorsFile(path: file(name)).tensors
        var tensors = stored.mapValues { NamedTensor(name: $0.name, shape: $0.shape, values: $0.floats()) }
        change(&tensors)
        try writeSafeTensors(tensors.values.sorted { $0.name < $1.name }, to: file(name))
    }
}

/// The sentence of the error that `body` throws; nil when it throws none.
public func sentence(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return "\(error)"
    }
}

/// [batch, rows, columns] to [batch, columns, rows]: between channels first and channels last.
public func transposed(_ values: [Float], batch: Int, rows: Int, columns: Int) -> [Float] {
    var result = [Float](repeating: 0, count: values.count)
    for element in 0..<batch {
        let base = element * rows * columns
        for row in 0..<rows {
            for column in 0..<columns { result[base + column * rows + row] = values[base + row * columns + column] }
        }
    }
    return result
}
