import Scheduling
import Synchronization

/// What the threads of one stream tell each other and those who watch.
final class StreamLog: Sendable {
    struct State: Sendable {
        var counters = StreamCounters()
        var input = InputState()
        var published = RecordRing<PublishedFrame>(capacity: 1024)
        var edits = RecordRing<EditRecord>(capacity: 1024)
        var messages: [String] = []
    }

    private let state = Mutex(State())

    /// Lets `body` read and change everything; short, since frames wait for it.
    func update<Result: Sendable>(_ body: (inout sending State) -> sending Result) -> Result { state.withLock(body) }

    /// What a person should be told; the last of many.
    func say(_ message: String) {
        state.withLock { state in
            if state.messages.count < 20 { state.messages.append(message) }
        }
    }
}
