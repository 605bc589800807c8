import Frames
import Scheduling

/// Makes the pictures of one stream: by an edit of the frame, or by carrying the last edit onto it while the next is made in
/// the background. Edits may be smaller than frames; they are then enlarged with the frame's own detail.
///
/// One thread calls everything, `take` with each frame first. Nothing allocates but errors.
public final class KeyframeEditor {
    /// An edit in the background that is done.
    public struct Finished {
        /// When its frame was captured.
        public let captured: Nanoseconds
        /// When it was finished.
        public let finished: Nanoseconds
        /// What it was computed for, without waiting for others.
        public let cost: Nanoseconds
        /// What went wrong, if anything did.
        public let failure: (any Error)?
    }

    private var editor: any FrameEditor { didSet { learnKinds() } }
    private var reusing: (any ReusingEditor)?
    /// What edits at present, where it measures its steps.
    public private(set) var staged: (any StagedEditor)?
    private var next: (any FrameEditor)?
    private let carrier: (any FrameCarrier)?
    private let background: BackgroundEdit?
    private let small: Picture?
    private var isEditing = false

    /// For frames of `size`, edited at `editSize` by `editor`, which is prepared for that.
    ///
    /// - Parameters:
    ///   - carrier: what carries edits; without one sizes must be equal, and there are no edits in the background.
    ///   - carriesEdits: whether the last edit is carried onto frames that cannot be edited in time.
    /// - Throws: when the system has no thread left.
    public init(
        _ editor: any FrameEditor, size: FrameSize, editSize: FrameSize, carrier: (any FrameCarrier)?,
        carriesEdits: Bool, queue: (any ComputeQueue)?, clock: any TimeSource
    ) throws(ThreadError) {
        self.editor = editor
        self.carrier = carrier
        small = size == editSize ? nil : Picture(size: editSize)
        background =
            carrier != nil && carriesEdits ? try BackgroundEdit(size: editSize, queue: queue, clock: clock) : nil
        learnKinds()
    }

    /// Once for an editor: a cast looks conformances up, which is no work for every frame.
    private func learnKinds() {
        reusing = editor as? any ReusingEditor
        staged = editor as? any StagedEditor
    }

    deinit { stop() }  // where a stream could not start, nobody else does

    /// Ends its thread, once an edit under way is done.
    public func stop() { background?.stop() }

    /// From the next edit on, this editor edits; it is prepared.
    public func replace(_ editor: any FrameEditor) {
        next = editor
        adopt()
    }

    /// What edits at present.
    public var current: any FrameEditor { editor }

    /// Whether the last `edit` reused parts of the one before.
    public var hasReused: Bool { reusing?.lastWork.isReused ?? false }

    /// How far the background is; nil where nothing is carried.
    public var state: KeyframeState? {
        guard background != nil, let carrier else { return nil }
        return KeyframeState(canCarry: carrier.canRender, isEditing: isEditing)
    }

    /// The edit in the background, once, when it is done; it is carried from now on.
    public func takeFinished() -> Finished? {
        guard isEditing, let background, let outcome = background.take() else { return nil }
        isEditing = false
        if outcome.failure == nil { carrier?.finishEdit(background.edited) } else { carrier?.cancelEdit() }
        adopt()
        return Finished(
            captured: outcome.captured, finished: outcome.finished, cost: outcome.cost, failure: outcome.failure)
    }

    /// Forgets what could be carried, an edit under way too.
    public func forget() { carrier?.reset() }

    /// Takes the next frame; `frame` must stay valid until its picture is made. `follows`: as for `FrameCarrier.advance`.
    public func take(_ frame: FrameView, follows: Bool) { carrier?.advance(to: frame, follows: follows) }

    /// Begins an edit of the taken frame in the background, at a place in the queue; the one before must have been taken.
    public func beginEdit(captured: Nanoseconds, deadline: Nanoseconds) {
        guard let background, let carrier, !isEditing else { return }
        carrier.beginEdit()
        background.begin(editor, carrier.source, captured: captured, deadline: deadline)
        isEditing = true
    }

    /// Edits the taken frame, which is `frame`. Not while an edit is made in the background. Throws what the editor throws.
    public func edit(_ frame: FrameView, into target: MutableFrameView) throws {
        guard let carrier else { return try editor.edit(frame, into: target) }
        guard let small else {
            try editor.edit(frame, into: target)
            return carrier.keep(edit: target.readable)
        }
        try editor.edit(carrier.source, into: small.view)
        carrier.keep(edit: small.view.readable)
        carrier.upsample(small.view.readable, into: target)
    }

    /// Carries the last edit onto the taken frame. False when there is none yet.
    public func carry(into target: MutableFrameView) -> Bool {
        guard let carrier, carrier.canRender else { return false }
        carrier.render(into: target)
        return true
    }

    private func adopt() {
        guard !isEditing, let next else { return }
        editor = next
        self.next = nil
    }
}
