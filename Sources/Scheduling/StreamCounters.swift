/// What happened to a stream's frames since its start.
public struct StreamCounters: Sendable, Equatable {
    /// Frames that the source delivered.
    public var framesIn = 0
    /// Frames whose edit was finished after the deadline.
    public var late = 0
    /// Frames of the source that were never published: replaced by a newer one, left because of the budget, or failed.
    public var dropped = 0
    /// Edits that threw an error; they are among the dropped.
    public var failed = 0
    /// Ticks published.
    public var out = 0
    /// Ticks left out after a pause of the whole program.
    public var skipped = 0
    private var byRung: (Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0)

    /// Nothing has happened.
    public init() {}

    /// Ticks published on `rung`.
    public subscript(rung: Rung) -> Int {
        get {
            switch rung {
            case .edited: byRung.0
            case .reused: byRung.1
            case .propagated: byRung.2
            case .held: byRung.3
            case .placeholder: byRung.4
            case .passthrough: byRung.5
            }
        }
        set {
            switch rung {
            case .edited: byRung.0 = newValue
            case .reused: byRung.1 = newValue
            case .propagated: byRung.2 = newValue
            case .held: byRung.3 = newValue
            case .placeholder: byRung.4 = newValue
            case .passthrough: byRung.5 = newValue
            }
        }
    }

    /// Counts a published tick.
    public mutating func note(_ publication: Publication, skipped: Int) {
        self[publication.rung] += 1
        out += 1
        self.skipped += skipped
    }

    /// The same counts.
    public static func == (a: StreamCounters, b: StreamCounters) -> Bool {
        a.framesIn == b.framesIn && a.late == b.late && a.dropped == b.dropped && a.failed == b.failed
            && a.out == b.out && a.skipped == b.skipped && a.byRung == b.byRung
    }
}
