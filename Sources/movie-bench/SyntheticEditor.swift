import Compute
import Frames
import Glibc
import Media
import Scheduling

/// An editor of known cost: computes for a while on all threads of the pool, in steps, then inverts the picture.
final class SyntheticEditor: FrameEditor {
    private let pool: WorkerPool
    private let steps: Int
    private let spin: WorkerPool.Body

    /// Work for `milliseconds` on the pool as it is now, alone on the machine, in `steps` parts of equal length.
    init(milliseconds: Double, steps: Int, pool: WorkerPool) {
        self.pool = pool
        self.steps = max(1, steps)
        let rounds = max(1, Int(milliseconds / Double(max(1, steps)) * Self.roundsPerMillisecond(pool)))
        spin = { _, _ in Self.burn(rounds) }
    }

    func prepare(size: FrameSize) {}

    func edit(_ input: FrameView, into output: MutableFrameView) {
        for _ in 0..<steps {
            pool.yieldIfEarlier()
            pool.parallelFor(pool.width, spin)
        }
        for row in 0..<input.size.height {
            let source = (input.base + row * input.stride).assumingMemoryBound(to: UInt8.self)
            let target = (output.base + row * output.stride).assumingMemoryBound(to: UInt8.self)
            for column in 0..<input.size.width * 3 { target[column] = ~source[column] }
        }
    }

    /// How much `burn` does in a millisecond while all threads compute: the best of several tries.
    private static func roundsPerMillisecond(_ pool: WorkerPool) -> Double {
        let rounds = 50_000, clock = MonotonicClock()
        var best = Nanoseconds.max
        for _ in 0..<30 {
            let begin = clock.now
            pool.parallelFor(pool.width) { _, _ in burn(rounds) }
            best = min(best, clock.now - begin)
        }
        return Double(rounds) / max(1e-3, best.inMilliseconds)
    }

    @inline(never)
    private static func burn(_ rounds: Int) {
        var x = 1.0
        for _ in 0..<rounds { x = (x + 1.7).squareRoot() }
        if x < 0 { usleep(1) }
    }
}
