import CKernels
import Compute
import Frames

/// Carries the last edit of a video onto its newest frame, by dense motion and a local affine transform of colours.
///
/// Every frame goes through `advance`. An edit is made of `source`, either at once (`keep`) or in the background
/// (`beginEdit`, `finishEdit`); `render` shows it on the newest frame. Frames and outputs have the camera's size, edits the
/// edit size; where the two differ in aspect, the frame is scaled as a whole. All are packed RGB; where both sizes are the
/// same, they may have any format. All memory is taken when it is made: `advance`, `render` and the others allocate nothing. All are called from one thread.
/// `Docs/coherence.md` has the mathematics.
public final class Propagator: FrameCarrier {
    /// Size of camera frames and of the output.
    public let size: FrameSize
    /// Size of `source` and of edits.
    public let editSize: FrameSize
    /// Renders over which a new background edit takes the place of the old one; 0: at once.
    public let fadeFrames: Int

    let pool: WorkerPool
    let scaler: Scaler
    let search: MotionSearch
    let meter = NoiseMeter()
    let weights = BlendWeights()
    let carrier: Carrier
    let enlarger: Enlarger

    var now: Pyramid
    var before: Pyramid
    var small: Memory<UInt8>
    var frame: FrameView?
    let motion: MotionField
    var frames = 0

    var current: Track
    var pending: Track
    var old: Track
    var isPending = false
    var fadeLeft = 0
    /// What the last render was composed of, and what the pending edit's frame was.
    var work: CarryBuffers
    var kept: CarryBuffers
    var workFrame = -1
    var keptFrame = -1
    var pendingFrame = -1
    let carried: Memory<UInt8>
    let faded: Memory<UInt8>

    /// Whether there is an edit to carry.
    public internal(set) var canRender = false
    /// How much of the newest frame's texture the motion from the frame before leaves unexplained: near 0, or near 1 at a cut.
    public private(set) var strangeness: Float = 0
    /// Whether the last two frames show different scenes: `strangeness` is above 0.7.
    public private(set) var sawSceneChange = false
    /// Motion between the last two frames.
    public let flow: MotionGrid

    /// The share of the picture's texture that motion must leave unexplained for a change of scene.
    static let strangeShare: Float = 0.7

    /// Takes all memory.
    ///
    /// - Parameters:
    ///   - size: of camera frames and of the output.
    ///   - editSize: at which edits are made; both sides at least 16, like those of `size`.
    ///   - pool: whose threads share the work.
    ///   - fadeFrames: renders over which a background edit appears.
    public init(size: FrameSize, editSize: FrameSize, pool: WorkerPool, fadeFrames: Int = 6) {
        self.size = size
        self.editSize = editSize
        self.pool = pool
        self.fadeFrames = max(0, fadeFrames)
        scaler = Scaler(size: size, editSize: editSize, pool: pool)
        search = MotionSearch(size: editSize, pool: pool)
        now = Pyramid(size: editSize)
        before = Pyramid(size: editSize)
        small = Memory(count: editSize.width * editSize.height * 3)
        motion = MotionField(size: editSize)
        current = Track(size: editSize)
        pending = Track(size: editSize)
        old = Track(size: editSize)
        work = CarryBuffers(size: editSize)
        kept = CarryBuffers(size: editSize)
        carried = Memory(count: small.count)
        faded = Memory(count: small.count)
        carrier = Carrier(size: editSize, buffers: work, weights: weights, pool: pool)
        enlarger = Enlarger(size: size, editSize: editSize, buffers: work, pool: pool)
        flow = MotionGrid(motion)
        _ = warpRows
    }

    /// The frame of the last `advance` at edit size: what an editor should edit. Black before the first.
    public var source: FrameView { FrameView(base: small.base, size: editSize, stride: 3 * editSize.width) }

    /// Standard deviation of the camera's noise, in 8-bit levels of luma at edit size, measured over the last frames.
    public var noiseLevel: Float { meter.deviation }

    /// The next camera frame, of `size`; it must stay valid until the last `render` or `upsample` of this frame.
    ///
    /// - Parameter follows: whether edits move on to it. Otherwise it is only made ready to be edited, which costs little;
    ///   what is carried moves on with the next frame that it follows.
    public func advance(to frame: FrameView, follows: Bool = true) {
        swap(&now, &before)
        self.frame = frame
        scaler.scale(frame, into: small, pyramid: now)
        frames += 1
        guard frames > 1, follows else {
            sawSceneChange = false
            return motion.reset()
        }
        search.noiseVariance = meter.deviation * meter.deviation
        search.search(motion, now: now, then: before)
        strangeness = motion.baseGrid.unexplained(noise: search.noiseVariance / Float(1 << (2 * motion.base)))
        sawSceneChange = strangeness > Self.strangeShare
        if !sawSceneChange { meter.add(motion, now: now, then: before) }
        if canRender { move(current) }
        if isPending { move(pending) }
        if fadeLeft > 0 { move(old) }
    }

    private func move(_ track: Track) {
        search.search(track.field, now: now, then: track.pyramid, previous: motion)
    }

    /// Moves a picture of edit size, packed RGB, from the frame before to the newest one.
    public func warpPrevious(_ picture: FrameView, into output: MutableFrameView) {
        search.refine(motion, now: now, then: before)
        warpFrom = picture
        warpTo = output
        pool.parallelFor((editSize.height + 15) / 16, warpRows)
        warpFrom = nil
        warpTo = nil
    }

    private var warpFrom: FrameView?
    private var warpTo: MutableFrameView?
    private lazy var warpRows: WorkerPool.Body = { [unowned self] tile, _ in
        guard let from = warpFrom, let to = warpTo else { return }
        movie_motion_warp_rgb(
            to.base.assumingMemoryBound(to: UInt8.self), to.stride, from.base.assumingMemoryBound(to: UInt8.self),
            from.stride, motion.dense.base, editSize.width, editSize.height, tile * 16,
            min(editSize.height, tile * 16 + 16))
    }
}
