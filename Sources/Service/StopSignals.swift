import Foundation
import Media

private let flag = StopFlag()

/// Turns SIGINT and SIGTERM into a flag that work loops ask. A second signal ends the process at once.
public enum StopSignals {
    /// Takes over the two signals and returns the flag that they set.
    public static func install() -> StopFlag {
        _ = flag.isStopped  // made here, so that the handler only reads it
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                if flag.isStopped { _exit(128 + number) }
                flag.stop()
            }
        }
        return flag
    }
}
