import CKernels

/// How much of each correction a carried edit gets, by how far the warped source disagrees with the new frame and by how
/// well a local affine transform explains the edit.
///
/// The start is a guess; each edit that arrives was also carried by its predecessor, and tells the shares that would have
/// carried best (least squares, held to the guess where there is little to learn from).
final class BlendWeights {
    /// [trust, error, 2]: share of the slope correction, share of the affine of the new frame.
    let table: Memory<Float>
    /// Steps of disagreement a level of 8 bits.
    static let errorScale: Float = 2

    private let sums: Memory<Double>
    private let fresh: Memory<Double>
    private static let trusts = Int(MOVIE_TRUST_STEPS)
    private static let errors = Int(MOVIE_ERROR_STEPS)
    private static let kinds = Int(MOVIE_LEARN_SUMS)
    /// What earlier edits count when a new one comes.
    private static let memory = 0.6
    /// How strongly the guess holds, in levels squared.
    private static let hold = 3000.0

    init() {
        table = Memory(count: Self.trusts * Self.errors * 2)
        sums = Memory(count: Self.trusts * Self.errors * Self.kinds)
        fresh = Memory(count: sums.count)
        solve(noise: 0)
    }

    /// Forgets what was learned: another prompt edits differently.
    func reset(noise: Float) {
        sums.base.update(repeating: 0, count: sums.count)
        solve(noise: noise)
    }

    /// Learns from an edit that `carry` had carried to the same frame.
    func learn(
        _ carry: UnsafePointer<movie_carry>, edited: UnsafePointer<UInt8>, stride: Int, noise: Float,
        scratch: UnsafeMutablePointer<Float>
    ) {
        fresh.base.update(repeating: 0, count: fresh.count)
        movie_motion_learn(carry, edited, stride, fresh.base, scratch)
        var index = 0
        while index < sums.count {
            sums.base[index] = sums.base[index] * Self.memory + fresh.base[index]
            index += 1
        }
        solve(noise: noise)
    }

    /// The guess: full correction by the slope as far as the affine is trusted, and the affine itself where the warp fails.
    static func guess(trust: Float, error: Float, noise: Float) -> (slope: Float, anew: Float) {
        let extra = max(0, noise - 2) * 1.2
        let low = 10 - 5 * trust + extra, high = 36 - 16 * trust + extra
        let kept = 1 - min(1, max(0, (error - low) / (high - low)))
        return (kept * trust, 1 - kept)
    }

    private func solve(noise: Float) {
        var trust = 0
        while trust < Self.trusts {
            var error = 0
            while error < Self.errors {
                solve(trust: trust, error: error, noise: noise)
                error += 1
            }
            trust += 1
        }
    }

    private func solve(trust: Int, error: Int, noise: Float) {
        let (slope, anew) = Self.guess(
            trust: Float(trust) / Float(Self.trusts - 1), error: Float(error) / Self.errorScale, noise: noise)
        let s = around(trust: trust, error: error)
        let a = s.0 + Self.hold, b = s.1, c = s.2 + Self.hold
        let right0 = s.3 + Self.hold * Double(slope), right1 = s.4 + Self.hold * Double(anew)
        let determinant = a * c - b * b
        let entry = table.base + (trust * Self.errors + error) * 2
        entry[0] = Float(min(1, max(0, (c * right0 - b * right1) / determinant)))
        entry[1] = Float(min(1, max(0, (a * right1 - b * right0) / determinant)))
        if error == 0 { entry[1] = 0 }  // a frame that agrees shows the edit itself
    }

    /// Sums of a class and of those with nearly the same disagreement.
    private func around(trust: Int, error: Int) -> (Double, Double, Double, Double, Double) {
        var result = (0.0, 0.0, 0.0, 0.0, 0.0)
        let reach = 1 + error / 6
        var e = max(0, error - reach)
        while e <= min(Self.errors - 1, error + reach) {
            let from = sums.base + (trust * Self.errors + e) * Self.kinds
            result.0 += from[0]
            result.1 += from[1]
            result.2 += from[2]
            result.3 += from[3]
            result.4 += from[4]
            e += 1
        }
        return result
    }
}
