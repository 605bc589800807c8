import ArgumentParser
import Frames
import Networks
import Service

/// What to run and with what; shared by the commands that time networks.
struct WorkOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The model folder. Default: the bundled nano.", valueName: "dir"))
    var model: String?

    @Option(help: "What to run: unet, vae-encoder, vae-decoder or nano-frame (pixels to edited pixels).")
    var work: WorkName

    @Option(help: "Arithmetic: int8 or float.")
    var precision: Precision = .int8

    @Option(help: "Size of the frame.")
    var size = FrameSize(width: 512, height: 384)

    @Option(help: "Threads to compute with.")
    var threads = 2

    @Option(help: "The prompt of nano-frame.")
    var prompt = "make it a pencil drawing"

    @Option(help: ArgumentHelp("Inputs of a network, or pixels U8 [height, width, 3].", valueName: "file"))
    var input: String?

    func validate() throws {
        guard (1...256).contains(threads) else {
            throw ValidationError("--threads is \(threads); it must be from 1 to 256")
        }
    }

    var folder: ModelFolder {
        get throws { try ModelLocator.find(model) }
    }
}

extension Precision: ExpressibleByArgument {}

extension FrameSize: ExpressibleByArgument {
    /// From `WIDTHxHEIGHT`.
    public init?(argument: String) {
        let parts = argument.lowercased().split(separator: "x").compactMap { Int($0) }
        guard parts.count == 2, parts[0] >= 64, parts[1] >= 64, parts[0] % 2 == 0, parts[1] % 2 == 0 else { return nil }
        self.init(width: parts[0], height: parts[1])
    }
}
