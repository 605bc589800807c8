import CKernels
import Compute
import Frames

/// Motion between the last two frames of a source, at half their size, searched only where it is asked for.
///
/// `read` takes every frame, `search` finds where the places asked for were in the frame before. Both allocate nothing.
public final class SourceMotion {
    /// Sides of a cell, in pixels: what `search` is asked for.
    public static let cell = 4

    private let width: Int
    private let height: Int
    private let pool: WorkerPool
    private let search: MotionSearch
    private let field: MotionField
    private let wanted: [Memory<UInt8>]
    private var newest: Pyramid
    private var last: Pyramid
    private var pixels: UnsafePointer<UInt8>?
    private var stride = 0

    /// For frames of packed RGB, `width` x `height` pixels; nil where they are smaller than 32 each way.
    public init?(width: Int, height: Int, pool: WorkerPool) {
        let size = FrameSize(width: width, height: height)
        guard Pyramid.levels(of: size) > 1 else { return nil }
        self.width = width
        self.height = height
        self.pool = pool
        search = MotionSearch(size: size, pool: pool)
        field = MotionField(size: size, isDense: false)
        wanted = field.grids.map { Memory(count: $0.columns * $0.rows) }
        field.wanted = wanted
        newest = Pyramid(size: size)
        last = Pyramid(size: size)
        _ = fillRows
    }

    /// Brightness of the newest frame at half size.
    public var now: UnsafePointer<movie_plane> { UnsafePointer(newest.planes.base + 1) }
    /// Brightness of the frame before at half size.
    public var before: UnsafePointer<movie_plane> { UnsafePointer(last.planes.base + 1) }
    /// Vectors of the patches of `now`, in its pixels; 0 where nothing was asked for.
    public var vectors: UnsafePointer<movie_vectors> { UnsafePointer(field.baseGrid.vectors.base) }

    /// Takes the next frame, rows of `stride` bytes.
    public func read(_ pixels: UnsafePointer<UInt8>, stride: Int) {
        swap(&newest, &last)
        self.pixels = pixels
        self.stride = stride
        pool.parallelFor((height + Pyramid.rowStep - 1) / Pyramid.rowStep, fillRows)
        newest.finish()
        self.pixels = nil
    }

    /// Searches the motion of the cells that are not 0 in `cells`: [rows, columns].
    ///
    /// - Parameter noise: by how many levels frames of half size differ on average where nothing moves.
    public func search(_ cells: UnsafePointer<UInt8>, columns: Int, rows: Int, noise: Float) {
        // A patch of half size covers 16 pixels and begins every 8.
        mark(field.base, from: cells, columns: columns, rows: rows, reach: 0..<4)
        for level in field.base + 1..<max(field.grids.count, field.base + 1) {
            let finer = field.grids[level - 1]
            mark(level, from: wanted[level - 1].base, columns: finer.columns, rows: finer.rows, reach: -1..<3)
        }
        // Of two frames with normal noise; halving has taken half of each one's deviation.
        let deviation = 2 * noise * (Float.pi / 4).squareRoot()
        search.noiseVariance = deviation * deviation
        search.search(field, now: newest, then: last)
    }

    /// Wants a patch of a level where one of those of `from` is wanted that begin at twice its place, within `reach`.
    private func mark(_ level: Int, from: UnsafePointer<UInt8>, columns: Int, rows: Int, reach: Range<Int>) {
        let grid = field.grids[level], marks = wanted[level].base
        marks.update(repeating: 0, count: grid.columns * grid.rows)
        for row in 0..<rows {
            let line = from + row &* columns, down = Self.patches(over: row, reach, of: grid.rows)
            for column in 0..<columns where line[column] != 0 {
                let across = Self.patches(over: column, reach, of: grid.columns)
                for patchRow in down {
                    for patch in across { marks[patchRow &* grid.columns &+ patch] = 1 }
                }
            }
        }
    }

    /// Those of `count` patches of which `index` is within `reach` of twice their place.
    private static func patches(over index: Int, _ reach: Range<Int>, of count: Int) -> Range<Int> {
        let first = max(0, (index &- reach.upperBound &+ 2) / 2)
        return first..<max(first, min(count, (index &- reach.lowerBound) / 2 &+ 1))
    }

    // Made once, since making a closure allocates.
    private lazy var fillRows: WorkerPool.Body = { [unowned self] tile, _ in
        guard let pixels else { return }
        let first = tile * Pyramid.rowStep
        newest.fill(from: pixels, stride: stride, first: first, last: min(height, first + Pyramid.rowStep))
    }
}
