import ArgumentParser
import Editing
import Frames
import Media
import Service

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Edits live video until SIGINT or SIGTERM.",
        discussion: """
            Sinks get exactly the configured frame rate, whatever source and machine do; a frame that cannot be edited in
            time gets the last edit, carried along with what moved. The newest frame wins: nothing queues.

            Sources: webcam:/dev/video0 (or an id or name of 'movied devices'; also webcam:NAME,format=MJPEG,size=1280x720,
            rate=30), file:clip.mp4, test:ball, gst:<gst-launch fragment>.
            Sinks: loopback:/dev/video10 (also loopback:/dev/video10,format=YUY2; I420, YUY2, NV12 or RGB), pipewire:NAME,
            file:out.mkv (or .mp4, .webm), gst:<gst-launch fragment>; beside others also snapshot:shot-%03d.jpg (a picture
            at SIGUSR1) and record:clip-%02d.mkv (SIGUSR2 begins and ends a file). While nobody reads the loopback devices
            of a stream and it has no other sink, its camera is closed.

            Several streams: --config FILE, see Configs/streams.yaml.
            """)

    @Option(help: ArgumentHelp("Streams and their settings from a YAML file.", valueName: "file"))
    var config: String?

    @Option(help: "Where frames come from.")
    var source: String?

    @Option(help: "Where edited frames go; may be given several times.")
    var sink: [String] = []

    @Option(help: "The instruction, for example \"make it a pencil drawing\".")
    var prompt: String?

    @OptionGroup var options: EditorOptions

    @Option(
        name: [.customLong("framerate"), .customLong("rate")],
        help: ArgumentHelp(
            "Frames a second of the output, asked of the source too: 1 to 240, for example 30 or 30000/1001. "
                + "Default: the source's, 30 where it varies.", valueName: "fps"))
    var framerate: String?

    @Option(
        help: ArgumentHelp(
            "From capture to the end of the edit, for example \"100 ms\"; at least one frame, at most 10 s. "
                + "Default: three frames.", valueName: "time"))
    var latencyBudget: String?

    @Option(
        help: ArgumentHelp(
            "The part of all processors that the whole program may use, 1% to 100%. Default: no limit.",
            valueName: "percent"))
    var cpuBudget: String?

    @Option(
        help: ArgumentHelp(
            "Without an edit show: hold (the last edit), placeholder (a picture of our own), passthrough (the camera's "
                + "picture, unedited).", valueName: "what"))
    var fallback: String?

    @Option(
        help: ArgumentHelp(
            "Edit at this size and enlarge with the frame's own detail; even, from 64. Default: the output's up to "
                + "640x480, about 512x384 pixels above.", valueName: "size"))
    var editSize: FrameSize?

    @Flag(
        inversion: .prefixedNo,
        help: "Carry the last edit onto frames that cannot be edited in time; otherwise it is held.")
    var propagation: Bool?

    @Flag(help: "Let left and right of the source's picture change places.")
    var mirror = false

    @Option(help: ArgumentHelp("Turn the source's picture clockwise: 90, 180 or 270.", valueName: "degrees"))
    var rotate: String?

    @Option(
        help: ArgumentHelp(
            "Pixels of the source's picture to leave out: LEFT,TOP,RIGHT,BOTTOM.", valueName: "pixels"))
    var crop: String?

    @Option(help: ArgumentHelp("Write a line about every published frame as CSV.", valueName: "file"))
    var frameLog: String?

    func validate() throws {
        if config != nil {
            guard source == nil, sink.isEmpty, prompt == nil, framerate == nil, latencyBudget == nil, fallback == nil,
                editSize == nil, propagation == nil, !mirror, rotate == nil, crop == nil
            else {
                throw ValidationError(
                    "--config describes the streams; leave --source, --sink, --prompt and their options")
            }
        } else {
            if source == nil { throw ValidationError("--source is missing; give it, or --config") }
            if sink.isEmpty { throw ValidationError("--sink is missing; give it, or --config") }
            if prompt == nil { throw ValidationError("--prompt is missing; give it, or --config") }
        }
        try validating {
            _ = try cpuBudget.map { try SettingText.budget($0, "--cpu-budget") }
            let rate = try framerate.map { try SettingText.framerate($0, "--framerate") }
            let latency = try latencyBudget.map { try SettingText.latency($0, "--latency-budget") }
            try SettingText.check(latency: latency, framerate: rate, "--latency-budget")
            _ = try rotate.map { try SourcePicture.rotation($0, "--rotate") }
            _ = try crop.map { try SourcePicture.Margins.parse($0, "--crop") }
            _ = try fallback.map { try SettingText.fallback($0, "--fallback") }
            _ = try options.settings(prompt: prompt ?? "", isLive: true)
        }
    }

    func run() throws {
        try reporting { try RunService.run(try request()) }
    }

    private func request() throws -> RunRequest {
        var request = try config.map { try ConfigurationFile.read($0) } ?? RunRequest(streams: [try stream()])
        if let cpuBudget { request.budget = try SettingText.budget(cpuBudget, "--cpu-budget") }
        if let threads = options.threads { request.threads = threads }
        if let reuse = options.reuse {
            for index in request.streams.indices { request.streams[index].settings.reuse.isOn = reuse }
        }
        request.frameLog = frameLog
        return request
    }

    private func stream() throws -> StreamRequest {
        var stream = try StreamRequest(
            source: source ?? "", sinks: sink, settings: options.settings(prompt: prompt ?? "", isLive: true))
        stream.anchorIsGiven = options.anchor != nil
        stream.model = options.model
        stream.precision = options.precision
        stream.live.size = options.size
        stream.live.editSize = editSize
        stream.live.carriesEdits = propagation ?? true
        stream.live.framerate = try framerate.map { try SettingText.framerate($0, "--framerate") }
        stream.live.latencyBudget = try latencyBudget.map { try SettingText.latency($0, "--latency-budget") }
        stream.live.fallback = try fallback.map { try SettingText.fallback($0, "--fallback") } ?? .hold
        stream.live.picture.isMirrored = mirror
        stream.live.picture.rotation = try rotate.map { try SourcePicture.rotation($0, "--rotate") } ?? 0
        stream.live.picture.crop = try crop.map { try SourcePicture.Margins.parse($0, "--crop") } ?? .init()
        return stream
    }
}
