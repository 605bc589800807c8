import ArgumentParser
import Compute
import Editing
import Foundation
import Frames
import Media
import Networks
import Service

/// How much edited frames flicker, and what anchor and stabilizer change about it.
struct FlickerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flicker",
        abstract: "Mean difference of consecutive outputs beyond the motion-compensated source's, in levels of 255.",
        discussion: """
            With --edited, measures an edited file against its source. Without, edits the source with every anchor, once \
            without and once with the stabilizer, and compares: flicker, sharpness (gradient energy) and ghost (how much of \
            the last output is left where something moves). Exit status 1 when the stabilizer takes out less than a quarter \
            of the flicker or changes sharpness by more than 5 %. Noise that is added makes edges too, which are not the \
            picture's: with --noise, sharpness counts against the edit of the source without it, and the figure against \
            stability 0 is printed beside it.
            """)

    @Option(help: ArgumentHelp("The source.", valueName: "clip"))
    var source: String

    @Option(help: ArgumentHelp("What was made of it.", valueName: "clip"))
    var edited: String?

    @Option(help: ArgumentHelp("The model folder. Default: the bundled nano.", valueName: "dir"))
    var model: String?

    @Option(help: "The prompt.")
    var prompt = "make it a pencil drawing"

    @Option(help: "Size at which frames are edited.")
    var size = FrameSize(width: 512, height: 384)

    @Option(help: "Frames to take, from the beginning.")
    var frames = 48

    @Option(help: "Noise of a camera to add, standard deviation in levels.")
    var noise = 0.0

    @Option(help: "The stabilizer's control that is compared with 0.")
    var stability = EditSettings.usualStability

    @Option(parsing: .upToNextOption, help: "Anchors to compare.")
    var anchors: [AnchorMode] = [.none, .rolling, .middle]

    @Option(help: ArgumentHelp("Write the figures as JSON.", valueName: "file"))
    var json: String?

    func validate() throws {
        guard (2...100_000).contains(frames) else {
            throw ValidationError("--frames is \(frames); it must be from 2 to 100000")
        }
        guard (0...50).contains(noise) else { throw ValidationError("--noise is \(noise); it must be from 0 to 50") }
        guard (0...1).contains(stability) else {
            throw ValidationError("--stability is \(stability); it must be from 0 to 1")
        }
    }

    func run() throws {
        let clean = try read(source), sources = noise > 0 ? Self.noisy(clean, noise) : clean
        guard sources.count > 1 else { throw ServiceError("'\(source)' has \(sources.count) frames; give two or more") }
        if let edited { return try measure(sources, try read(edited)) }
        let pool = WorkerPool(threads: nil)
        defer { pool.shutdown() }
        let model = try EditingModel(try ModelLocator.find(model))
        let controls = stability > 0 ? [0, stability] : [0]
        var variants = try anchors.flatMap { anchor in
            try controls.map { try Variant(anchor, $0, prompt, model, sources, pool) }
        }
        var reference = noise > 0 ? try Variant(.none, 0, prompt, model, clean, pool) : nil
        for frame in noise > 0 ? clean : [] { _ = try reference?.edit(frame, nil, plain: nil) }
        var last: Luma?, sourceChange = 0.0
        for frame in sources {
            let luma = frame.luma, step = last.map { FlickerMeter.Step(from: $0, to: luma) }
            sourceChange += step?.change ?? 0
            last = luma
            var plain: Luma?
            for index in variants.indices {
                let output = try variants[index].edit(frame, step, plain: plain)
                plain = variants[index].stability == 0 ? output : plain
            }
        }
        try report(variants, clean: reference?.meter.sharpness, sourceChange / Double(sources.count - 1))
    }

    private func report(_ variants: [Variant], clean: Double?, _ sourceChange: Double) throws {
        print("source: \(sourceChange.text(2)) levels from frame to frame, motion compensated")
        var table = TextTable([
            "anchor", "stability", "flicker", "against 0", "change", "sharpness", "of clean", "ghost",
            "PSNR to none/0, dB", "ms",
        ])
        var figures: [[String: Double]] = [], isGood = true, plain: Variant?
        for variant in variants {
            let meter = variant.meter
            if variant.stability == 0 { plain = variant }
            let base = plain?.meter ?? meter
            let less = 1 - meter.flicker / max(base.flicker, 1e-9), sharp = meter.sharpness / max(base.sharpness, 1e-9)
            let ofClean = meter.sharpness / max(clean ?? base.sharpness, 1e-9)
            if variant.stability > 0 { isGood = isGood && less >= 0.25 && abs(ofClean - 1) <= 0.05 }
            let psnr = StoredFrame.psnr(variant.outputs, variants[0].outputs)
            table.add([
                variant.anchor.rawValue, variant.stability.text(2), meter.flicker.text(3),
                "\((-100 * less).text(1)) %", meter.change.text(2), "\((100 * sharp).text(1)) %",
                clean == nil ? "" : "\((100 * ofClean).text(1)) %", meter.ghost.text(3),
                psnr.text(1), variant.milliseconds.text(2),
            ])
            figures.append([
                "anchor": Double(AnchorMode.allCases.firstIndex(of: variant.anchor) ?? 0),
                "stability": variant.stability, "flicker": meter.flicker, "change": meter.change,
                "sharpness": meter.sharpness, "ghost": meter.ghost, "psnr": psnr,
            ])
        }
        table.lines().forEach { print($0) }
        if let json { try JSONEncoder().encode(figures).write(to: URL(fileURLWithPath: json)) }
        if !isGood { throw ExitCode(1) }
    }

    private func measure(_ sources: [StoredFrame], _ outputs: [StoredFrame]) throws {
        guard sources.count == outputs.count else {
            throw ServiceError(
                "'\(source)' has \(sources.count) frames and '\(edited ?? "")' has \(outputs.count); give what was made of it"
            )
        }
        var meter = FlickerMeter(), last: Luma?, change = 0.0
        for (frame, output) in zip(sources, outputs) {
            let luma = frame.luma, step = last.map { FlickerMeter.Step(from: $0, to: luma) }
            change += step?.change ?? 0
            meter.add(output.luma, step)
            last = luma
        }
        print(
            "flicker \(meter.flicker.text(3)) levels; motion compensated, outputs change by \(meter.change.text(3)) levels a "
                + "frame, sources by \((change / Double(sources.count - 1)).text(3)); sharpness \(meter.sharpness.text(1))"
        )
    }

    private func read(_ path: String) throws -> [StoredFrame] {
        var pictures: [StoredFrame] = []
        try FileFrames.read(path: path, size: size) { view in
            pictures.append(StoredFrame(view))
            return pictures.count < frames
        }
        return pictures
    }

    private static func noisy(_ frames: [StoredFrame], _ noise: Double) -> [StoredFrame] {
        var random = Noise(seed: 1), numbers = [Float](repeating: 0, count: frames.first?.pixels.count ?? 0)
        return frames.map { frame in
            random.fill(&numbers)
            return frame.adding(numbers, times: Float(noise))
        }
    }
}

extension AnchorMode: ExpressibleByArgument {}

/// A session, and what it has made so far.
private struct Variant {
    let anchor: AnchorMode
    let stability: Double
    private(set) var meter = FlickerMeter()
    private(set) var outputs: [StoredFrame] = []
    private var times: [Double] = []
    private let session: EditSession

    init(
        _ anchor: AnchorMode, _ stability: Double, _ prompt: String, _ model: EditingModel, _ sources: [StoredFrame],
        _ pool: WorkerPool
    ) throws {
        self.anchor = anchor
        self.stability = stability
        var settings = EditSettings(prompt: prompt)
        settings.anchor = anchor
        settings.stability = stability
        session = try EditSession(model: model, settings: settings, pool: pool)
        try session.prepare(size: sources[0].size)
        let middle = sources[sources.count / 2]
        try middle.withView { try session.setAnchor($0) }
    }

    var milliseconds: Double { times.sorted()[times.count / 2] }

    /// Edits a frame; returns the output's brightness.
    mutating func edit(_ frame: StoredFrame, _ step: FlickerMeter.Step?, plain: Luma?) throws -> Luma {
        session.frameTime = Double(outputs.count) / 30
        let output = try frame.edited(by: session), luma = output.luma
        times.append(session.stageMilliseconds.reduce(0, +))
        meter.add(luma, step, plain: stability > 0 ? plain : nil)
        outputs.append(output)
        return luma
    }
}

extension StoredFrame {
    /// The picture's brightness.
    var luma: Luma {
        pixels.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return Luma(width: 0, height: 0) }
            return Luma(rgb: base, width: size.width, height: size.height)
        }
    }

    /// Gives the picture as a frame.
    func withView(_ body: (FrameView) throws -> Void) rethrows {
        try pixels.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            try body(FrameView(base: base, size: size, stride: size.width * 3))
        }
    }

    /// The picture with numbers added, rounded and clamped.
    func adding(_ numbers: [Float], times factor: Float) -> StoredFrame {
        let changed = pixels.indices.map { UInt8(min(255, max(0, Float(pixels[$0]) + factor * numbers[$0]).rounded())) }
        return StoredFrame(size: size, pixels: changed)
    }
}
