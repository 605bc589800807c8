import Compute
import Frames

/// What ties the frames of a session together: the anchor that they attend to, and the stabilizer of flicker.
final class FrameCoherence {
    /// Why the last frame became the anchor; nil where it did not.
    private(set) var renewal: AnchorPolicy.Reason?
    /// Whether the last frame attends to anchors otherwise than the one before.
    private(set) var hasChangedAnchors = false
    /// Idle while its strength is 0.
    let stabilizer: Stabilizer

    private let frame: FramePlan
    private let cells: CellGrid
    private let meter = SceneMeter()
    private let mode: AnchorMode
    private var policy: AnchorPolicy
    private var hasNewEdit = false

    /// Nil where the settings ask for none of it.
    init?(_ settings: EditSettings, frame: FramePlan, pool: WorkerPool) {
        guard settings.anchor == .rolling || settings.stability > 0 else { return nil }
        guard let source = UnsafePointer(frame.plan.pixels(ofInput: "pixels").baseAddress),
            let edited = frame.plan.pixels(ofOutput: "edited").baseAddress
        else { return nil }
        self.frame = frame
        let stride = frame.paddedWidth * 3, height = frame.paddedHeight
        cells = CellGrid(source, width: frame.paddedWidth, height: height, stride: stride, pool: pool)
        let moved = MovedCells(
            source, stride: stride, width: frame.paddedWidth, height: height, cells: cells, pool: pool)
        stabilizer = Stabilizer(
            cells: cells, moved: moved, edited: edited, height: height, stride: stride, strength: settings.stability,
            pool: pool)
        mode = settings.anchor
        policy = AnchorPolicy(maximumAge: settings.anchorMaximumAge)
    }

    /// Looks at the source of a frame, which the plan is about to edit at `time`, in seconds.
    func begin(at time: Double) {
        cells.read()
        stabilizer.look()
        renewal = nil
        guard mode == .rolling else { return }
        let decision = policy.next(at: time, scene: meter.measure(cells), hasNewEdit: hasNewEdit)
        let anchors = frame.plan.anchors
        hasChangedAnchors =
            decision.keeps != nil || anchors[0] != decision.first || anchors[1] != decision.second
        anchors[0] = decision.first
        anchors[1] = decision.second
        anchors.keeping = decision.keeps
        renewal = decision.reason
        if decision.keeps != nil { meter.keepAnchor() }
    }

    /// The frame has been edited, as the plan left it or as `other`: what is to be shown is at the result, if it is not that.
    func end(_ other: UnsafePointer<UInt8>?) -> UnsafePointer<UInt8>? {
        if hasNewEdit || stabilizer.strength == 0 { stabilizer.reset() }
        hasNewEdit = false
        guard stabilizer.strength > 0 else { return nil }
        stabilizer.run(other)
        return UnsafePointer(stabilizer.output)
    }

    /// What comes next has nothing to do with the frames before.
    func forget() {
        stabilizer.forget()
        policy = AnchorPolicy(maximumAge: policy.maximumAge)
    }

    /// Prompt or guidance have changed: from the next frame on, pictures look otherwise.
    func editHasChanged() { hasNewEdit = true }
}
