import ArgumentParser
import Media
import Service

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Edits live video until SIGINT or SIGTERM.",
        discussion: """
            The newest frame wins: when editing is slower than the source, frames are dropped, never queued.

            Sources: webcam:/dev/video0, file:clip.mp4, test:ball, gst:<gst-launch fragment>.
            Sinks: loopback:/dev/video10, file:out.mkv (or .mp4, .webm), gst:<gst-launch fragment>.
            """)

    @Option(help: "Where frames come from.")
    var source: String

    @Option(help: "Where edited frames go.")
    var sink: String

    @OptionGroup var options: PromptOptions

    @Option(help: "Frames a second asked of the source, for example 30 or 30000/1001. Default: the source's choice.")
    var rate: Framerate?

    func run() throws {
        try reporting {
            var request = try RunRequest(source: source, sink: sink, settings: options.settings)
            request.model = options.model
            request.size = options.size
            request.framerate = rate
            request.threads = options.threads
            request.precision = options.precision
            try RunService.run(request)
        }
    }
}
