import CKernels
import Compute
import Frames

/// Mixes an edited picture with its source. Holds the edited picture as packed RGB, so that an edit in place leaves the
/// source whole until both are mixed.
public final class FrameBlender {
    /// Where the editor writes.
    public let edited: MutableFrameView
    private let pixels: UnsafeMutablePointer<UInt8>
    private let scratch: RowScratch
    private let pool: WorkerPool
    private var source: FrameView?
    private var target: MutableFrameView?
    private var weight: UInt32 = 256

    /// For frames of one size.
    public init(size: FrameSize, pool: WorkerPool) {
        pixels = .allocate(capacity: size.width * size.height * 3)
        pixels.initialize(repeating: 0, count: size.width * size.height * 3)
        edited = MutableFrameView(base: pixels, size: size, stride: size.width * 3)
        scratch = RowScratch(width: size.width, workers: pool.width)
        self.pool = pool
    }

    deinit { pixels.deallocate() }

    /// target = source + (edited - source) * strength, for strength in 0...1. `target` may be `source`.
    public func blend(_ source: FrameView, into target: MutableFrameView, strength: Double) {
        self.source = source
        self.target = target
        weight = UInt32(max(0, min(256, (strength * 256).rounded())))
        pool.parallelFor((target.size.height + 1) / 2, blendRows)
        self.source = nil
        self.target = nil
    }

    // Made once, since making a closure allocates.
    private lazy var blendRows: WorkerPool.Body = { [unowned self] pair, worker in
        guard let source, let target else { return }
        let stride = scratch.stride, original = scratch.rows(of: worker), mixed = pixels + 2 * pair * stride
        let rows = 2 * pair..<min(2 * pair + 2, target.size.height)
        source.readRGB(rows: rows, into: original, stride: stride)
        movie_blend_u8(mixed, original, rows.count * stride, weight)
        target.writeRGB(rows: rows, from: mixed, stride: stride, alphaFrom: source)
    }
}
