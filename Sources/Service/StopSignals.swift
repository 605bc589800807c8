import Foundation
import Media
import Synchronization

private let flag = StopFlag()
private let firstSignal = Atomic<Int>(0)

/// Turns SIGINT and SIGTERM into a flag that work loops ask.
///
/// A signal that comes a second or more after the first ends the process at once. An earlier one does not: `timeout`
/// and service managers signal the process and then its group, which arrives here twice.
public enum StopSignals {
    /// Takes over the two signals and returns the flag that they set.
    public static func install() -> StopFlag {
        // Made here, so that the handler only reads them.
        _ = (flag.isStopped, firstSignal.load(ordering: .relaxed))
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] {
            signal(number, receive)
            sigaddset(&signals, number)
        }
        // Whoever started this program may have blocked them.
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        return flag
    }
}

private func receive(_ number: Int32) {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    if flag.isStopped, now.tv_sec - firstSignal.load(ordering: .relaxed) > 1 { _exit(128 + number) }
    if !flag.isStopped { firstSignal.store(now.tv_sec, ordering: .relaxed) }
    flag.stop()
}
