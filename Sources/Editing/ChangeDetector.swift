import CKernels
import Compute

/// Finds the cells of a frame that differ from what was last computed of them.
///
/// Means of 4 x 4 pixels are compared, which takes most of the noise away, with those of the frame that each cell was last
/// computed from: a slow change adds up until it counts. Pure but for the pool's threads; allocates nothing after `init`.
public final class ChangeDetector {
    /// Pixels of a cell each way.
    public static let cell = 8
    private static let block = 4
    /// What a kernel's measure counts for a difference of one level.
    private static let unit = 64.0
    /// Frames for which a cell that has changed is computed further.
    private static let hold: UInt8 = 1
    /// A mean change of the picture's light by so many levels counts everywhere.
    static let lightChange = 1.25

    /// Columns of cells.
    public let columns: Int
    /// Rows of cells.
    public let rows: Int
    /// The camera's noise so far.
    public private(set) var noise = NoiseEstimate()
    /// Factor on the noise's threshold, below 1 to find more.
    public var sensitivity = 1.0
    /// The share of cells that the last frame changed.
    public private(set) var changed = 1.0
    /// Whether the light of the whole picture has changed.
    public private(set) var hasLightChanged = false

    private let width: Int
    private let height: Int
    private let blocks: Int
    private let pool: WorkerPool
    private let measures: UnsafeMutablePointer<UInt16>
    private let drifts: UnsafeMutablePointer<Int32>
    private let sums: UnsafeMutablePointer<UInt16>
    private let reference: UnsafeMutablePointer<UInt16>
    private let sumCount: Int
    private let held: UnsafeMutablePointer<UInt8>
    private let histogram: UnsafeMutablePointer<Int32>
    private var pixels: UnsafePointer<UInt8>?
    /// Whether there is an earlier frame to compare with.
    private var hasReference = false

    /// For frames of packed RGB; nil where width or height is no multiple of 4.
    public init?(width: Int, height: Int, pool: WorkerPool) {
        guard width > 0, height > 0, width % Self.block == 0, height % Self.block == 0 else { return nil }
        self.width = width
        self.height = height
        self.pool = pool
        columns = (width + Self.cell - 1) / Self.cell
        rows = (height + Self.cell - 1) / Self.cell
        blocks = width / Self.block
        sumCount = 3 * blocks * (height / Self.block)
        measures = .allocate(capacity: rows * columns)
        measures.initialize(repeating: 0, count: rows * columns)
        drifts = .allocate(capacity: rows * columns)
        drifts.initialize(repeating: 0, count: rows * columns)
        sums = .allocate(capacity: sumCount)
        sums.initialize(repeating: 0, count: sumCount)
        reference = .allocate(capacity: sumCount)
        reference.initialize(repeating: 0, count: sumCount)
        held = .allocate(capacity: rows * columns)
        held.initialize(repeating: 0, count: rows * columns)
        histogram = .allocate(capacity: Self.bins)
        histogram.initialize(repeating: 0, count: Self.bins)
    }

    deinit {
        measures.deallocate()
        drifts.deallocate()
        sums.deallocate()
        reference.deallocate()
        held.deallocate()
        histogram.deallocate()
    }

    /// Compares a frame with what was last computed and marks the cells that have changed.
    ///
    /// - Parameters:
    ///   - pixels: [height, width, 3], packed.
    ///   - marks: [rows, columns]; 1 where changed, else 0.
    public func compare(_ pixels: UnsafePointer<UInt8>, marks: UnsafeMutableBufferPointer<UInt8>) {
        self.pixels = pixels
        pool.parallelFor(rows, compareRow)
        self.pixels = nil
        count()
        if hasReference { noise.update(median: quantile(0.5), upperQuartile: quantile(0.75)) }
        mark(marks)
    }

    /// The cells marked in `computed` are computed from the last frame compared: later ones are compared with it there.
    public func accept(_ computed: UnsafeMutableBufferPointer<UInt8>) {
        for row in 0..<rows {
            for column in 0..<columns where computed[row &* columns &+ column] != 0 { accept(row, column) }
        }
    }

    /// Everything is computed from the last frame compared.
    public func acceptAll() {
        reference.update(from: sums, count: sumCount)
        hasReference = true
    }

    private func accept(_ row: Int, _ column: Int) {
        let first = 2 &* column, count = min(2, blocks &- first)
        for line in 2 &* row..<min(2 &* row &+ 2, height / Self.block) {
            let offset = 3 &* (line &* blocks &+ first)
            (reference + offset).update(from: sums + offset, count: 3 &* count)
        }
    }

    // Made once, since making a closure allocates.
    private lazy var compareRow: WorkerPool.Body = { [unowned self] row, _ in
        guard let pixels else { return }
        let offset = row * 2 * 3 * blocks
        movie_change_u8(
            measures + row * columns, drifts + row * columns, sums + offset, reference + offset,
            pixels + row * Self.cell * width * 3, width * 3, blocks,
            min(2, height / Self.block - 2 * row))
    }

    /// Marks what is above the threshold, and what was above it a moment ago and still moves.
    private func mark(_ marks: UnsafeMutableBufferPointer<UInt8>) {
        let high = UInt16(noise.threshold * sensitivity * Self.unit)
        let low = UInt16(noise.lowThreshold * sensitivity * Self.unit)
        var count = 0, drift = 0, still = 0
        for index in 0..<min(rows * columns, marks.count) {
            let measure = measures[index]
            if measure > high || (held[index] > 0 && measure > low) {
                held[index] = Self.hold
            } else if held[index] > 0 {
                held[index] &-= 1
            }
            let isMarked = held[index] > 0
            marks[index] = isMarked ? 1 : 0
            count &+= isMarked ? 1 : 0
            if measure <= high {
                drift &+= Int(drifts[index])
                still &+= 1
            }
        }
        changed = Double(count) / Double(rows * columns)
        let mean = still > 0 ? Double(drift) / (Double(still) * 4 * Self.unit) : 0
        hasLightChanged = abs(mean) > Self.lightChange
    }

    // The quantiles of all measures, from a histogram of sixteenths of a level.

    private static let bins = 512
    private static let binShift: UInt16 = 2

    private func count() {
        histogram.update(repeating: 0, count: Self.bins)
        for index in 0..<rows * columns { histogram[min(Self.bins &- 1, Int(measures[index] >> Self.binShift))] &+= 1 }
    }

    private func quantile(_ part: Double) -> Double {
        var left = Int32(part * Double(rows * columns))
        for bin in 0..<Self.bins {
            left &-= histogram[bin]
            if left < 0 { return (Double(bin) + 0.5) * Double(1 << Self.binShift) / Self.unit }
        }
        return Double(Self.bins << Int(Self.binShift)) / Self.unit
    }
}
