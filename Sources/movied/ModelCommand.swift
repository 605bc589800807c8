import ArgumentParser
import Frames
import Networks
import Service

struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Looks into model folders, and quantizes them.",
        subcommands: [ModelInfoCommand.self, ModelRunCommand.self, ModelQuantizeCommand.self])
}

struct ModelInfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Prints a model's parts, parameters and GFLOP a frame.")

    @Argument(help: "The model folder. Default: the bundled nano.")
    var model: String?

    @Option(help: "Frame size for the GFLOP.")
    var size = FrameSize(width: 512, height: 384)

    func run() throws {
        try reporting {
            for line in try ModelReport.lines(folder: try ModelLocator.find(model), size: size) { print(line) }
        }
    }
}

struct ModelRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs one network of a model on given tensors.",
        discussion: "Names and layouts are those of the reference's forward in diffusers and transformers: sample, "
            + "timestep, encoder_hidden_states, guidance_scale, image_guidance_scale, anchor.0 and on; input_ids.")

    @Argument(help: "The model folder; it may hold only the part that is run.")
    var model: String

    @Option(help: "The network.")
    var part: PartRunner.Part

    @Option(help: ArgumentHelp("A safetensors file with the inputs.", valueName: "file"))
    var inputs: String

    @Option(help: ArgumentHelp("The safetensors file to write.", valueName: "file"))
    var output: String

    @Option(help: "Arithmetic. int8 needs a quantized model.")
    var precision: Precision = .float

    func run() throws {
        try reporting {
            try PartService.run(
                folder: try ModelFolder(path: model), part: part, inputs: inputs, output: output, precision: precision)
        }
    }
}

extension PartRunner.Part: ExpressibleByArgument {}

extension Precision: ExpressibleByArgument {}
