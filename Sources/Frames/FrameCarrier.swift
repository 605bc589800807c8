/// Carries the last edit of a stream onto its new frames, and fits edits of one size to frames of another.
///
/// Frames and what is rendered have the size of the stream, edits the size of edits; all are packed RGB. One thread calls
/// everything. Nothing allocates.
public protocol FrameCarrier: AnyObject {
    /// Takes the next frame. `follows`: what is carried, and an edit that has begun, move on to it; otherwise the frame is
    /// only made ready to be edited, which costs little.
    func advance(to frame: FrameView, follows: Bool)
    /// The frame of the last `advance` at the size of edits: what an editor is to edit. Valid until the next `advance`.
    var source: FrameView { get }
    /// An edit of `source` begins, to be finished some frames later.
    func beginEdit()
    /// The edit that began is finished: from now on it is carried, after a short cross-fade from the one before. False if
    /// none had begun.
    @discardableResult
    func finishEdit(_ edited: FrameView) -> Bool
    /// The edit that began will not be finished.
    func cancelEdit()
    /// An edit of `source` is there at once: it is carried from now on.
    func keep(edit: FrameView)
    /// Forgets all edits: another place of the video follows.
    func reset()
    /// Whether there is an edit to carry.
    var canRender: Bool { get }
    /// Writes the carried edit as it looks on the frame of the last `advance`.
    func render(into output: MutableFrameView)
    /// Writes an edit of `source` at the stream's size, with the frame's own detail.
    func upsample(_ edited: FrameView, into output: MutableFrameView)
}
