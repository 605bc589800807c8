import CKernels

/// The positions of one resolution that a partial run computes.
///
/// Listed twice: one by one for convolutions and attention, which gather them, and as runs within a row for steps that
/// stream through memory. The memory is taken once; listing allocates nothing.
final class Region {
    /// Positions of one row that lie behind each other.
    struct Run {
        let row: Int
        let column: Int
        let count: Int
    }

    let height: Int
    let width: Int
    /// Pixels that a position spans, each way.
    let scale: Int
    /// Cells by which a change is widened at this resolution.
    let halo: Int
    /// The positions to compute, row by row.
    let positions: UnsafeMutablePointer<movie_position>
    /// How many they are.
    private(set) var count = 0
    private let runs: UnsafeMutablePointer<Run>
    private(set) var runCount = 0
    /// The first run of the last row.
    private var rowRuns = 0

    /// Runs that make a tile.
    private static let tileRuns = 8

    init(height: Int, width: Int, scale: Int, halo: Int) {
        self.height = height
        self.width = width
        self.scale = scale
        self.halo = halo
        positions = .allocate(capacity: height * width)
        positions.initialize(repeating: movie_position(), count: height * width)
        let most = height * ((width + 1) / 2)
        runs = .allocate(capacity: most)
        runs.initialize(repeating: Run(row: 0, column: 0, count: 0), count: most)
    }

    deinit {
        positions.deallocate()
        runs.deallocate()
    }

    /// Positions of a full run.
    var area: Int { height * width }

    /// Tiles of runs, of one picture.
    var tiles: Int { (runCount + Self.tileRuns - 1) / Self.tileRuns }

    /// The runs of a tile.
    func runs(ofTile tile: Int) -> Range<Int> {
        tile * Self.tileRuns..<min(runCount, (tile + 1) * Self.tileRuns)
    }

    /// Where the listed position `index` lies among all of a picture.
    func index(_ index: Int) -> Int { Int(positions[index].row) * width + Int(positions[index].column) }

    subscript(run index: Int) -> Run { runs[index] }

    /// Lists the positions that touch a marked cell.
    ///
    /// - Parameters:
    ///   - cells: [rows, columns], not 0 where marked.
    ///   - cell: pixels of a cell each way; a multiple or a divisor of `scale`.
    func list(_ cells: UnsafePointer<UInt8>, rows: Int, columns: Int, cell: Int) {
        count = 0
        runCount = 0
        let step = max(1, cell / scale)  // positions of a cell
        for row in 0..<height {
            if row % step > 0 {  // as the row above, in the same cells
                repeatRuns(on: row)
                continue
            }
            rowRuns = runCount
            let cellRows = covered(row, by: cell, upTo: rows)
            var column = 0
            while column < width {
                let start = column
                while column < width, isMarked(cells, cellRows, covered(column, by: cell, upTo: columns), columns) {
                    column += step
                }
                if column > start { add(row, start, min(width, column) - start) }
                column += step
            }
        }
    }

    /// The runs of the last row that was looked at, on another one.
    private func repeatRuns(on row: Int) {
        let first = rowRuns, last = runCount
        rowRuns = last
        var index = first
        while index < last {
            add(row, runs[index].column, runs[index].count)
            index += 1
        }
    }

    /// The cells that a row or column of positions touches.
    private func covered(_ index: Int, by cell: Int, upTo most: Int) -> Range<Int> {
        let first = min(most - 1, index * scale / cell)
        return first..<max(first + 1, min(most, (index * scale + scale + cell - 1) / cell))
    }

    private func isMarked(_ cells: UnsafePointer<UInt8>, _ rows: Range<Int>, _ columns: Range<Int>, _ stride: Int)
        -> Bool
    {
        var row = rows.lowerBound
        while row < rows.upperBound {
            var column = columns.lowerBound
            while column < columns.upperBound {
                if cells[row &* stride &+ column] != 0 { return true }
                column &+= 1
            }
            row &+= 1
        }
        return false
    }

    private func add(_ row: Int, _ column: Int, _ length: Int) {
        runs[runCount] = Run(row: row, column: column, count: length)
        runCount += 1
        for index in 0..<length {
            positions[count &+ index] = movie_position(row: UInt16(row), column: UInt16(column &+ index))
        }
        count += length
    }
}
