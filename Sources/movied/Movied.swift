import ArgumentParser

/// The command line: arguments only; everything else is in Service.
@main
struct Movied: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "movied",
        abstract: "Edits live video by prompt, on the CPU.",
        version: "0.1.0",
        subcommands: [EditCommand.self, RunCommand.self, DevicesCommand.self, ModelCommand.self])
}
