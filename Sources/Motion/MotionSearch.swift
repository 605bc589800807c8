import CKernels
import Compute
import Frames

/// Searches motion between two frames on all threads of a pool.
final class MotionSearch {
    /// Variance of the camera's noise, 8-bit levels squared, at edit size.
    var noiseVariance: Float = 1

    private let pool: WorkerPool
    private let job: Memory<movie_search>
    private let scratch: [Memory<Float>]
    /// What the chain of motions predicts, on the level of `MotionField.base`.
    private let guess: VectorGrid
    private var target: MotionField?
    private var rows = 0

    /// Rows of patches that one thread does at a time; they begin anew, so that results do not depend on threads.
    private static let band = 4

    init(size: FrameSize, pool: WorkerPool) {
        self.pool = pool
        let base = min(1, Pyramid.levels(of: size) - 1)
        guess = VectorGrid(width: size.width >> base, height: size.height >> base)
        let empty = Pyramid(size: FrameSize(width: 16, height: 16))
        job = Memory(
            movie_search(
                now: empty.planes.base, then: empty.planes.base, result: guess.vectors.base, coarse: nil, guess: nil,
                guess_scale: 1, noise: 1, steps: 0, neighbours: 0, wanted: nil))
        scratch = (0..<pool.width).map { _ in Memory(count: 12 * (size.width + 8)) }
        _ = (searchBand, densifyBand)
    }

    /// Vectors of patches from `now` to `then`, down to `field.base`. `previous`: motion from now to the frame before, where
    /// `field` still holds the motion from that one.
    func search(_ field: MotionField, now: Pyramid, then: Pyramid, previous: MotionField? = nil) {
        if let previous {
            let rows = guess.rows
            movie_motion_chain(
                guess.vectors.base, previous.baseGrid.vectors.base, field.baseGrid.vectors.base, 0, rows)
        }
        field.isFine = false
        var level = field.grids.count - 1
        while level >= field.base {
            run(field, now, then, level: level, hasGuess: previous != nil, steps: 6)
            level -= 1
        }
    }

    /// A vector for every pixel, unless it is there.
    func refine(_ field: MotionField, now: Pyramid, then: Pyramid) {
        guard !field.isFine else { return }
        if field.base > 0 { run(field, now, then, level: 0, hasGuess: false, steps: 2) }
        target = field
        job.base.pointee.now = UnsafePointer(now.planes.base)
        job.base.pointee.then = UnsafePointer(then.planes.base)
        rows = field.grids[0].rows
        pool.parallelFor((rows + Self.band - 1) / Self.band, densifyBand)
        target = nil
        field.isFine = true
    }

    private func run(
        _ field: MotionField, _ now: Pyramid, _ then: Pyramid, level: Int, hasGuess: Bool, steps: Int32
    ) {
        let job = job.base, finer = Float(1 << level)
        job.pointee.now = UnsafePointer(now.planes.base + level)
        job.pointee.then = UnsafePointer(then.planes.base + level)
        job.pointee.result = UnsafePointer(field.grids[level].vectors.base)
        job.pointee.coarse =
            level + 1 < field.grids.count ? UnsafePointer(field.grids[level + 1].vectors.base) : nil
        job.pointee.guess = hasGuess ? UnsafePointer(guess.vectors.base) : nil
        job.pointee.guess_scale = Float(1 << field.base) / finer
        job.pointee.noise = noiseVariance / (finer * finer)
        job.pointee.steps = steps
        job.pointee.neighbours = level > 0 ? 1 : 0
        job.pointee.wanted = field.wanted.map { UnsafePointer($0[level].base) }
        rows = field.grids[level].rows
        pool.parallelFor((rows + Self.band - 1) / Self.band, searchBand)
    }

    private lazy var searchBand: WorkerPool.Body = { [unowned self] band, _ in
        movie_motion_search(job.base, band * Self.band, min(rows, (band + 1) * Self.band))
    }

    private lazy var densifyBand: WorkerPool.Body = { [unowned self] band, worker in
        guard let field = target else { return }
        movie_motion_densify(
            field.dense.base, field.grids[0].vectors.base, job.base.pointee.now, job.base.pointee.then,
            scratch[worker].base, band * Self.band, min(rows, (band + 1) * Self.band))
    }
}
