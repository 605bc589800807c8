import Frames

/// What a live job did.
public struct LiveSummary: Sendable {
    /// Frames that the source delivered.
    public let framesIn: Int
    /// Frames published.
    public let framesOut: Int
    /// Frames given up for a newer one.
    public let framesDropped: Int
    /// Seconds that the job ran.
    public let elapsedSeconds: Double
    /// Size of the published pictures in pixels; nil when there was none.
    public let size: FrameSize?
}
