/// How far an edit of a file has come.
public struct FileEditProgress: Sendable {
    /// Frames edited so far.
    public let frames: Int
    /// Frames that the whole file should have; nil when it does not say.
    public let estimatedFrames: Int?
    /// Seconds since the first frame was asked for.
    public let elapsedSeconds: Double
    /// Milliseconds that the editor took for the last frame.
    public let editMilliseconds: Double
}
