import CKernels
import Compute

/// The brightness of a frame in cells of 4 x 4 pixels: what scene changes and changed places are found in.
final class CellGrid {
    /// Pixels that a cell has each way.
    static let side = 4
    /// Sums of brightness that a level of one pixel makes in a cell.
    static let unit: Float = 16

    let columns: Int
    let rows: Int
    /// [rows, columns]: sums over 4 x 4 pixels, 0...4080.
    let sums: UnsafeMutablePointer<UInt16>
    private let pixels: UnsafePointer<UInt8>
    private let stride: Int
    private let pool: WorkerPool

    /// Cells of packed RGB rows, `width` x `height` pixels, `stride` bytes from row to row; what is left of a cell at the
    /// right and below does not count.
    init(_ pixels: UnsafePointer<UInt8>, width: Int, height: Int, stride: Int, pool: WorkerPool) {
        columns = width / Self.side
        rows = height / Self.side
        self.pixels = pixels
        self.stride = stride
        self.pool = pool
        sums = .allocate(capacity: columns * rows)
        sums.initialize(repeating: 0, count: columns * rows)
    }

    deinit { sums.deallocate() }

    /// Reads the frame that is in the pixels now.
    func read() { pool.parallelFor(rows, readRow) }

    // Made once, since making a closure allocates.
    private lazy var readRow: WorkerPool.Body = { [unowned self] row, _ in
        movie_luma_cells_u16(sums + row * columns, pixels + row * Self.side * stride, stride, columns)
    }

    /// Mean brightness, 0...255, of `columns` x `rows` fields that cover the frame.
    func means(into fields: UnsafeMutablePointer<Float>, columns wide: Int, rows high: Int) {
        for y in 0..<high {
            let top = y * rows / high, bottom = max(top + 1, (y + 1) * rows / high)
            for x in 0..<wide {
                let left = x * columns / wide, right = max(left + 1, (x + 1) * columns / wide)
                var sum = 0
                for row in top..<bottom {
                    let line = sums + row &* columns
                    for column in left..<right { sum &+= Int(line[column]) }
                }
                fields[y * wide + x] = Float(sum) / (Self.unit * Float((bottom - top) * (right - left)))
            }
        }
    }
}
