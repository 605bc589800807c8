import CKernels
import Compute
import Frames

/// What a carried edit is composed of; kept, to learn from the edit of the same frame.
final class CarryBuffers {
    /// The warped source and edit, as `movie_motion_pair` lays them out.
    let pairs: Memory<UInt8>
    /// [height, width, 3]: the frame they are carried to.
    let now: Memory<UInt8>
    /// Sums and fits of cells, [rows, columns, ...].
    let sums: Memory<Int32>
    let fits: Memory<Float>
    /// Disagreement, [(height + 1) / 2, (width + 1) / 2].
    let errors: Memory<UInt16>
    let columns: Int
    let rows: Int

    init(size: FrameSize) {
        let cell = Int(MOVIE_CELL)
        columns = (size.width + cell - 1) / cell
        rows = (size.height + cell - 1) / cell
        pairs = Memory(count: 8 * (size.width + 1) * (size.height + 1))
        now = Memory(count: size.width * size.height * 3)
        sums = Memory(count: columns * rows * Int(MOVIE_CELL_SUMS))
        fits = Memory(count: columns * rows * Int(MOVIE_FIT))
        errors = Memory(count: ((size.width + 1) / 2) * ((size.height + 1) / 2))
    }
}

/// Composes an edit, moved along the motion of its source, for the newest frame at edit size.
final class Carrier {
    private let size: FrameSize
    private let pool: WorkerPool
    private let across: Places
    private let scratch: [Memory<Float>]
    private let job: Memory<movie_carry>
    private var buffers: CarryBuffers
    private var vectors: UnsafePointer<Int16>?
    private var pairs: UnsafePointer<UInt8>?
    private var now: UnsafePointer<UInt8>?
    private var nowStride = 0

    init(size: FrameSize, buffers: CarryBuffers, weights: BlendWeights, pool: WorkerPool) {
        self.size = size
        self.pool = pool
        self.buffers = buffers
        across = Places(count: size.width, over: size.width, inCells: buffers.columns)
        scratch = (0..<pool.width).map { _ in Memory(count: 30 * size.width + 64) }
        job = Memory(
            movie_carry(
                width: size.width, height: size.height, columns: buffers.columns, rows: buffers.rows,
                across: across.places, pairs: buffers.pairs.base, now: buffers.now.base, now_stride: 3 * size.width,
                fits: buffers.fits.base, errors: buffers.errors.base, weights: weights.table.base,
                error_scale: BlendWeights.errorScale, result: buffers.now.base))
        _ = (warpRow, fitRow, composeBand)
    }

    /// Warps, fits and composes into `result`, [height, width, 3]; `buffers` keep what it was made of.
    func carry(
        _ pairs: Memory<UInt8>, along vectors: Memory<Int16>, to now: Memory<UInt8>, buffers: CarryBuffers,
        into result: Memory<UInt8>
    ) {
        self.vectors = UnsafePointer(vectors.base)
        fit(pairs.base, now: now.base, stride: 3 * size.width, buffers: buffers)
        use(buffers, now: now)
        job.base.pointee.result = result.base
        pool.parallelFor(buffers.rows + 1, composeBand)
    }

    /// The local affine transform of a source and its own edit.
    func fit(_ pairs: Memory<UInt8>, to now: Memory<UInt8>, buffers: CarryBuffers) {
        vectors = nil
        fit(pairs.base, now: now.base, stride: 3 * size.width, buffers: buffers)
    }

    /// Teaches `weights` from the edit of the frame to which `buffers` were carried.
    func learn(_ weights: BlendWeights, from buffers: CarryBuffers, edited: FrameView, noise: Float) {
        use(buffers, now: buffers.now)
        weights.learn(
            job.base, edited: edited.base.assumingMemoryBound(to: UInt8.self), stride: edited.stride, noise: noise,
            scratch: scratch[0].base)
    }

    private func use(_ buffers: CarryBuffers, now: Memory<UInt8>) {
        job.base.pointee.pairs = UnsafePointer(buffers.pairs.base)
        job.base.pointee.fits = UnsafePointer(buffers.fits.base)
        job.base.pointee.errors = UnsafePointer(buffers.errors.base)
        job.base.pointee.now = UnsafePointer(now.base)
    }

    private func fit(
        _ pairs: UnsafePointer<UInt8>, now: UnsafePointer<UInt8>, stride: Int, buffers: CarryBuffers
    ) {
        self.pairs = pairs
        self.now = now
        self.buffers = buffers
        nowStride = stride
        pool.parallelFor(buffers.rows, warpRow)
        pool.parallelFor((buffers.rows + 7) / 8, fitRow)
    }

    /// Warps a row of cells, where there are vectors, and sums it.
    private lazy var warpRow: WorkerPool.Body = { [unowned self] row, _ in
        guard var pairs, let now else { return }
        let cell = Int(MOVIE_CELL)
        if let vectors {
            movie_motion_warp(
                buffers.pairs.base, pairs, vectors, size.width, size.height, row * cell,
                min(size.height, (row + 1) * cell))
            pairs = UnsafePointer(buffers.pairs.base)
        }
        movie_motion_cells(
            buffers.sums.base, buffers.errors.base, pairs, now, nowStride, size.width, size.height, row, row + 1)
    }

    private lazy var fitRow: WorkerPool.Body = { [unowned self] tile, _ in
        movie_motion_fit(
            buffers.fits.base, buffers.sums.base, buffers.columns, buffers.rows, tile * 8,
            min(buffers.rows, (tile + 1) * 8))
    }

    private lazy var composeBand: WorkerPool.Body = { [unowned self] band, worker in
        movie_motion_compose(job.base, scratch[worker].base, band)
    }
}
