import Compute
import Editing
import Foundation
import Frames
import Media
import Networks

/// What `movied model quantize` is asked to do.
public struct QuantizeRequest: Sendable {
    /// The model folder to read.
    public var input: String
    /// The model folder to write; it must not exist.
    public var output: String
    /// Videos whose frames are edited to find ranges and quality.
    public var clips: [String]
    /// Frames taken of each clip, evenly spread; 1...1000.
    public var framesPerClip = 4
    /// Prompts to edit with; empty for the folder's `prompts.txt`.
    public var prompts: [String] = []
    /// Size at which frames are edited.
    public var size = FrameSize(width: 512, height: 384)
    /// Quality below which the most sensitive layers are left in float, in dB of PSNR against float.
    public var targetPSNR = 42.0
    /// Whether every layer's sensitivity is measured; without, all layers run on integers.
    public var measuresSensitivity = true
    /// Threads to compute with; nil for all processors.
    public var threads: Int?

    /// A request with defaults.
    public init(input: String, output: String, clips: [String]) {
        self.input = input
        self.output = output
        self.clips = clips
    }
}

/// Makes an int8 model folder: ranges from frames of every edit, a table of sensitivity, the choice of layers.
public enum QuantizeService {
    /// Runs the request, telling its progress. Throws what is wrong with it; nothing is then written.
    public static func run(_ request: QuantizeRequest) throws {
        let folder = try ModelFolder(path: request.input)
        try QuantizedFolder.check(request.output)
        let prompts = try request.prompts.isEmpty ? prompts(of: folder) : request.prompts
        let model = try EditingModel(folder, precision: .float)
        let frames = try request.clips.map { try spread(try clip($0, request), count: request.framesPerClip) }
        let pool = WorkerPool(threads: request.threads)
        defer { pool.shutdown() }
        let calibrator = Calibrator(model: model, size: request.size, pool: pool, prompts: prompts, clips: frames)

        Terminal.line("ranges: \(prompts.count) prompts on \(frames.joined().count) frames")
        let quantizers = try calibrator.quantizers()
        let table = request.measuresSensitivity ? try sensitivities(calibrator, quantizers) : [:]
        let chosen = try choose(calibrator, quantizers, table, target: request.targetPSNR)
        let calibration = QuantizationFile.Calibration(
            clips: request.clips.map { URL(fileURLWithPath: $0).lastPathComponent }, frames: frames.joined().count,
            prompts: prompts, width: request.size.width, height: request.size.height)
        let file = QuantizationFile(
            layers: Dictionary(
                uniqueKeysWithValues: chosen.map { ($0.key, QuantizationFile.Layer($0.value, psnr: table[$0.key])) }),
            floatLayers: table.filter { chosen[$0.key] == nil }, calibration: calibration,
            psnr: request.measuresSensitivity ? try calibrator.psnr(of: Quantization(layers: chosen)) : nil)
        try QuantizedFolder(of: folder).write(to: request.output, file)
        let quality = file.psnr.map { ", \($0.text(1)) dB against float" } ?? ""
        Terminal.line(
            "\(request.output): \(file.layers.count) layers on integers, \(file.floatLayers.count) left in float\(quality)"
        )
    }

    private static func sensitivities(
        _ calibrator: Calibrator, _ quantizers: [String: Quantizer]
    ) throws -> [String: Double] {
        Terminal.line("sensitivity: \(quantizers.count) layers, one at a time")
        var table: [String: Double] = [:]
        for (name, quantizer) in quantizers {
            table[name] = try calibrator.psnr(of: Quantization(layers: [name: quantizer]))
        }
        for (name, psnr) in table.sorted(by: { $0.value < $1.value }).prefix(10) {
            Terminal.line("  \(psnr.text(1)) dB  \(name)")
        }
        return table
    }

    /// All layers, less the most sensitive ones until the target is met or half of them are gone.
    private static func choose(
        _ calibrator: Calibrator, _ quantizers: [String: Quantizer], _ table: [String: Double], target: Double
    ) throws -> [String: Quantizer] {
        var chosen = quantizers
        var worst = table.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)[...]
        while chosen.count > quantizers.count / 2, let name = worst.popFirst() {
            let psnr = try calibrator.psnr(of: Quantization(layers: chosen))
            if psnr >= target { break }
            Terminal.line("\(psnr.text(1)) dB, wanted \(target.text(1)): \(name) stays in float")
            chosen[name] = nil
        }
        return chosen
    }

    /// The prompts of the folder's `prompts.txt`, one a line. Throws when there are none.
    public static func prompts(of folder: ModelFolder) throws -> [String] {
        let path = "\(folder.path)/prompts.txt"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ServiceError(
                "\(folder.path) has no prompts.txt, one prompt a line, to calibrate with: give prompts with --prompt")
        }
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        guard !lines.isEmpty else { throw ServiceError("\(path) is empty: write one prompt a line") }
        return lines
    }

    private static func clip(_ path: String, _ request: QuantizeRequest) throws -> [StoredFrame] {
        // Long clips are thinned while they are read, so that memory holds at most twice the frames wanted.
        var kept: [StoredFrame] = [], step = 1, index = 0
        try FileFrames.read(path: path, size: request.size) { view in
            if index % step == 0 { kept.append(StoredFrame(view)) }
            index += 1
            if kept.count > 2 * request.framesPerClip {
                kept = stride(from: 0, to: kept.count, by: 2).map { kept[$0] }
                step *= 2
            }
            return true
        }
        guard !kept.isEmpty else { throw ServiceError("\(path) has no frames to calibrate with: give a video") }
        return kept
    }

    private static func spread(_ frames: [StoredFrame], count: Int) throws -> [StoredFrame] {
        guard frames.count > count else { return frames }
        return (0..<count).map { frames[(2 * $0 + 1) * frames.count / (2 * count)] }
    }
}
