import Glibc
import TestSupport
import Testing

@testable import Tensors

/// A damaged file and the sentence it gets; PATH stands for the file's path.
struct DamagedFile: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let sentence: String

    init(_ name: String, _ bytes: [UInt8], _ sentence: String) {
        testDescription = name
        self.bytes = bytes
        self.sentence = sentence
    }

    /// One tensor `x` whose header entry is `entry`, and 16 bytes of data.
    init(_ name: String, entry: String, _ sentence: String) {
        self.init(name, safeTensors("{\"x\":\(entry)}", data: Array(repeating: 0, count: 16)), sentence)
    }
}

private let notJSON = "PATH is damaged: its header is not the JSON that safetensors has"
private func misfit(_ type: String, _ shape: String, _ bytes: Int) -> String {
    "PATH: tensor x of type \(type) and shape \(shape) does not fit its \(bytes) bytes"
}

private let damagedFiles = [
    DamagedFile("empty file", [], "PATH is empty"),
    DamagedFile("7 bytes", [1, 0, 0, 0, 0, 0, 0], "PATH is not a safetensors file: 7 bytes, the header alone takes 8"),
    DamagedFile(
        "header longer than the file", safeTensors("{}", length: 3),
        "PATH is damaged or truncated: its header claims 3 bytes, the file has 10"),
    DamagedFile(
        "header length of 2^64 - 1", safeTensors("{}", length: .max),
        "PATH is damaged or truncated: its header claims 18446744073709551615 bytes, the file has 10"),
    DamagedFile(
        "header length of 2^63", safeTensors("{}", length: 1 << 63),
        "PATH is damaged or truncated: its header claims 9223372036854775808 bytes, the file has 10"),
    DamagedFile("no header", safeTensors(""), notJSON),
    DamagedFile("header that is text", safeTensors("hello"), notJSON),
    DamagedFile("header that is a list", safeTensors("[]"), notJSON),
    DamagedFile("header cut short", safeTensors("{\"x\":{\"dtype\":\"F32\""), notJSON),
    DamagedFile("header that is not UTF-8", safeTensors("") + [0xFF, 0xFE], notJSON),
    DamagedFile("deep header", safeTensors(String(repeating: "{\"a\":", count: 100_000)), notJSON),
    DamagedFile("entry without a shape", entry: "{\"dtype\":\"F32\",\"data_offsets\":[0,4]}", notJSON),
    DamagedFile("entry that is a number", entry: "5", notJSON),
    DamagedFile("fractional dimension", entry: "{\"dtype\":\"F32\",\"shape\":[0.5],\"data_offsets\":[0,4]}", notJSON),
    DamagedFile("dimension of 1e300", entry: "{\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,4]}", notJSON),
    DamagedFile(
        "unknown type", entry: "{\"dtype\":\"Q4\",\"shape\":[4],\"data_offsets\":[0,16]}",
        "PATH: tensor x has the unknown type Q4; known are F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL"),
    DamagedFile(
        "offsets backwards", entry: "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,0]}",
        "PATH: tensor x has the impossible offsets [16, 0]"),
    DamagedFile(
        "negative offset", entry: "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[-4,12]}",
        "PATH: tensor x has the impossible offsets [-4, 12]"),
    DamagedFile(
        "one offset", entry: "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16]}",
        "PATH: tensor x has the impossible offsets [16]"),
    DamagedFile(
        "offsets beyond the data", entry: "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[4,20]}",
        "PATH is truncated: tensor x ends at byte 20 of the data, which has 16"),
    DamagedFile(
        "offsets at the end of all numbers",
        entry: "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[9223372036854775807,9223372036854775807]}",
        "PATH is truncated: tensor x ends at byte 9223372036854775807 of the data, which has 16"),
    DamagedFile(
        "shape too small", entry: "{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,16]}", misfit("F32", "[3]", 16)),
    DamagedFile(
        "type too small", entry: "{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,16]}", misfit("F16", "[4]", 16)),
    DamagedFile(
        "scalar of 16 bytes", entry: "{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,16]}", misfit("F32", "[]", 16)
    ),
    DamagedFile(
        "negative dimensions", entry: "{\"dtype\":\"F32\",\"shape\":[-2,-2],\"data_offsets\":[0,16]}",
        misfit("F32", "[-2, -2]", 16)),
    DamagedFile(
        "negative dimension beside a zero", entry: "{\"dtype\":\"F32\",\"shape\":[0,-1],\"data_offsets\":[0,0]}",
        misfit("F32", "[0, -1]", 0)),
    DamagedFile(
        "product beyond 64 bits",
        entry: "{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}",
        misfit("U8", "[4294967296, 4294967296]", 0)),
    DamagedFile(
        "bytes beyond 64 bits", entry: "{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}",
        misfit("F64", "[2305843009213693952]", 0)),
]

@Suite struct DamagedFileTests {
    @Test(arguments: damagedFiles)
    func damagedFile(_ damaged: DamagedFile) {
        let folder = TemporaryFolder()
        let path = folder.write("x.safetensors", damaged.bytes)
        let expected = damaged.sentence.replacing("PATH", with: path)
        #expect(sentence { _ = try SafeTensorsFile(path: path) } == expected)
    }

    @Test func overlappingTensors() {
        let folder = TemporaryFolder()
        let a = "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
        let b = "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}"
        let path = folder.write("x.safetensors", safeTensors("{\(b),\(a)}", data: Array(repeating: 0, count: 12)))
        #expect(
            sentence { _ = try SafeTensorsFile(path: path) }
                == "\(path) is damaged: tensors a and b overlap (bytes [0, 8] and [4, 12])")
    }

    /// A file that lost its last bytes is refused wherever it was cut.
    @Test func everyTruncation() throws {
        let folder = TemporaryFolder()
        let whole = folder.file("whole.safetensors")
        try writeSafeTensors([NamedTensor(name: "x", shape: [3], values: [1, 2, 3])], to: whole)
        let content = try MappedFile(path: whole)
        for count in 0..<content.bytes.count {
            let path = folder.write("cut.safetensors", Array(content.bytes.prefix(count)))
            #expect(sentence { _ = try SafeTensorsFile(path: path) }?.contains(path) == true, "\(count) bytes")
        }
    }

    @Test func noFile() {
        let folder = TemporaryFolder()
        let path = folder.file("x.safetensors")
        #expect(sentence { _ = try SafeTensorsFile(path: path) } == "cannot open \(path): No such file or directory")
        #expect(sentence { _ = try SafeTensorsFile(path: folder.path) } == "\(folder.path) is not a file")
        mkfifo(path, 0o644)
        #expect(sentence { _ = try SafeTensorsFile(path: path) } == "\(path) is not a file")
    }
}

/// Thousands of damaged headers: each gives an error or a file whose tensors can be read, and never a crash.
@Suite struct MutationTests {
    private static let header = """
        {"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},\
        "b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},"c":{"dtype":"I64","shape":[],"data_offsets":[32,40]}}
        """

    @Test(arguments: 0..<4)
    func mutatedHeaders(_ seed: Int) throws {
        let folder = TemporaryFolder()
        let valid = safeTensors(Self.header, data: Array(0..<40))
        var random = MutationRandom(state: UInt64(seed) &+ 7)
        var refused = 0
        for _ in 0..<1000 {
            let path = folder.write("x.safetensors", random.mutated(valid, within: 8 + Self.header.utf8.count))
            do throws(TensorError) {
                for tensor in try SafeTensorsFile(path: path).tensors.values {
                    #expect(tensor.floats().count == tensor.count)
                }
            } catch {
                #expect(error.message.contains(path))
                refused += 1
            }
        }
        #expect(refused > 500, "most mutations are refused: \(refused)")
    }
}

/// Changes bytes where it hurts: digits, quotes, brackets, signs, lengths.
private struct MutationRandom {
    var state: UInt64
    private static let tokens = [
        "-", "0", "9", "99999999999999999999", "{", "}", "[", "]", ",", "\"", ":", "null", "1e9", "\\u0000", ".5",
        "[[[[", "F16", "\"\"", "true", "4294967296,4294967296",
    ].map { Array($0.utf8) }

    private mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }

    mutating func mutated(_ valid: [UInt8], within limit: Int) -> [UInt8] {
        var bytes = valid
        for _ in 0...next(3) {
            let place = min(next(limit), max(0, bytes.count - 1))
            switch next(6) {
            case 0: bytes[place] = UInt8(next(256))
            case 1: bytes[place] ^= 1 << UInt8(next(8))
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(contentsOf: Self.tokens[next(Self.tokens.count)], at: place)
            case 4:
                bytes.replaceSubrange(
                    place..<min(bytes.count, place + next(6)), with: Self.tokens[next(Self.tokens.count)])
            default: bytes.removeLast(next(min(bytes.count, 48)))
            }
            if bytes.isEmpty { return [0] }
        }
        if next(2) == 0, bytes.count >= 8 {  // half of them with a header length that fits, to get past the first check
            let data = min(40, bytes.count - 8)
            bytes.replaceSubrange(
                0..<8, with: withUnsafeBytes(of: UInt64(bytes.count - 8 - data).littleEndian, Array.init))
        }
        return bytes
    }
}
