/// Where a frame differs from what was last computed: what a partial run computes again.
///
/// Cells of pixels are marked, `apply` widens them by a halo and lists the positions of every resolution of the graph.
/// Coarser positions are computed where any of their pixels is marked. Allocates nothing after its creation.
public final class ChangeMask {
    /// Pixels of a cell each way.
    public static let cell = 8

    /// Columns of cells.
    public let columns: Int
    /// Rows of cells.
    public let rows: Int
    /// [rows, columns]: not 0 where the frame has changed. To be written before `apply`.
    public let cells: UnsafeMutableBufferPointer<UInt8>

    private(set) var regions: [Region] = []
    private let count: Int
    private let wide: UnsafeMutablePointer<UInt8>
    private let high: UnsafeMutablePointer<UInt8>

    /// For pictures of height x width pixels.
    init(height: Int, width: Int) {
        columns = (width + Self.cell - 1) / Self.cell
        rows = (height + Self.cell - 1) / Self.cell
        count = rows * columns
        cells = .allocate(capacity: count)
        cells.initialize(repeating: 0)
        wide = .allocate(capacity: count)
        wide.initialize(repeating: 0, count: count)
        high = .allocate(capacity: count)
        high.initialize(repeating: 0, count: count)
    }

    deinit {
        cells.deallocate()
        wide.deallocate()
        high.deallocate()
    }

    /// Cells by which a change is widened where a position spans `scale` pixels. Chosen by measurement: Docs/reuse.md.
    static func halo(scale: Int) -> Int { 1 }

    /// The region of a resolution, made when it is asked for first; nil where its positions do not fit the cells.
    func region(height: Int, width: Int, scale: Int) -> Region? {
        if let known = regions.first(where: { $0.height == height && $0.width == width && $0.scale == scale }) {
            return known
        }
        guard scale > 0, scale % Self.cell == 0 || Self.cell % scale == 0 else { return nil }
        let region = Region(height: height, width: width, scale: scale, halo: Self.halo(scale: scale))
        regions.append(region)
        return region
    }

    /// Lists what is to be computed for the marked cells.
    public func apply() {
        for index in regions.indices {
            let region = regions[index]
            widen(by: region.halo)
            region.list(high, rows: rows, columns: columns, cell: Self.cell)
        }
    }

    /// Whether the pixels of a cell will be computed again: marked, or within the halo of the finest resolution. Valid
    /// until the cells are marked anew, after `copyComputed`.
    public func copyComputed(to computed: UnsafeMutableBufferPointer<UInt8>) {
        widen(by: Self.halo(scale: 1))
        for index in 0..<min(count, computed.count) { computed[index] = high[index] }
    }

    /// `high`: the cells with at least one marked cell within `radius` rows and columns.
    private func widen(by radius: Int) {
        for row in 0..<rows {
            let from = row &* columns
            for column in 0..<columns {
                var any: UInt8 = 0
                var near = max(0, column &- radius)
                while near <= min(columns &- 1, column &+ radius) {
                    any |= cells[from &+ near]
                    near &+= 1
                }
                wide[from &+ column] = any
            }
        }
        for row in 0..<rows {
            for column in 0..<columns {
                var any: UInt8 = 0
                var near = max(0, row &- radius)
                while near <= min(rows &- 1, row &+ radius) {
                    any |= wide[near &* columns &+ column]
                    near &+= 1
                }
                high[row &* columns &+ column] = any
            }
        }
    }
}
