import ArgumentParser
import Glibc

/// The other program that loads the machine: computes until its time is up.
struct SpinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spin", abstract: "Computes on one core for a while.", shouldDisplay: false)

    @Option(help: "Seconds, 0 to 3600.")
    var seconds: Double

    func run() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let end = Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9 + min(3600, max(0, seconds))
        var sum = 0.0
        repeat {
            for index in 0..<100_000 { sum += Double(index).squareRoot() }
            clock_gettime(CLOCK_MONOTONIC, &now)
        } while Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9 < end && sum >= 0
    }
}
