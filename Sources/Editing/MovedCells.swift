import CKernels
import Compute
import Motion

/// Where the picture moves: which cells of the last output are to be carried along, from where, and how far they are to be
/// trusted.
///
/// A cell is carried where the motion from the source before explains the new one: what is left of their difference in
/// 12 x 12 pixels counts against the camera's noise, in the whole 3 x 3 neighbourhood, so that nothing comes from behind
/// what moves away. A single pixel of half size that differs by far rules its cell out: small things are no average.
final class MovedCells {
    /// How much of the last output a carried cell keeps at most: pictures that are carried for long lose their lines.
    static let most: Float = 0.7
    /// Carried in full up to so many times the noise, and not at all from so many on.
    static let explained: Float = 3
    static let unexplained: Float = 10
    /// The same for the largest difference of a cell's pixels.
    static let peakExplained: Float = 7
    static let peakUnexplained: Float = 12
    /// Levels by which what is carried may be off the edit: what differs by more is no flicker.
    static let farthest: Int32 = 24
    private static let level: Float = 16  // of differences

    /// Where each cell was: [rows, columns, 2], pixel x at x + move / 8. (0, 0): where it is.
    let moves: UnsafeMutablePointer<Int16>

    private let motion: SourceMotion
    private let source: UnsafePointer<UInt8>
    private let stride: Int
    private let columns: Int
    private let rows: Int
    private let pool: WorkerPool
    private let job: UnsafeMutablePointer<movie_cell_motion>
    private let wanted: UnsafeMutablePointer<UInt8>
    private let carried: UnsafeMutablePointer<UInt8>  // weights
    private let left: UnsafeMutablePointer<UInt16>
    private let peak: UnsafeMutablePointer<UInt16>
    private let around: UnsafeMutablePointer<UInt16>  // `left` of 3 x 3 cells
    private let nothing: UnsafeMutablePointer<UInt16>
    private var weights: UnsafeMutablePointer<UInt8>
    private var noise = MovedCells.noNoise
    private var most: Float = 0
    private static let noNoise = StillNoise(bounds: 0.3...4, first: 4, unit: 9 * level, fifth: 1, width: 16)

    /// For the cells of sources that are packed RGB of `stride` bytes a row; nil where the picture is too small to search.
    init?(_ source: UnsafePointer<UInt8>, stride: Int, width: Int, height: Int, cells: CellGrid, pool: WorkerPool) {
        guard let motion = SourceMotion(width: width, height: height, pool: pool) else { return nil }
        self.motion = motion
        self.source = source
        self.stride = stride
        self.pool = pool
        columns = cells.columns
        rows = cells.rows
        let count = columns * rows
        moves = zeros(2 * count)
        wanted = zeros(count)
        carried = zeros(count)
        left = zeros(count)
        peak = zeros(count)
        around = zeros(count)
        nothing = zeros(columns)
        weights = carried
        job = .allocate(capacity: 1)
        job.initialize(
            to: movie_cell_motion(
                now: motion.now, then: motion.before, vectors: motion.vectors, wanted: wanted, moves: moves, left: left,
                peak: peak, columns: columns, rows: rows))
    }

    deinit {
        for bytes in [wanted, carried] { bytes.deallocate() }
        for numbers in [left, peak, around, nothing] { numbers.deallocate() }
        moves.deallocate()
        job.deallocate()
    }

    /// Reads the newest source; to be called for every frame.
    func read() { motion.read(source, stride: stride) }

    /// Forgets the camera's noise.
    func forget() { noise.forget() }

    /// Raises the weights of cells that can be carried: [rows, columns], of 256; `full` is that of a cell at rest. Whether
    /// there may be any.
    func find(_ weights: UnsafeMutablePointer<UInt8>, full: Float) -> Bool {
        guard mark(weights, below: full / 2) else { return false }
        motion.search(wanted, columns: columns, rows: rows, noise: noise.level)
        job.pointee.now = motion.now
        job.pointee.then = motion.before
        self.weights = weights
        most = min(full, 256 * Self.most)
        pool.parallelFor(rows, findMoves)
        pool.parallelFor(rows, addNeighbours)
        noise.update(around, count: columns * rows)
        pool.parallelFor(rows, choose)
        return true
    }

    /// Wants the cells that weigh less.
    private func mark(_ weights: UnsafePointer<UInt8>, below least: Float) -> Bool {
        let least = UInt8(least)
        var any: UInt8 = 0, index = 0
        while index < columns * rows {
            let isWanted: UInt8 = weights[index] < least ? 1 : 0
            wanted[index] = isWanted
            any |= isWanted
            index += 1
        }
        return any != 0
    }

    /// Carries the moved cells of a row of cells from `old` into `picture`, near `edited`; all have `height` rows.
    func carry(
        _ picture: UnsafeMutablePointer<UInt8>, from old: UnsafePointer<UInt8>, edited: UnsafePointer<UInt8>,
        height: Int, row: Int
    ) {
        movie_cell_carry(
            picture, old, edited, stride, stride / 3, height, moves, weights, columns, row, Self.farthest)
    }

    private func row(_ row: Int) -> Int { min(max(0, row), rows - 1) * columns }

    // Made once, since making a closure allocates.

    private lazy var findMoves: WorkerPool.Body = { [unowned self] index, _ in movie_cell_moves(job, index, index + 1) }

    private lazy var addNeighbours: WorkerPool.Body = { [unowned self] index, _ in
        movie_cell_change_u16(
            around + row(index), left + row(index - 1), left + row(index), left + row(index + 1), nothing, nothing,
            nothing, columns)
    }

    private lazy var choose: WorkerPool.Body = { [unowned self] index, _ in
        let own = row(index), unit = 9 * Self.level * noise.level
        movie_cell_weights_u8(
            carried + own, around + row(index - 1), around + own, around + row(index + 1), columns,
            Self.unexplained * unit, most / ((Self.unexplained - Self.explained) * unit), most)
        let peakUnit = Self.level * noise.level
        movie_cell_choose(
            weights + own, moves + 2 * own, carried + own, wanted + own, peak + own, columns,
            Self.peakUnexplained * peakUnit, 1 / ((Self.peakUnexplained - Self.peakExplained) * peakUnit))
    }
}

/// Memory full of zeros.
func zeros<Number: FixedWidthInteger>(_ count: Int) -> UnsafeMutablePointer<Number> {
    let pointer = UnsafeMutablePointer<Number>.allocate(capacity: count)
    pointer.initialize(repeating: 0, count: count)
    return pointer
}
