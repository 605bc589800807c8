import FoundationEssentials
import Tensors

/// One JSON value of a configuration file.
enum JSONValue: Decodable, Equatable, CustomStringConvertible {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
        case .string(let value): "\"\(value)\""
        case .list(let values): "[\(values.map(\.description).joined(separator: ", "))]"
        case .object: "an object"
        }
    }
}

/// A configuration file of a model folder. Reads keys with their checks; errors name file, key, value and what is allowed.
public struct Configuration: Sendable {
    /// The file's path, for messages.
    public let path: String
    private let values: [String: JSONValue]

    /// Reads the JSON object in `path`. Throws when the file is missing or is not one.
    public init(path: String) throws(ModelError) {
        self.path = path
        do {
            let file = try MappedFile(path: path)
            values = try JSONDecoder().decode([String: JSONValue].self, from: Data(file.bytes))
        } catch let error as TensorError {
            throw ModelError(error.message)
        } catch {
            throw ModelError("\(path) is not a JSON object: check that the file is whole")
        }
    }

    func error(_ key: String, _ allowed: String) -> ModelError {
        ModelError("\(path): \(key) is \(values[key] ?? .null), it must be \(allowed)")
    }

    /// Whether the key is there and not null.
    func has(_ key: String) -> Bool { (values[key] ?? .null) != .null }

    /// Whether the key is written down as null, which differs from an absent one where the default is something.
    func isNull(_ key: String) -> Bool { values[key] == .null }

    func string(_ key: String, default fallback: String? = nil) throws(ModelError) -> String {
        switch values[key] ?? .null {
        case .string(let value): return value
        case .null: if let fallback { return fallback }
        default: break
        }
        throw error(key, "a string")
    }

    func bool(_ key: String, default fallback: Bool) throws(ModelError) -> Bool {
        switch values[key] ?? .null {
        case .bool(let value): return value
        case .null: return fallback
        default: throw error(key, "true or false")
        }
    }

    func double(_ key: String, default fallback: Double? = nil, in range: ClosedRange<Double>) throws(ModelError)
        -> Double
    {
        switch values[key] ?? .null {
        case .number(let value) where range.contains(value): return value
        case .null: if let fallback { return fallback }
        default: break
        }
        throw error(key, "a number from \(range.lowerBound) to \(range.upperBound)")
    }

    func int(_ key: String, default fallback: Int? = nil, in range: ClosedRange<Int> = 1...65536) throws(ModelError)
        -> Int
    {
        switch values[key] ?? .null {
        case .number(let value):
            if let whole = Int(exactly: value), range.contains(whole) { return whole }
        case .null: if let fallback { return fallback }
        default: break
        }
        throw error(key, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }

    func ints(_ key: String, default fallback: [Int]? = nil, in range: ClosedRange<Int> = 1...65536) throws(ModelError)
        -> [Int]
    {
        switch values[key] ?? .null {
        case .list(let items) where !items.isEmpty:
            let numbers = items.compactMap { item -> Int? in
                if case .number(let value) = item, let whole = Int(exactly: value), range.contains(whole) {
                    return whole
                }
                return nil
            }
            if numbers.count == items.count { return numbers }
        case .null: if let fallback { return fallback }
        default: break
        }
        throw error(key, "a list of whole numbers from \(range.lowerBound) to \(range.upperBound)")
    }

    /// A number for every level, or one for all.
    func ints(_ key: String, levels: Int, default fallback: Int? = nil) throws(ModelError) -> [Int] {
        if case .list = values[key] ?? .null {
            let numbers = try ints(key)
            guard numbers.count == levels else { throw error(key, "a number or a list of \(levels), one a level") }
            return numbers
        }
        return Array(repeating: try int(key, default: fallback), count: levels)
    }

    /// A switch for every level, or one for all.
    func bools(_ key: String, levels: Int, default fallback: Bool) throws(ModelError) -> [Bool] {
        guard case .list(let items) = values[key] ?? .null else {
            return Array(repeating: try bool(key, default: fallback), count: levels)
        }
        let switches = items.compactMap { item -> Bool? in
            if case .bool(let value) = item { return value }
            return nil
        }
        guard switches.count == levels, switches.count == items.count else {
            throw error(key, "true, false or a list of \(levels) of them, one a level")
        }
        return switches
    }

    func strings(_ key: String) throws(ModelError) -> [String] {
        guard case .list(let items) = values[key] ?? .null else { throw error(key, "a list of strings") }
        let texts = items.compactMap { item -> String? in
            if case .string(let value) = item { return value }
            return nil
        }
        guard texts.count == items.count, !texts.isEmpty else { throw error(key, "a list of strings") }
        return texts
    }

    func doubles(_ key: String) throws(ModelError) -> [Double] {
        guard case .list(let items) = values[key] ?? .null else { throw error(key, "a list of numbers") }
        let numbers = items.compactMap { item -> Double? in
            if case .number(let value) = item { return value }
            return nil
        }
        guard numbers.count == items.count else { throw error(key, "a list of numbers") }
        return numbers
    }

    /// Throws unless the key is absent, null, or one of `allowed`.
    func require(_ key: String, oneOf allowed: [JSONValue]) throws(ModelError) {
        let value = values[key] ?? .null
        guard value == .null || allowed.contains(value) else {
            let choices = allowed.map(\.description).joined(separator: " or ")
            throw error(
                key,
                allowed.isEmpty ? "null: this model's kind is not supported" : "\(choices) (others are not supported)")
        }
    }
}
