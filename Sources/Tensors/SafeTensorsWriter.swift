import FoundationEssentials
import Glibc

/// A tensor to be written, as 32-bit floats.
public struct NamedTensor: Sendable {
    /// Its name in the file.
    public let name: String
    /// Its dimensions, outermost first.
    public let shape: [Int]
    /// Its elements, row-major.
    public let values: [Float]

    /// A tensor of `shape` whose elements are `values`.
    public init(name: String, shape: [Int], values: [Float]) {
        self.name = name
        self.shape = shape
        self.values = values
    }
}

/// A tensor to be written whose bytes are made when their turn comes, so that a large file never is in memory.
public struct TensorSource {
    let name: String
    let type: ElementType
    let shape: [Int]
    let bytes: () -> [UInt8]

    /// A tensor of `shape`; `bytes` gives its elements, row-major and little-endian, as many bytes as they take.
    public init(name: String, type: ElementType, shape: [Int], bytes: @escaping () -> [UInt8]) {
        self.name = name
        self.type = type
        self.shape = shape
        self.bytes = bytes
    }

    /// A stored tensor under its own name, as it is.
    public init(_ tensor: StoredTensor) {
        self.init(name: tensor.name, type: tensor.type, shape: tensor.shape) { tensor.withBytes { Array($0) } }
    }

    /// Floats, made when their turn comes.
    public init(name: String, shape: [Int], floats: @escaping () -> [Float]) {
        self.init(name: name, type: .float32, shape: shape) { floats().withUnsafeBytes { Array($0) } }
    }

    /// Floats.
    public init(_ tensor: NamedTensor) {
        self.init(name: tensor.name, shape: tensor.shape) { tensor.values }
    }

    var byteCount: Int { shape.reduce(type.size, *) }
}

/// Writes `tensors` to `path` as F32 safetensors: whole or not at all (a temporary file is renamed).
public func writeSafeTensors(_ tensors: [NamedTensor], to path: String) throws(TensorError) {
    try writeSafeTensors(sources: tensors.map { TensorSource($0) }, to: path)
}

/// Writes `tensors` to `path` as safetensors, each in its own type: whole or not at all (a temporary file is renamed).
public func writeSafeTensors(sources tensors: [TensorSource], to path: String) throws(TensorError) {
    let temporary = "\(path).partial"
    guard let file = fopen(temporary, "wb") else {
        throw TensorError("cannot write \(path): \(lastSystemError())")
    }
    // Buffered bytes reach the disk in fflush: its failure is the disk's.
    guard writeAll(tensors, to: file), fflush(file) == 0 else {
        let reason = lastSystemError()
        fclose(file)
        unlink(temporary)
        throw TensorError("cannot write \(path): \(reason)")
    }
    fclose(file)
    guard rename(temporary, path) == 0 else {
        let reason = lastSystemError()
        unlink(temporary)
        throw TensorError("cannot write \(path): \(reason)")
    }
}

private func writeAll(_ tensors: [TensorSource], to file: UnsafeMutablePointer<FILE>) -> Bool {
    var header = "{", offset = 0
    for (index, tensor) in tensors.enumerated() {
        let end = offset + tensor.byteCount
        let shape = tensor.shape.map(String.init).joined(separator: ",")
        header += index == 0 ? "" : ","
        header += "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
        header += "\"data_offsets\":[\(offset),\(end)]}"
        offset = end
    }
    header += "}"
    header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    var length = UInt64(header.utf8.count).littleEndian
    guard fwrite(&length, 8, 1, file) == 1, fputs(header, file) >= 0 else { return false }
    return tensors.allSatisfy { tensor in
        let bytes = tensor.bytes()
        return bytes.count == tensor.byteCount && (bytes.isEmpty || fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }
}

/// A JSON string: quotes, backslashes and control characters escaped.
private func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
        switch scalar {
        case "\"", "\\": "\\\(scalar)"
        case "\u{0}"..."\u{1F}": "\\u00\(scalar.value < 16 ? "0" : "")\(String(scalar.value, radix: 16))"
        default: String(scalar)
        }
    }
    return "\"\(escaped.joined())\""
}
