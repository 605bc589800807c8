/// A tensor in a mapped file: its shape, and its numbers converted when asked for.
public struct StoredTensor: Sendable {
    /// The name it has in the file.
    public let name: String
    /// How its numbers are written.
    public let type: ElementType
    /// Its dimensions, outermost first; empty for a scalar.
    public let shape: [Int]
    private let file: MappedFile
    private let range: Range<Int>

    init(name: String, type: ElementType, shape: [Int], file: MappedFile, range: Range<Int>) {
        self.name = name
        self.type = type
        self.shape = shape
        self.file = file
        self.range = range
    }

    /// Number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// Size in the file, in bytes.
    public var byteCount: Int { range.count }

    /// The raw little-endian bytes, valid while the tensor lives.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
    }

    /// Lets go of the memory that mapped bytes take, when they have been packed elsewhere; they can be read again.
    public func discardPages() { file.discard(range) }

    /// Writes all elements, converted to Float, to `destination`, which has room for `count` of them.
    public func copyFloats(to destination: UnsafeMutablePointer<Float>) {
        let count = count
        withBytes { bytes in
            switch type {
            case .float32:
                UnsafeMutableRawPointer(destination).copyMemory(
                    from: bytes.baseAddress ?? .init(destination), byteCount: count * 4)
            case .float16:
                for i in 0..<count { destination[i] = widened(load(bytes, i, UInt16.self)) }
            case .bfloat16:
                for i in 0..<count { destination[i] = Float(bitPattern: UInt32(load(bytes, i, UInt16.self)) << 16) }
            case .float64:
                for i in 0..<count { destination[i] = Float(Double(bitPattern: load(bytes, i, UInt64.self))) }
            case .int64: for i in 0..<count { destination[i] = Float(load(bytes, i, Int64.self)) }
            case .int32: for i in 0..<count { destination[i] = Float(load(bytes, i, Int32.self)) }
            case .int16: for i in 0..<count { destination[i] = Float(load(bytes, i, Int16.self)) }
            case .int8: for i in 0..<count { destination[i] = Float(load(bytes, i, Int8.self)) }
            case .uint8, .bool: for i in 0..<count { destination[i] = Float(load(bytes, i, UInt8.self)) }
            }
        }
    }

    /// All elements, converted to Float.
    public func floats() -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let base = buffer.baseAddress { copyFloats(to: base) }
            initialized = count
        }
    }
}

/// Element `index` of little-endian bytes, at any alignment.
private func load<T: BitwiseCopyable>(_ bytes: UnsafeRawBufferPointer, _ index: Int, _: T.Type) -> T {
    bytes.loadUnaligned(fromByteOffset: index &* MemoryLayout<T>.size, as: T.self)
}

/// The number that a half-precision float's bits mean. (Processors of the baseline have no instruction for it, and the
/// library's function takes one at a time.)
private func widened(_ half: UInt16) -> Float {
    let bits = UInt32(half), magnitude = (bits & 0x7FFF) << 13
    let isSpecial = bits & 0x7C00 == 0x7C00  // infinity or NaN
    let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    return Float(bitPattern: (isSpecial ? magnitude | 0x7F80_0000 : scaled) | (bits & 0x8000) << 16)
}
