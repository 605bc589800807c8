/// Whatever turns one picture into another: the diffusion editor, or a stand-in for tests.
///
/// One frame at a time, from any one thread. Input and output have the size given to `prepare`.
public protocol FrameEditor: AnyObject {
    /// Gets ready for frames of this size; may allocate and take long. Called before the first `edit` and when the size changes.
    func prepare(size: FrameSize) throws
    /// Edits one frame. Writes every pixel of `output`, which has the size of `input`.
    func edit(_ input: FrameView, into output: MutableFrameView) throws
}

/// An editor that measures the steps of a frame, so that their costs can be predicted.
public protocol StagedEditor: FrameEditor {
    /// Steps of a frame, once prepared.
    var stageCount: Int { get }
    /// What step `index` of the last frame took, in milliseconds. Allocates nothing.
    func stageMilliseconds(_ index: Int) -> Double
}

/// An editor that goes by the frames' own time, where it is known.
public protocol TimedEditor: FrameEditor {
    /// Where the next frame lies in the video, in seconds; set before each `edit`, nil where unknown.
    var frameTime: Double? { get set }
}

/// An editor that wants to see the middle frame of a file before the first.
public protocol AnchoredEditor: FrameEditor {
    /// Whether it does.
    var wantsMiddleFrame: Bool { get }
    /// Takes the frame, of the prepared size.
    func setAnchor(_ frame: FrameView) throws
}

/// Copies frames unchanged: the editor of media tests and of `fallback: passthrough`.
public final class PassthroughEditor: FrameEditor {
    /// An editor that changes nothing.
    public init() {}

    /// Nothing to prepare.
    public func prepare(size: FrameSize) {}

    /// Copies row by row, whatever the strides; input and output have the same format.
    public func edit(_ input: FrameView, into output: MutableFrameView) {
        output.copy(from: input)
    }
}
