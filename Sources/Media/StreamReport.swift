import Frames
import Scheduling

/// A stream's figures over the last second, and its counts since the start.
public struct StreamReport: Sendable {
    /// The stream's name.
    public let name: String
    /// Seconds since the streams were started.
    public let elapsedSeconds: Double
    /// Frames a second that the source delivered.
    public let framesPerSecondIn: Double
    /// Frames a second that were published.
    public let framesPerSecondOut: Double
    /// Frames of this second by rung, in the order of `Rung.allCases`.
    public let rungs: [Int]
    /// The rung on which the stream stands.
    public let rung: Rung
    /// Why the last published frame was on its rung.
    public let reason: Reason?
    /// Median time of an edit in milliseconds; 0 when there was none.
    public let editMilliseconds: Double
    /// Longest edit in milliseconds; 0 when there was none.
    public let longestEditMilliseconds: Double
    /// Median age of the published pictures in milliseconds, from capture to publication.
    public let ageMilliseconds: Double
    /// Longest time between two published frames in milliseconds.
    public let longestIntervalMilliseconds: Double
    /// Counts since the start.
    public let counters: StreamCounters
    /// Frames that sinks were too slow for since the start.
    public let lost: Int
}

/// What a stream did.
public struct StreamSummary: Sendable {
    /// Its name.
    public let name: String
    /// Its counts.
    public let counters: StreamCounters
    /// Frames that sinks were too slow for.
    public let lost: Int
    /// Seconds that it ran.
    public let elapsedSeconds: Double
    /// Size of the published pictures in pixels; nil when there was none.
    public let size: FrameSize?
}

/// Collects a stream's records and makes a report of each second of them.
struct ReportWindow {
    private var published: [PublishedFrame] = []
    private var edits: [EditRecord] = []
    private var last: PublishedFrame?
    private var arrived = 0
    private var start: Nanoseconds

    /// Begins at `now`.
    init(now: Nanoseconds) { start = now }

    mutating func add(_ published: [PublishedFrame], _ edits: [EditRecord]) {
        self.published += published
        self.edits += edits
    }

    /// The report of the time since the last one.
    mutating func report(
        name: String, counters: StreamCounters, rung: Rung, lost: Int, since begin: Nanoseconds, now: Nanoseconds
    ) -> StreamReport {
        let seconds = max(1e-3, (now - start).inSeconds)
        let costs = edits.map(\.cost.inMilliseconds).sorted()
        let ages = published.filter { $0.publication.rung != .placeholder }.map(\.publication.age.inMilliseconds)
            .sorted()
        let times = (last.map { [$0] } ?? []) + published
        let intervals = zip(times, times.dropFirst()).map { ($1.published - $0.published).inMilliseconds }
        defer {
            last = published.last ?? last
            arrived = counters.framesIn
            published.removeAll(keepingCapacity: true)
            edits.removeAll(keepingCapacity: true)
            start = now
        }
        return StreamReport(
            name: name, elapsedSeconds: (now - begin).inSeconds,
            framesPerSecondIn: Double(counters.framesIn - arrived) / seconds,
            framesPerSecondOut: Double(published.count) / seconds,
            rungs: Rung.allCases.map { rung in published.count { $0.publication.rung == rung } }, rung: rung,
            reason: published.last?.publication.reason, editMilliseconds: costs.middle,
            longestEditMilliseconds: costs.last ?? 0, ageMilliseconds: ages.middle,
            longestIntervalMilliseconds: intervals.max() ?? 0, counters: counters, lost: lost)
    }
}

extension [Double] {
    /// The middle of sorted numbers; 0 when there are none.
    fileprivate var middle: Double { isEmpty ? 0 : self[count / 2] }
}
