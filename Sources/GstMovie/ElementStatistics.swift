import Scheduling
import Synchronization

/// Counts and times of an element's frames, read by whoever asks for the property `stats`.
final class ElementStatistics: Sendable {
    /// One reading.
    struct Counts: Sendable {
        var input: UInt64 = 0, edited: UInt64 = 0, reused: UInt64 = 0, propagated: UInt64 = 0
        var held: UInt64 = 0, passthrough: UInt64 = 0
        /// Frames whose edit ended, or would have ended, after its time.
        var late: UInt64 = 0
        var dropped: UInt64 = 0
        /// What the last frame became; nil before the first.
        var rung: Rung?
    }

    private struct State {
        var counts = Counts()
        /// Nanoseconds from arrival to departure of the last frames, a ring.
        var times = [UInt64](repeating: 0, count: ElementStatistics.window)
        var next = 0
        var filled = 0
    }

    private static let window = 512
    private let state = Mutex(State())

    var counts: Counts { state.withLock { $0.counts } }

    /// A frame left, `nanoseconds` after it came.
    func count(_ rung: Rung, isLate: Bool, nanoseconds: UInt64) {
        state.withLock { state in
            state.counts.input += 1
            state.counts.late += isLate ? 1 : 0
            state.counts.rung = rung
            switch rung {
            case .reused: state.counts.reused += 1
            case .propagated: state.counts.propagated += 1
            case .held: state.counts.held += 1
            case .passthrough: state.counts.passthrough += 1
            default: state.counts.edited += 1
            }
            state.times[state.next] = nanoseconds
            state.next = (state.next + 1) % Self.window
            state.filled = min(state.filled + 1, Self.window)
        }
    }

    /// A frame was left out.
    func countDropped(isLate: Bool) {
        state.withLock { state in
            state.counts.input += 1
            state.counts.late += isLate ? 1 : 0
            state.counts.dropped += 1
        }
    }

    /// The time, in nanoseconds, that this percentage of the last frames stayed below; 0 before the first.
    func percentiles(_ shares: [Int]) -> [UInt64] {
        let times = state.withLock { Array($0.times.prefix($0.filled)) }.sorted()
        return shares.map { times.isEmpty ? 0 : times[min(times.count - 1, times.count * $0 / 100)] }
    }

    /// Begins again.
    func reset() {
        state.withLock { state in
            state.counts = Counts()
            state.next = 0
            state.filled = 0
        }
    }
}
