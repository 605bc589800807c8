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

/// How a frame was computed.
public struct EditWork: Sendable, Equatable {
    /// Whether parts of the last edit were reused.
    public var isReused: Bool
    /// Multiply-adds that were executed.
    public var operations: Int
    /// The share of the picture that had changed, 0...1.
    public var changed: Double

    /// Work of a frame.
    public init(isReused: Bool = false, operations: Int = 0, changed: Double = 1) {
        self.isReused = isReused
        self.operations = operations
        self.changed = changed
    }
}

/// An editor that can compute only what changed since its last frame.
public protocol ReusingEditor: FrameEditor {
    /// Whether `edit` may reuse what the last frame computed.
    var mayReuse: Bool { get set }
    /// How the last frame was computed.
    var lastWork: EditWork { get }
    /// PSNR in dB of reused pictures against the full computation, as last measured; nil before.
    var reusePSNR: Double? { get }
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
