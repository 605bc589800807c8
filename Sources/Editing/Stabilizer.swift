import CKernels
import Compute

/// Takes flicker out of edited frames: where the *source* has not changed beyond the camera's noise, the last output counts;
/// where it has moved, the last output carried along does.
///
/// Each output is edited + weight * (last output - edited). The weight of a place is 0.9 * (1 - (1 - control)^2) times how
/// surely nothing moves there: 3 x 3 cells of 4 x 4 pixels have the brightness that belongs to the last output (which follows the source
/// with the same weights, so that slow changes add up until they count), the largest change in the neighbourhood decides,
/// and what counts as change is measured against the camera's noise, estimated from the cells that change least.
/// `MovedCells` weighs what moves. One frame at a time; nothing is allocated after the beginning.
public final class Stabilizer {
    /// How much of the last output stays where nothing moves, for a control of 1.
    static let most: Float = 0.9
    /// Changes up to so many times the noise count as none, and from so many as movement.
    static let still: Float = 3
    static let moving: Float = 7
    /// Bounds of the noise of a 3 x 3 neighbourhood's mean, in levels: below it rounding rules, above it movement.
    static let noiseBounds: ClosedRange<Float> = 0.12...1.2
    /// What the first two frames may tell at most: what differs may be more than noise.
    static let firstNoise: Float = 0.5

    /// A row's differences of a single level stay, but every so many frames, so that a still picture is reached exactly.
    static let turns = 16

    /// 0 leaves frames as they are, 1 holds still places as still as it can.
    public var strength: Float {
        didSet { strength = strength > 0 ? min(strength, 1) : 0 }
    }
    /// Estimated noise of the mean brightness of 12 x 12 pixels, in levels of 255.
    public var noise: Float { stillNoise.level }

    /// The last output, packed RGB rows as the edited frame's; from frame to frame it may lie elsewhere.
    public private(set) var output: UnsafeMutablePointer<UInt8>

    private static let sum: Float = 9 * CellGrid.unit  // a level, over 3 x 3 cells

    private let cells: CellGrid
    private let moved: MovedCells?
    private let usual: UnsafePointer<UInt8>
    private var edited: UnsafePointer<UInt8>
    private let height: Int
    private let stride: Int
    private let pool: WorkerPool
    private var other: UnsafeMutablePointer<UInt8>  // the output before, where cells of it are carried
    private let then: UnsafeMutablePointer<UInt16>
    private let change: UnsafeMutablePointer<UInt16>
    private let weights: UnsafeMutablePointer<UInt8>
    private let spread: UnsafeMutablePointer<UInt8>  // a row of bytes for each worker
    private var isEmpty = true
    private var frames = 0
    private var carries = false
    private var stillNoise = StillNoise(
        bounds: Stabilizer.noiseBounds, first: Stabilizer.firstNoise, unit: Stabilizer.sum,
        fifth: 0.2533, width: 2)  // a fifth of normal numbers lies within 0.2533 deviations
    private var top: Float = 0
    private var high: Float = 0
    private var slope: Float = 0

    /// For edited frames of packed RGB, `height` rows of `stride` bytes, whose sources `cells` reads.
    ///
    /// - Parameter moved: what knows where the source has moved; without it, nothing of the last output stays there.
    init(
        cells: CellGrid, moved: MovedCells? = nil, edited: UnsafePointer<UInt8>, height: Int, stride: Int,
        strength: Double, pool: WorkerPool
    ) {
        self.cells = cells
        self.moved = moved
        self.edited = edited
        usual = edited
        self.height = height
        self.stride = stride
        self.pool = pool
        self.strength = min(max(0, Float(strength)), 1)
        let count = cells.columns * cells.rows
        output = zeros(stride * height)
        other = zeros(moved == nil ? 0 : stride * height)
        then = zeros(count)
        change = zeros(count)
        weights = zeros(count)
        spread = zeros(stride * pool.width)
    }

    deinit {
        output.deallocate()
        other.deallocate()
        then.deallocate()
        change.deallocate()
        weights.deallocate()
        spread.deallocate()
    }

    /// Forgets the last output: the next one is the edited frame itself.
    public func reset() { isEmpty = true }

    /// Forgets the camera's noise too.
    func forget() {
        reset()
        stillNoise.forget()
        moved?.forget()
    }

    /// Looks at the source of the next frame, whose cells have been read.
    func look() {
        if strength > 0 { moved?.read() }
    }

    /// Makes `output` from the edited frame, or from `elsewhere` if it lies there; `look` has been called.
    func run(_ elsewhere: UnsafePointer<UInt8>? = nil) {
        edited = elsewhere ?? usual
        frames &+= 1
        let count = cells.columns * cells.rows
        guard !isEmpty, strength > 0 else {
            output.update(from: edited, count: stride * height)
            then.update(from: cells.sums, count: count)
            isEmpty = false
            return
        }
        pool.parallelFor(cells.rows, findChange)
        stillNoise.update(change, count: count)
        top = 256 * Self.most * strength * (2 - strength)
        high = Self.moving * noise * Self.sum
        slope = top / ((Self.moving - Self.still) * noise * Self.sum)
        pool.parallelFor(cells.rows, findWeights)
        carries = moved?.find(weights, full: top) ?? false
        if carries { swap(&output, &other) }
        pool.parallelFor((height + CellGrid.side - 1) / CellGrid.side, blendRows)
    }

    private func row(_ row: Int) -> Int { min(max(0, row), cells.rows - 1) * cells.columns }

    // Made once, since making a closure allocates.

    private lazy var findChange: WorkerPool.Body = { [unowned self] index, _ in
        let above = row(index - 1), own = row(index), below = row(index + 1), now = cells.sums
        movie_cell_change_u16(
            change + own, now + above, now + own, now + below, then + above, then + own, then + below, cells.columns)
    }

    private lazy var findWeights: WorkerPool.Body = { [unowned self] index, _ in
        let above = row(index - 1), own = row(index), below = row(index + 1)
        movie_cell_weights_u8(
            weights + own, change + above, change + own, change + below, cells.columns, high, slope,
            top)
        movie_cell_follow_u16(then + own, cells.sums + own, weights + own, cells.columns)
    }

    private lazy var blendRows: WorkerPool.Body = { [unowned self] index, worker in
        let bytes = spread + worker * stride, inside = cells.columns * 12
        if carries { bringLast(index) }
        for line in 0..<min(CellGrid.side, height - index * CellGrid.side) {
            let at = (index * CellGrid.side + line) * stride
            guard index < cells.rows else {  // below the last whole cell
                (output + at).update(from: edited + at, count: stride)
                continue
            }
            let far = row(line < 2 ? index - 1 : index + 1), share: UInt32 = line == 0 || line == 3 ? 3 : 1
            movie_spread_weights_u8(bytes, weights + row(index), weights + far, share, cells.columns)
            let keeps: Int32 = (index * CellGrid.side + line + frames) % Self.turns == 0 ? 0 : 1
            movie_stabilize_u8(output + at, edited + at, bytes, inside, keeps)
            (output + at + inside).update(from: edited + at + inside, count: stride - inside)
        }
    }

    /// The last output's rows of a row of cells, with what moved.
    private func bringLast(_ index: Int) {
        guard index < cells.rows else { return }
        let at = index * CellGrid.side * stride
        (output + at).update(from: other + at, count: CellGrid.side * stride)
        moved?.carry(output, from: other, edited: edited, height: height, row: index)
    }
}
