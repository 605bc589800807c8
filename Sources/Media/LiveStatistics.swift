/// Collects a live job's figures. Pure: it is told the time, and allocates nothing after its beginning.
struct LiveStatistics {
    private let start: Double
    private var windowStart: Double
    private var windowIn = 0
    private var windowOut = 0
    private var edits: [Double] = []
    private var ages: [Double] = []
    private(set) var published = 0

    private static let capacity = 1024

    /// Begins at `now`, in seconds.
    init(now: Double) {
        start = now
        windowStart = now
        edits.reserveCapacity(Self.capacity)
        ages.reserveCapacity(Self.capacity)
    }

    /// Counts a published frame: how long its edit took and how old it was, in milliseconds.
    mutating func note(editMilliseconds: Double, ageMilliseconds: Double) {
        published += 1
        guard edits.count < Self.capacity else { return }
        edits.append(editMilliseconds)
        ages.append(ageMilliseconds)
    }

    /// The report of the last second, if one has passed since the previous.
    ///
    /// `arrived` counts the source's frames, `taken` those that were looked at, `lost` those that the sink gave up.
    mutating func report(now: Double, arrived: Int, taken: Int, lost: Int) -> LiveReport? {
        let seconds = now - windowStart
        guard seconds >= 1 else { return nil }
        edits.sort()
        ages.sort()
        let report = LiveReport(
            elapsedSeconds: now - start, framesPerSecondIn: Double(arrived - windowIn) / seconds,
            framesPerSecondOut: Double(published - windowOut) / seconds, framesIn: arrived, framesOut: published - lost,
            framesDropped: Self.dropped(arrived: arrived, taken: taken, lost: lost),
            editMilliseconds: Self.middle(of: edits), longestEditMilliseconds: edits.last ?? 0,
            ageMilliseconds: Self.middle(of: ages))
        windowStart = now
        windowIn = arrived
        windowOut = published
        edits.removeAll(keepingCapacity: true)
        ages.removeAll(keepingCapacity: true)
        return report
    }

    /// Frames given up: those never looked at, but for the one that may still wait, and those the sink lost.
    static func dropped(arrived: Int, taken: Int, lost: Int) -> Int {
        max(0, arrived - taken - 1) + lost
    }

    private static func middle(of sorted: [Double]) -> Double {
        sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}
