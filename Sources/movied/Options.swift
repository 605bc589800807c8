import ArgumentParser
import Editing
import Frames
import Media
import Networks

/// What the edit should be; shared by `edit` and `run`.
struct PromptOptions: ParsableArguments {
    @Option(help: "The instruction, for example \"make it a pencil drawing\".")
    var prompt: String

    @Option(help: ArgumentHelp("A model folder in diffusers layout. Default: the bundled nano.", valueName: "dir"))
    var model: String?

    @Option(help: "How strongly the edit follows the prompt. Range and default: movied model info.")
    var guidanceScale: Double?

    @Option(help: "How closely it stays to the source. Range and default: movied model info.")
    var imageGuidanceScale: Double?

    @Option(help: "Chooses the noise that every frame starts from.")
    var seed: UInt64 = 0

    @Option(help: "Size of the output, for example 512x384; even, from 64. Default: the input's.")
    var size: FrameSize?

    @Option(help: "Arithmetic. Default: int8 where the model was quantized, else float.")
    var precision: Precision?

    @Option(help: "Threads to compute with, 1 to 256. Default: all processors.")
    var threads: Int?

    func validate() throws {
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads is \(threads); it must be from 1 to 256")
        }
    }

    var settings: EditSettings {
        EditSettings(prompt: prompt, guidanceScale: guidanceScale, imageGuidanceScale: imageGuidanceScale, seed: seed)
    }
}

extension FrameSize: ExpressibleByArgument {
    /// From `WIDTHxHEIGHT`.
    public init?(argument: String) {
        let parts = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = Int(parts[0]), let height = Int(parts[1]), width > 0, height > 0 else {
            return nil
        }
        self.init(width: width, height: height)
    }
}

extension Framerate: ExpressibleByArgument {
    /// From a whole number or a fraction, 1 to 240 frames a second.
    public init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count <= 2, let numerator = parts[0], let denominator = parts.count == 2 ? parts[1] : 1,
            numerator > 0, denominator > 0, numerator <= 1_000_000, denominator <= 1_000_000
        else { return nil }
        self.init(numerator, denominator)
        guard (1...240).contains(framesPerSecond) else { return nil }
    }
}
