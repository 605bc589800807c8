import FoundationEssentials

/// A safetensors file, memory-mapped: an 8-byte header length, a JSON header, then the tensors' bytes.
///
/// Source: the format's specification in the safetensors repository. Every offset is checked before any byte is read.
public struct SafeTensorsFile: Sendable {
    /// The tensors by name.
    public let tensors: [String: StoredTensor]
    /// The optional `__metadata__` map.
    public let metadata: [String: String]

    /// Opens and checks `path`. Throws for a truncated or inconsistent file; the message names the path and the tensor.
    public init(path: String) throws(TensorError) {
        let file = try MappedFile(path: path)
        let header = try SafeTensorsHeader(file: file)
        var tensors: [String: StoredTensor] = [:]
        for (name, entry) in header.entries.sorted(by: { $0.key < $1.key }) {
            tensors[name] = try entry.tensor(named: name, file: file, dataStart: header.dataStart)
        }
        try checkOverlap(header.entries, path: path)
        self.tensors = tensors
        metadata = header.metadata
    }
}

/// The JSON header and where the data begins.
private struct SafeTensorsHeader {
    let entries: [String: HeaderEntry]
    let metadata: [String: String]
    let dataStart: Int

    init(file: MappedFile) throws(TensorError) {
        guard file.bytes.count >= 8 else {
            throw TensorError(
                "\(file.path) is not a safetensors file: \(file.bytes.count) bytes, the header alone takes 8")
        }
        let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(file.bytes.count - 8) else {
            throw TensorError(
                "\(file.path) is damaged or truncated: its header claims \(length) bytes, the file has \(file.bytes.count)"
            )
        }
        dataStart = 8 + Int(length)
        let json = Data(file.bytes[8..<dataStart])
        do {
            let decoded = try JSONDecoder().decode(DecodedHeader.self, from: json)
            entries = decoded.entries
            metadata = decoded.metadata
        } catch {
            throw TensorError("\(file.path) is damaged: its header is not the JSON that safetensors has")
        }
    }
}

/// Splits `__metadata__` from the tensors' entries.
private struct DecodedHeader: Decodable {
    var entries: [String: HeaderEntry] = [:]
    var metadata: [String: String] = [:]

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyKey.self)
        for key in container.allKeys {
            if key.stringValue == "__metadata__" {
                metadata = try container.decode([String: String].self, forKey: key)
            } else {
                entries[key.stringValue] = try container.decode(HeaderEntry.self, forKey: key)
            }
        }
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

private struct HeaderEntry: Decodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
        case dtype, shape
        case offsets = "data_offsets"
    }

    /// The tensor, after checking that type, shape and offsets agree with each other and with the file.
    func tensor(named name: String, file: MappedFile, dataStart: Int) throws(TensorError) -> StoredTensor {
        guard let type = ElementType(rawValue: dtype) else {
            let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
            throw TensorError("\(file.path): tensor \(name) has the unknown type \(dtype); known are \(known)")
        }
        guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1] else {
            throw TensorError("\(file.path): tensor \(name) has the impossible offsets \(offsets)")
        }
        let available = file.bytes.count - dataStart
        guard offsets[1] <= available else {
            throw TensorError(
                "\(file.path) is truncated: tensor \(name) ends at byte \(offsets[1]) of the data, which has \(available)"
            )
        }
        guard let expected = byteCount(of: type), expected == offsets[1] - offsets[0] else {
            throw TensorError(
                "\(file.path): tensor \(name) of type \(dtype) and shape \(shape) does not fit its "
                    + "\(offsets[1] - offsets[0]) bytes")
        }
        let range = dataStart + offsets[0]..<dataStart + offsets[1]
        return StoredTensor(name: name, type: type, shape: shape, file: file, range: range)
    }

    /// Bytes the shape needs; nil for a negative dimension or an overflow.
    private func byteCount(of type: ElementType) -> Int? {
        var total = type.size
        for dimension in shape {
            let (product, overflow) = total.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !overflow else { return nil }
            total = product
        }
        return total
    }
}

/// Throws when two tensors share bytes.
private func checkOverlap(_ entries: [String: HeaderEntry], path: String) throws(TensorError) {
    let sorted = entries.filter { $0.value.offsets[0] < $0.value.offsets[1] }
        .sorted { $0.value.offsets[0] < $1.value.offsets[0] }
    for (first, second) in zip(sorted, sorted.dropFirst()) where second.value.offsets[0] < first.value.offsets[1] {
        throw TensorError(
            "\(path) is damaged: tensors \(first.key) and \(second.key) overlap "
                + "(bytes \(first.value.offsets) and \(second.value.offsets))")
    }
}
