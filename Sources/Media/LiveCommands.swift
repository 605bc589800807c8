import Synchronization

/// What a person asks of running streams.
public enum LiveCommand: Sendable {
    /// A picture for every `snapshot:` sink.
    case snapshot
    /// Every `record:` sink begins a file, or ends the one that it writes.
    case record
}

/// Requests that wait to be done; made anywhere, in a signal handler too.
public final class LiveCommands: Sendable {
    private let snapshots = Atomic<Int>(0)
    private let records = Atomic<Int>(0)

    /// Nothing is asked.
    public init() {}

    /// Asks for something; safe to call from a signal handler.
    public func ask(_ command: LiveCommand) {
        switch command {
        case .snapshot: snapshots.add(1, ordering: .relaxed)
        case .record: records.add(1, ordering: .relaxed)
        }
    }

    /// What was asked since the last time: at most one of each, since two that come at once are meant as one.
    func take() -> [LiveCommand] {
        let asked: [(Int, LiveCommand)] = [
            (snapshots.exchange(0, ordering: .relaxed), .snapshot), (records.exchange(0, ordering: .relaxed), .record),
        ]
        return asked.filter { $0.0 > 0 }.map(\.1)
    }
}
