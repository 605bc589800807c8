import Foundation
import Synchronization

private let signalCount = Atomic<Int>(0)

/// Turns SIGINT and SIGTERM into a flag that work loops ask. A second signal ends the process at once.
public struct StopSignals: Sendable {
    /// Takes over the two signals.
    public init() {
        // Read once here, so that the handler finds the counter made.
        _ = signalCount.load(ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                if signalCount.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
            }
        }
    }

    /// Whether one of the signals came.
    public var isRaised: Bool { signalCount.load(ordering: .relaxed) > 0 }
}
