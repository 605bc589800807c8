import ArgumentParser

/// The benchmarks of the project: tables for people, JSON for machines.
@main
struct MovieBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "movie-bench", abstract: "Measures kernels, networks, frames and scheduling.",
        subcommands: [
            KernelsCommand.self, ProfileCommand.self, QualityCommand.self, FlickerCommand.self, PropagateCommand.self,
            ReuseCommand.self, TimeCommand.self, ScheduleCommand.self, LiveCommand.self, CameraCommand.self,
            SpinCommand.self,
        ])
}
