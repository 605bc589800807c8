import Foundation
import Tensors

/// |a - b| / |b|: the norm of the difference over the norm of the reference. Infinite for different counts or a NaN.
public func relativeError(_ values: [Float], _ reference: [Float]) -> Double {
    guard values.count == reference.count else { return .infinity }
    var difference = 0.0, norm = 0.0
    for (a, b) in zip(values, reference) {
        difference += Double(a - b) * Double(a - b)
        norm += Double(b) * Double(b)
    }
    let error = (difference / max(norm, 1e-30)).squareRoot()
    return error.isNaN ? .infinity : error
}

/// Deterministic numbers in -1...1 for tests (a linear congruential generator).
public struct TestRandom {
    private var state: UInt64

    /// The same seed gives the same numbers.
    public init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    /// The next number.
    public mutating func next() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 32)) / 2_147_483_648
    }

    /// The next `count` numbers.
    public mutating func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }
}

/// A folder that is removed with everything in it when the value goes.
public final class TemporaryFolder {
    /// Its path.
    public let path: String

    /// Makes an empty folder under TMPDIR.
    public init() {
        var template = Array("\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/movied-test-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in the folder.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes `bytes` to the file `name` and returns its path.
    @discardableResult
    public func write(_ name: String, _ bytes: [UInt8]) -> String {
        let path = file(name)
        if let stream = fopen(path, "wb") {
            fwrite(bytes, 1, bytes.count, stream)
            fclose(stream)
        }
        return path
    }
}
