import CGst

/// The running figures of an edit of a file, and the timestamps of its frames.
struct FileEditRun {
    private(set) var frames = 0
    private(set) var editSeconds = 0.0
    private let estimatedFrames: Int?
    private var grid: TimestampGrid
    private var lastTime: GstClockTime?
    private let start = MonotonicClock.seconds

    /// Begins now.
    init(estimatedFrames: Int?, grid: TimestampGrid) {
        self.estimatedFrames = estimatedFrames
        self.grid = grid
    }

    /// Seconds since the beginning.
    var elapsedSeconds: Double { MonotonicClock.seconds - start }

    /// Presentation time and duration for the output's frame, in nanoseconds; times always grow.
    mutating func timing(of sample: borrowing Sample) -> (time: GstClockTime, duration: GstClockTime) {
        let duration = sample.duration ?? .max
        let next = lastTime.map { $0 + (duration == .max ? 1_000_000 : duration) } ?? 0
        var time = sample.runningTime.map { grid.snap($0) } ?? next
        if let lastTime, time <= lastTime { time = next }
        lastTime = time
        return (time, duration)
    }

    /// Counts a frame that is on its way to the encoder.
    mutating func note(editSeconds took: Double) -> FileEditProgress {
        frames += 1
        editSeconds += took
        return FileEditProgress(
            frames: frames, estimatedFrames: estimatedFrames, elapsedSeconds: elapsedSeconds,
            editMilliseconds: took * 1000)
    }
}
