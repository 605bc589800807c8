import ArgumentParser

@main
struct Movied: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "movied", abstract: "Edits live video by prompt.")
}
