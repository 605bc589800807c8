import CKernels
import Compute
import Frames

/// Enlarges an edit to the camera's size with the detail of the camera's own frame.
final class Enlarger {
    private let pool: WorkerPool
    private let size: FrameSize
    private let places: [Places]
    private let scratch: [Memory<Float>]
    private let job: Memory<movie_enlarge>

    /// Output rows that one thread does at a time.
    private static let tile = 40

    init(size: FrameSize, editSize: FrameSize, buffers: CarryBuffers, pool: WorkerPool) {
        self.pool = pool
        self.size = size
        let from = editSize
        places = [
            Places(count: size.width, over: from.width), Places(count: size.height, over: from.height),
            Places(count: size.width, over: from.width, inCells: buffers.columns),
            Places(count: size.height, over: from.height, inCells: buffers.rows),
            Places(count: from.width, over: from.width, inCells: buffers.columns),
            Places(count: from.height, over: from.height, inCells: buffers.rows),
        ]
        scratch = (0..<pool.width).map { _ in Memory(count: 24 * size.width + 22 * from.width + 64) }
        let none = buffers.now.base, row = 3 * from.width
        job = Memory(
            movie_enlarge(
                width: from.width, height: from.height, columns: buffers.columns, rows: buffers.rows, edit: none,
                small: none, edit_stride: row, small_stride: row, fits: buffers.fits.base, frame: none,
                frame_stride: 0, output: none, output_stride: 0, out_width: size.width, out_height: size.height,
                across: places[0].places, down: places[1].places, cells_across: places[2].places,
                cells_down: places[3].places, edit_cells_across: places[4].places,
                edit_cells_down: places[5].places))
        _ = body
    }

    /// `edit` and `small`, its source: [height, width, 3] of the edit size, `editStride` bytes a row of the edit.
    func enlarge(
        _ edit: UnsafePointer<UInt8>, editStride: Int, small: Memory<UInt8>, fits: Memory<Float>, frame: FrameView,
        into output: MutableFrameView
    ) {
        let job = job.base
        job.pointee.edit = edit
        job.pointee.edit_stride = editStride
        job.pointee.small = UnsafePointer(small.base)
        job.pointee.fits = UnsafePointer(fits.base)
        job.pointee.frame = frame.base.assumingMemoryBound(to: UInt8.self)
        job.pointee.frame_stride = frame.stride
        job.pointee.output = output.base.assumingMemoryBound(to: UInt8.self)
        job.pointee.output_stride = output.stride
        pool.parallelFor((size.height + Self.tile - 1) / Self.tile, body)
    }

    private lazy var body: WorkerPool.Body = { [unowned self] tile, worker in
        movie_motion_enlarge(
            job.base, scratch[worker].base, tile * Self.tile, min(size.height, (tile + 1) * Self.tile))
    }
}
