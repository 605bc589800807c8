/// The figures of a live job over the last second, and its counts since the start.
public struct LiveReport: Sendable {
    /// Seconds since the job began.
    public let elapsedSeconds: Double
    /// Frames a second that the source delivered.
    public let framesPerSecondIn: Double
    /// Frames a second that were published.
    public let framesPerSecondOut: Double
    /// Frames that the source delivered since the start.
    public let framesIn: Int
    /// Frames published since the start.
    public let framesOut: Int
    /// Frames given up for a newer one since the start, before the edit or in front of a slow sink.
    public let framesDropped: Int
    /// Median time of an edit in milliseconds; 0 when there was none.
    public let editMilliseconds: Double
    /// Longest edit in milliseconds; 0 when there was none.
    public let longestEditMilliseconds: Double
    /// Median time from capture to publishing in milliseconds; 0 when there was none.
    public let ageMilliseconds: Double
}
