import CGst
import Frames

/// What a live job holds while it runs.
struct LiveRun: ~Copyable {
    let source: LiveSource
    var step: FrameStep?
    var sink: LiveSink?
    private var statistics = LiveStatistics(now: MonotonicClock.seconds)
    private var taken = 0
    private let start = MonotonicClock.seconds

    /// Begins now.
    init(source: LiveSource) {
        self.source = source
    }

    /// Counts a published frame.
    mutating func note(editSeconds: Double, ageSeconds: Double) {
        taken += 1
        statistics.note(editMilliseconds: editSeconds * 1000, ageMilliseconds: ageSeconds * 1000)
    }

    /// The figures of the last second, once a second.
    mutating func report() -> LiveReport? {
        statistics.report(
            now: MonotonicClock.seconds, arrived: source.arrived, taken: taken, lost: sink?.lost ?? 0)
    }

    /// What the job did until now.
    func summary(size: FrameSize?) -> LiveSummary {
        let arrived = source.arrived
        return LiveSummary(
            framesIn: arrived, framesOut: statistics.published - (sink?.lost ?? 0),
            framesDropped: LiveStatistics.dropped(arrived: arrived, taken: taken, lost: sink?.lost ?? 0),
            elapsedSeconds: MonotonicClock.seconds - start, size: size)
    }
}
