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

    /// Cells by which a change is widened.
    public struct Halo: Sendable, Equatable {
        /// Where a position spans fewer pixels than a cell: edges there must meet what lies beside them.
        public var fine: Int
        /// Everywhere else.
        public var deep: Int

        /// Chosen by measurement: Docs/reuse.md.
        public static let standard = Halo(fine: 1, deep: 1)

        /// Halos in cells, at least 0.
        public init(fine: Int, deep: Int) {
            self.fine = max(0, fine)
            self.deep = max(0, deep)
        }
    }

    /// The share of the picture that a partial run computes at the finest resolution, since `apply`.
    public private(set) var computedShare = 1.0

    private let halo: Halo
    private(set) var regions: [Region] = []
    private let count: Int
    private let wide: UnsafeMutablePointer<UInt8>
    private let high: UnsafeMutablePointer<UInt8>

    /// For pictures of height x width pixels.
    init(height: Int, width: Int, halo: Halo) {
        self.halo = halo
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

    /// The region of a resolution, made when it is asked for first; nil where its positions do not fit the cells.
    func region(height: Int, width: Int, scale: Int) -> Region? {
        if let known = regions.first(where: { $0.height == height && $0.width == width && $0.scale == scale }) {
            return known
        }
        guard scale > 0, scale % Self.cell == 0 || Self.cell % scale == 0 else { return nil }
        let region = Region(height: height, width: width, scale: scale, halo: scale < Self.cell ? halo.fine : halo.deep)
        regions.append(region)
        return region
    }

    /// Lists what is to be computed for the marked cells.
    public func apply() {
        var widened = -1, finest = Int.max
        computedShare = 1
        for index in regions.indices {
            let region = regions[index]
            if region.halo != widened { widen(by: region.halo) }
            widened = region.halo
            region.list(high, rows: rows, columns: columns, cell: Self.cell)
            if region.scale < finest {
                finest = region.scale
                computedShare = Double(region.count) / Double(region.area)
            }
        }
    }

    /// Writes which cells' pixels are computed again: the marked ones and those within the halo of the finest resolution.
    public func copyComputed(to computed: UnsafeMutableBufferPointer<UInt8>) {
        widen(by: halo.fine)
        for index in 0..<min(count, computed.count) { computed[index] = high[index] }
    }

    /// `high`: the cells with at least one marked cell within `radius` rows and columns.
    private func widen(by radius: Int) {
        guard radius > 0 else {
            for index in 0..<count { high[index] = cells[index] }
            return
        }
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
