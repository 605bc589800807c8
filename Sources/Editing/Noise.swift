import Glibc

/// Standard normal numbers from a seed: SplitMix64 (Steele et al. 2014) through the Box-Muller transform.
///
/// Every frame of a session starts from the same noise, so that nothing flickers.
public struct Noise {
    private var state: UInt64

    /// The same seed gives the same numbers on every machine.
    public init(seed: UInt64) { state = seed }

    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return (Double(z >> 11) + 0.5) * 0x1p-53
    }

    /// Fills `numbers` with normal numbers.
    public mutating func fill(_ numbers: inout [Float]) {
        numbers.withUnsafeMutableBufferPointer { fill($0) }
    }

    /// Fills `buffer` with normal numbers.
    public mutating func fill(_ buffer: UnsafeMutableBufferPointer<Float>) {
        for index in buffer.indices {
            let radius = (-2 * log(uniform())).squareRoot()
            buffer[index] = Float(radius * cos(2 * .pi * uniform()))
        }
    }
}
