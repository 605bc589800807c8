import ArgumentParser
import Compute
import Editing
import Foundation
import Frames
import Media
import Networks
import Service

/// What integers cost: edited frames against those of the same network in float.
struct QualityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quality",
        abstract: "PSNR of a quantized model's frames against a float model's, for every prompt.")

    @Option(help: ArgumentHelp("The quantized model.", valueName: "dir"))
    var model: String

    @Option(help: ArgumentHelp("The model in float.", valueName: "dir"))
    var against: String

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Videos kept out of calibration.", valueName: "clip"))
    var clips: [String]

    @Option(help: "Frames of each clip: the first of every second.")
    var frames = 3

    @Option(help: "A prompt; repeatable. Default: the quantized model's prompts.txt.")
    var prompt: [String] = []

    @Option(help: "Size at which frames are edited.")
    var size = FrameSize(width: 512, height: 384)

    @Option(help: "PSNR in dB that every prompt must reach; below it the exit status is 1.")
    var required = 0.0

    @Option(help: ArgumentHelp("Write the figures as JSON.", valueName: "file"))
    var json: String?

    func run() throws {
        let pool = WorkerPool(threads: nil)
        defer { pool.shutdown() }
        let prompts = prompt.isEmpty ? try QuantizeService.prompts(of: ModelFolder(path: model)) : prompt
        let pictures = try clips.flatMap { try read($0) }
        let models = try [model, against].enumerated().map { index, path in
            try EditingModel(ModelFolder(path: path), precision: index == 0 ? .int8 : .float)
        }
        var table = TextTable(["prompt", "PSNR, dB"]), figures: [String: Double] = [:]
        for prompt in prompts {
            let edits = try models.map { model in
                let session = try EditSession(model: model, settings: EditSettings(prompt: prompt), pool: pool)
                try session.prepare(size: size)
                return try pictures.map { try $0.edited(by: session) }
            }
            let psnr = StoredFrame.psnr(edits[0], edits[1])
            figures[prompt] = psnr
            table.add([prompt, psnr.text(1)])
        }
        table.lines().forEach { print($0) }
        let worst = figures.values.min() ?? 0
        print("worst \(worst.text(1)) dB on \(pictures.count) frames")
        if let json { try JSONEncoder().encode(figures).write(to: URL(fileURLWithPath: json)) }
        if worst < required { throw ExitCode(1) }
    }

    private func read(_ path: String) throws -> [StoredFrame] {
        var pictures: [StoredFrame] = [], index = 0
        try FileFrames.read(path: path, size: size) { view in
            if index % 25 == 0 { pictures.append(StoredFrame(view)) }
            index += 1
            return pictures.count < frames
        }
        return pictures
    }
}
