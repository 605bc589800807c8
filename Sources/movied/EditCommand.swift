import ArgumentParser
import Editing
import Service

struct EditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Edits a video file frame by frame into another file.",
        discussion: "Keeps frames, frame rate, duration, size and sound. The output's extension (mp4, mkv, webm) "
            + "chooses the format.")

    @Argument(help: "The video to edit: whatever GStreamer decodes.")
    var input: String

    @Argument(help: "The file to write.")
    var output: String

    @Option(help: "The instruction, for example \"make it a pencil drawing\".")
    var prompt: String

    @OptionGroup var options: EditorOptions

    @Flag(name: .shortAndLong, help: "Print nothing but errors.")
    var quiet = false

    @Option(help: ArgumentHelp("Write figures (frames, fps, milliseconds a stage, memory) as JSON.", valueName: "file"))
    var report: String?

    func validate() throws { _ = try validating { try settings() } }

    private func settings() throws -> EditSettings {
        var settings = try options.settings(prompt: prompt, isLive: false)
        if options.anchor == nil { settings.anchor = .middle }
        return settings
    }

    func run() throws {
        var request = EditRequest(input: input, output: output, settings: try settings())
        request.model = options.model
        request.size = options.size
        request.threads = options.threads
        request.precision = options.precision
        request.isQuiet = quiet
        request.report = report
        try reporting { try EditService.run(request) }
    }
}

/// Runs `body`; an error becomes one line on standard error and exit status 1.
func reporting(_ body: () throws -> Void) throws {
    do {
        try Engine.check()
        try body()
    } catch {
        Terminal.line("movied: \(error)")
        throw ExitCode(1)
    }
}
