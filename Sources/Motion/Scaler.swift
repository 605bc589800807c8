import CKernels
import Compute
import Frames

/// Brings camera frames to edit size and makes their pyramid.
final class Scaler {
    private let size: FrameSize
    private let editSize: FrameSize
    private let pool: WorkerPool
    private let across: Taps
    private let down: Taps
    private let sums: [Memory<UInt32>]
    private var frame: FrameView?
    private var small: Memory<UInt8>?
    private var pyramid: Pyramid?

    init(size: FrameSize, editSize: FrameSize, pool: WorkerPool) {
        self.size = size
        self.editSize = editSize
        self.pool = pool
        across = Taps(inputs: size.width, outputs: editSize.width)
        down = Taps(inputs: size.height, outputs: editSize.height)
        sums = (0..<pool.width).map { _ in Memory(count: 3 * size.width + 4) }
        _ = body
    }

    /// `small`: [height, width, 3] of the edit size.
    func scale(_ frame: FrameView, into small: Memory<UInt8>, pyramid: Pyramid) {
        self.frame = frame
        self.small = small
        self.pyramid = pyramid
        pool.parallelFor((editSize.height + Pyramid.rowStep - 1) / Pyramid.rowStep, body)
        pyramid.finish()
        self.frame = nil
        self.small = nil
        self.pyramid = nil
    }

    private lazy var body: WorkerPool.Body = { [unowned self] tile, worker in
        guard let frame, let small, let pyramid else { return }
        let first = tile * Pyramid.rowStep, last = min(editSize.height, first + Pyramid.rowStep)
        let row = 3 * editSize.width
        if size == editSize {
            frame.readRGB(rows: first..<last, into: small.base + first * row, stride: row)
        } else {
            movie_motion_scale(
                small.base, row, frame.base.assumingMemoryBound(to: UInt8.self), frame.stride, size.width,
                across.taps.base, down.taps.base, sums[worker].base, first, last)
        }
        pyramid.fill(from: small.base, stride: row, first: first, last: last)
    }
}

/// How one axis is averaged down, or interpolated up: a box as wide as an output pixel, at least as an input pixel.
final class Taps {
    let taps: Memory<movie_taps>
    private let first: Memory<Int32>
    private let weights: Memory<UInt16>

    init(inputs: Int, outputs: Int) {
        let ratio = Double(inputs) / Double(outputs), box = max(1, ratio)
        let count = min(inputs, Int(box.rounded(.up)) + 1)
        first = Memory(count: outputs)
        weights = Memory(count: outputs * count)
        for output in 0..<outputs {
            let centre = (Double(output) + 0.5) * ratio
            let low = max(0, centre - box / 2), high = min(Double(inputs), centre + box / 2)
            let start = min(inputs - count, Int(low))
            first.base[output] = Int32(start)
            var left = 4096, largest = 0
            let own = weights.base + output * count
            for tap in 0..<count {
                let overlap = min(high, Double(start + tap + 1)) - max(low, Double(start + tap))
                own[tap] = UInt16((4096 * max(0, overlap) / (high - low)).rounded())
                left -= Int(own[tap])
                if own[tap] > own[largest] { largest = tap }
            }
            own[largest] = UInt16(Int(own[largest]) + left)
        }
        taps = Memory(movie_taps(first: first.base, weights: weights.base, outputs: outputs, count: count))
    }
}
