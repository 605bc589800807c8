import CKernels
import Frames

/// The camera's noise, from what motion does not explain between two frames.
final class NoiseMeter {
    /// Standard deviation of the noise of luma, 8-bit levels.
    private(set) var deviation: Float = 1

    private let counts = Memory<UInt32>(count: 256)
    private var frames = 0

    /// Adds a pair of frames; `field` leads from one to the other.
    func add(_ field: MotionField, now: Pyramid, then: Pyramid) {
        counts.base.update(repeating: 0, count: 256)
        movie_motion_residuals(
            counts.base, field.baseGrid.vectors.base, Float(1 << field.base), now.planes.base, then.planes.base)
        // The difference of two noisy pixels; its median is 0.6745 standard deviations.
        let measured = median() / (0.6745 * Float(2).squareRoot())
        frames += 1
        deviation += (measured - deviation) / Float(min(frames, 16))
    }

    /// The median of the differences, as if they were spread evenly over the half levels around each.
    private func median() -> Float {
        var total: UInt32 = 0, index = 0
        while index < 256 {
            total += counts.base[index]
            index += 1
        }
        guard counts.base[0] < total / 2 else { return Float(counts.base[0]) < Float(total) * 0.98 ? 0.25 : 0 }
        var below = Float(counts.base[0]), half = Float(total) / 2
        index = 1
        while index < 255, below + Float(counts.base[index]) < half {
            below += Float(counts.base[index])
            index += 1
        }
        half = (half - below) / Float(max(1, counts.base[index]))
        return Float(index) - 0.5 + half
    }
}
