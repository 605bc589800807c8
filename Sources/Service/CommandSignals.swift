import Foundation
import Media

private let commands = LiveCommands()

/// Turns SIGUSR1 into a snapshot and SIGUSR2 into the begin or end of a recording.
public enum CommandSignals {
    /// Takes over the two signals and returns where they ask.
    public static func install() -> LiveCommands {
        // Made here, so that the handlers only use it.
        let made = commands
        var signals = sigset_t()
        sigemptyset(&signals)
        signal(SIGUSR1) { _ in commands.ask(.snapshot) }
        signal(SIGUSR2) { _ in commands.ask(.record) }
        for number in [SIGUSR1, SIGUSR2] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        return made
    }
}
