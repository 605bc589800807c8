import ArgumentParser
import Frames
import Service

struct ModelQuantizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize", abstract: "Writes an int8 copy of a model.",
        discussion:
            "Edits frames of the clips with every prompt to find the range of each layer's input and how much of it "
            + "to keep, measures what each layer alone costs in quality, and leaves the most sensitive ones in float.")

    @Argument(help: "The model folder to read.")
    var input: String

    @Argument(help: "The folder to write; it must not exist.")
    var output: String

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Videos to calibrate with: some seconds of what will be edited.", valueName: "clip"))
    var calibrate: [String]

    @Option(help: "A prompt to calibrate with; repeatable. Default: the model's prompts.txt.")
    var prompt: [String] = []

    @Option(help: "Frames taken of each clip, 1 to 1000.")
    var frames = 4

    @Option(help: "Size at which frames are edited.")
    var size = FrameSize(width: 512, height: 384)

    @Option(help: ArgumentHelp("PSNR against float to keep, 20 to 60 dB.", valueName: "dB"))
    var targetPSNR = 42.0

    @Flag(help: "Do not measure each layer's sensitivity: all layers run on integers. For large models.")
    var noSensitivity = false

    @Option(help: "Threads to compute with, 1 to 256. Default: all processors.")
    var threads: Int?

    func validate() throws {
        guard (1...1000).contains(frames) else {
            throw ValidationError("--frames is \(frames); it must be from 1 to 1000")
        }
        guard (20...60).contains(targetPSNR) else {
            throw ValidationError("--target-psnr is \(targetPSNR); it must be from 20 to 60")
        }
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads is \(threads); it must be from 1 to 256")
        }
        guard !calibrate.isEmpty else { throw ValidationError("--calibrate needs at least one video") }
    }

    func run() throws {
        var request = QuantizeRequest(input: input, output: output, clips: calibrate)
        request.framesPerClip = frames
        request.prompts = prompt
        request.size = size
        request.targetPSNR = targetPSNR
        request.measuresSensitivity = !noSensitivity
        request.threads = threads
        try reporting { try QuantizeService.run(request) }
    }
}
