import Scheduling

/// One published frame: what it shows and how old that is.
public struct PublishedFrame: Sendable {
    /// The tick's number.
    public let number: Int
    /// Nanoseconds since the first tick: the timestamp that sinks see.
    public let timestamp: Nanoseconds
    /// When it was published, by the monotonic clock.
    public let published: Nanoseconds
    /// Its rung, its age from capture to publication, and why.
    public let publication: Publication
}

/// One edit: how it was decided and what it took.
public struct EditRecord: Sendable {
    /// When its frame was captured, by the monotonic clock.
    public let captured: Nanoseconds
    /// When it was finished.
    public let finished: Nanoseconds
    /// What it was computed for, without waiting for other streams.
    public let cost: Nanoseconds
    /// The rung it was admitted to.
    public let rung: Rung
    /// Why.
    public let reason: Reason
    /// Whether it made its deadline.
    public let isInTime: Bool
}

/// The last records of something, in memory taken once; the oldest give way.
struct RecordRing<Record: Sendable>: Sendable {
    private var records: [Record?]
    private var first = 0
    private var count = 0

    /// A ring for `capacity` records.
    init(capacity: Int) { records = Array(repeating: nil, count: max(1, capacity)) }

    /// Adds one. Allocates nothing.
    mutating func add(_ record: Record) {
        if count == records.count {
            first = (first + 1) % records.count
            count -= 1
        }
        records[(first + count) % records.count] = record
        count += 1
    }

    /// Takes all out, the oldest first.
    mutating func drain() -> [Record] {
        let all = (0..<count).compactMap { records[(first + $0) % records.count] }
        first = 0
        count = 0
        return all
    }
}
