import Frames

/// What an edit of a file did.
public struct FileEditSummary: Sendable {
    /// Whether it came to its end; when false it was cancelled, and there is no output.
    public let isComplete: Bool
    /// Frames edited.
    public let frames: Int
    /// Number of the frame that the editor was shown as the anchor of the others, from 0; nil for none.
    public let anchorFrame: Int?
    /// Seconds that all of it took.
    public let elapsedSeconds: Double
    /// Seconds spent in the editor.
    public let editSeconds: Double
    /// Size of the output's pictures in pixels.
    public let size: FrameSize
    /// Frames a second of the output; nil when they vary.
    public let framerate: Framerate?
    /// Whether the output has sound.
    public let hasAudio: Bool
}
