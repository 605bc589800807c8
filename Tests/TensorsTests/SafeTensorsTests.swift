import Foundation
import Glibc
import TestSupport
import Testing

@testable import Tensors

/// A safetensors file made by hand.
func safeTensors(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    let json = Array(header.utf8)
    return withUnsafeBytes(of: (length ?? UInt64(json.count)).littleEndian, Array.init) + json + data
}

/// The bytes of numbers, little-endian.
func bytes<T: FixedWidthInteger>(_ values: [T]) -> [UInt8] {
    values.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
}

@Suite struct SafeTensorsValueTests {
    private func read(_ type: String, shape: [Int], _ data: [UInt8]) throws -> [Float] {
        let folder = TemporaryFolder()
        let header = "{\"x\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[0,\(data.count)]}}"
        let file = try SafeTensorsFile(path: folder.write("x.safetensors", safeTensors(header, data: data)))
        let tensor = try #require(file.tensors["x"])
        #expect(tensor.shape == shape && tensor.byteCount == data.count)
        return tensor.floats()
    }

    private func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

    @Test func float32() throws {
        let values: [Float] = [
            0, -0.0, 1, -2.5, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity, -.infinity,
        ]
        #expect(bits(try read("F32", shape: [2, 4], bytes(bits(values)))) == bits(values))
        #expect(try read("F32", shape: [1], bytes([Float.nan.bitPattern])).allSatisfy(\.isNaN))
    }

    @Test func float16() throws {
        let patterns: [UInt16] = [0x0000, 0x8000, 0x3C00, 0xC100, 0x0001, 0x03FF, 0x0400, 0x7BFF, 0x7C00, 0xFC00]
        let values: [Float] = [0, -0.0, 1, -2.5, 0x1p-24, 0x1.ff8p-15, 0x1p-14, 65504, .infinity, -.infinity]
        #expect(bits(try read("F16", shape: [10], bytes(patterns))) == bits(values))
        #expect(try read("F16", shape: [2], bytes([UInt16(0x7E00), 0xFC01])).allSatisfy(\.isNaN))
    }

    @Test func bfloat16() throws {
        let patterns: [UInt16] = [0x0000, 0x8000, 0x3F80, 0xC020, 0x0001, 0x0080, 0x7F7F, 0x7F80, 0xFF80]
        let values: [Float] = [0, -0.0, 1, -2.5, 0x1p-133, 0x1p-126, 0x1.fep127, .infinity, -.infinity]
        #expect(bits(try read("BF16", shape: [9], bytes(patterns))) == bits(values))
        #expect(try read("BF16", shape: [2], bytes([UInt16(0x7FC0), 0xFF81])).allSatisfy(\.isNaN))
    }

    /// A float64 is rounded to the nearest float; too large a one becomes infinite, too small a one zero.
    @Test func float64() throws {
        let values = [0, 0.1, -1e300, 1e-300, 5e-324, 1 + 0x1p-24, .infinity]
        let expected: [Float] = [0, 0.1, -.infinity, 0, 0, 1, .infinity]
        #expect(bits(try read("F64", shape: [7], bytes(values.map(\.bitPattern)))) == bits(expected))
        #expect(try read("F64", shape: [1], bytes([Double.nan.bitPattern])).allSatisfy(\.isNaN))
    }

    @Test func integers() throws {
        #expect(try read("I64", shape: [3], bytes([Int64.min, -1, 49407])) == [-0x1p63, -1, 49407])
        #expect(try read("I32", shape: [3], bytes([Int32.min, -1, 7])) == [-0x1p31, -1, 7])
        #expect(try read("I16", shape: [3], bytes([Int16.min, -1, .max])) == [-32768, -1, 32767])
        #expect(try read("I8", shape: [3], bytes([Int8.min, -1, .max])) == [-128, -1, 127])
        #expect(try read("U8", shape: [3], [0, 128, 255]) == [0, 128, 255])
        #expect(try read("BOOL", shape: [2], [0, 1]) == [0, 1])
    }

    @Test func scalarsAndEmptyTensors() throws {
        #expect(try read("F16", shape: [], bytes([UInt16(0x4200)])) == [3])
        for type in ElementType.allCases { #expect(try read(type.rawValue, shape: [3, 0, 5], []) == []) }
    }

    /// The data may begin at any byte: a header of odd length moves every element off its natural alignment.
    @Test(arguments: 0..<8) func unalignedData(_ extra: Int) throws {
        let folder = TemporaryFolder()
        let padding = String(repeating: " ", count: extra)
        let header = "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}\(padding)"
        let data = bytes([Float(1.5).bitPattern, Float(-3).bitPattern])
        let path = folder.write("x.safetensors", safeTensors(header, data: data))
        #expect(try SafeTensorsFile(path: path).tensors["x"]?.floats() == [1.5, -3])
    }

    @Test func metadataIsKept() throws {
        let folder = TemporaryFolder()
        let path = folder.write("x.safetensors", safeTensors("{\"__metadata__\":{\"format\":\"pt\"}}"))
        let file = try SafeTensorsFile(path: path)
        #expect(file.metadata == ["format": "pt"] && file.tensors.isEmpty)
    }
}

@Suite struct SafeTensorsWriterTests {
    @Test func roundTrip() throws {
        let folder = TemporaryFolder()
        var random = TestRandom(seed: 1)
        let tensors = [
            NamedTensor(name: "a", shape: [], values: [.leastNonzeroMagnitude]),
            NamedTensor(name: "features.10", shape: [2, 0, 3], values: []),
            NamedTensor(name: "quoted \"name\" \\ and é 日本\n\u{1}", shape: [7], values: random.numbers(7)),
            NamedTensor(name: "b.weight", shape: [3, 5, 11], values: random.numbers(165)),
        ]
        let path = folder.file("out.safetensors")
        try writeSafeTensors(tensors, to: path)
        let file = try SafeTensorsFile(path: path)
        #expect(Set(file.tensors.keys) == Set(tensors.map(\.name)))
        for tensor in tensors {
            let read = try #require(file.tensors[tensor.name])
            #expect(read.shape == tensor.shape && read.type == .float32)
            #expect(read.floats().map(\.bitPattern) == tensor.values.map(\.bitPattern))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out.safetensors"])
    }

    @Test func replacesWhatWasThere() throws {
        let folder = TemporaryFolder()
        let path = folder.write("out.safetensors", [1, 2, 3])
        try writeSafeTensors([], to: path)
        #expect(try SafeTensorsFile(path: path).tensors.isEmpty)
    }

    @Test func unwritableFolder() {
        let folder = TemporaryFolder()
        let path = folder.file("missing/out.safetensors")
        #expect(
            sentence { try writeSafeTensors([], to: path) } == "cannot write \(path): No such file or directory")
    }

    @Test func fullDiskLeavesNothing() throws {
        let folder = TemporaryFolder()
        let path = folder.file("out.safetensors")
        symlink("/dev/full", "\(path).partial")
        let tensor = NamedTensor(name: "x", shape: [4], values: [1, 2, 3, 4])
        #expect(
            sentence { try writeSafeTensors([tensor], to: path) } == "cannot write \(path): No space left on device")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test func folderInTheWayStays() throws {
        let folder = TemporaryFolder()
        let path = folder.file("out.safetensors")
        mkdir(path, 0o755)
        let seen = try #require(sentence { try writeSafeTensors([], to: path) })
        #expect(seen.hasPrefix("cannot write \(path): "))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out.safetensors"])
    }
}
