import CKernels
import Compute

/// Hides the step where a picture made of reused parts gives way to one computed in full: for some frames, what has not
/// changed since is a mixture of both.
///
/// Still parts of a reused picture are frozen; without this they would all jump at once, noise and all, every second or
/// two. Allocates nothing after `init`.
final class RenewalFade {
    /// Frames that a renewal takes.
    static let frames = 10

    /// The reused picture, [height, width, 3]; written before `begin`.
    let old: UnsafeMutablePointer<UInt8>
    private let shown: UnsafeMutablePointer<UInt8>
    private let isFresh: UnsafeMutablePointer<UInt8>
    private let width: Int
    private let height: Int
    private let columns: Int
    private let rows: Int
    private let pool: WorkerPool
    private var left = 0
    private var new: UnsafePointer<UInt8>?

    /// For pictures of packed RGB, cut into cells of `ChangeMask.cell` pixels.
    init(width: Int, height: Int, columns: Int, rows: Int, pool: WorkerPool) {
        self.width = width
        self.height = height
        self.columns = columns
        self.rows = rows
        self.pool = pool
        old = .allocate(capacity: 3 * width * height)
        old.initialize(repeating: 0, count: 3 * width * height)
        shown = .allocate(capacity: 3 * width * height)
        shown.initialize(repeating: 0, count: 3 * width * height)
        isFresh = .allocate(capacity: rows * columns)
        isFresh.initialize(repeating: 0, count: rows * columns)
    }

    deinit {
        old.deallocate()
        shown.deallocate()
        isFresh.deallocate()
    }

    /// A full picture takes the place of `old`.
    func begin() {
        left = Self.frames
        isFresh.update(repeating: 0, count: rows * columns)
    }

    /// Shows the full picture from now on.
    func cancel() { left = 0 }

    /// These cells have been computed again since; they are shown as they are.
    func refresh(_ computed: UnsafeMutableBufferPointer<UInt8>) {
        guard left > 0 else { return }
        for index in 0..<min(rows * columns, computed.count) { isFresh[index] |= computed[index] }
    }

    /// The next picture to show instead of `new`; nil when it is `new` itself. Valid until the next call.
    func show(_ new: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        guard left > 0 else { return nil }
        self.new = new
        pool.parallelFor(height, mixRow)
        self.new = nil
        left -= 1
        return UnsafePointer(shown)
    }

    // Made once, since making a closure allocates.
    private lazy var mixRow: WorkerPool.Body = { [unowned self] row, _ in
        guard let new else { return }
        let line = shown + row * 3 * width, before = old + row * 3 * width
        let weight = UInt32(256 * (Self.frames + 1 - left) / (Self.frames + 1))
        line.update(from: new + row * 3 * width, count: 3 * width)
        let cells = isFresh + row / ChangeMask.cell * columns
        var column = 0
        while column < columns {
            let start = column
            while column < columns, cells[column] == 0 { column += 1 }
            let first = 3 * start * ChangeMask.cell, last = min(3 * width, 3 * column * ChangeMask.cell)
            if last > first { movie_blend_u8(line + first, before + first, last - first, weight) }
            column += 1
        }
    }
}
