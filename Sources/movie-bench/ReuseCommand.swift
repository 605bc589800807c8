import ArgumentParser
import Compute
import Editing
import Foundation
import Frames
import Networks
import Service

/// What reuse across frames saves, and what it costs in quality.
struct ReuseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reuse",
        abstract: "Edits clips with and without reuse across frames, in turns: work, time, PSNR, memory.",
        discussion:
            "Beside the clips given, two made here: 'room' (still, with a moving figure and camera noise) and 'pan' "
            + "(everything moves). The exit status is 1 when a figure is not what it must be.")

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Videos of a fixed camera.", valueName: "file"))
    var clip: [String] = []

    @Option(help: ArgumentHelp("A quantized model. Default: the bundled nano.", valueName: "dir"))
    var model: String?

    @Option(help: "Size at which frames are edited.")
    var size = FrameSize(width: 512, height: 384)

    @Option(help: "A prompt; repeatable. Default: a pencil drawing.")
    var prompt: [String] = []

    @Option(help: "Frames of a clip at most.")
    var frames = 300

    @Option(help: "Reused frames in a row at most.")
    var maxConsecutive = ReuseSettings().maxConsecutive

    @Option(help: "PSNR in dB to keep to.")
    var minPsnr = ReuseSettings().minPSNR

    @Option(help: "Threads to compute with. Default: all processors.")
    var threads: Int?

    @Option(help: ArgumentHelp("Write each clip's worst frame here, PPM: source, full, reused.", valueName: "dir"))
    var pictures: String?

    @Option(help: ArgumentHelp("Write the figures as JSON.", valueName: "file"))
    var json: String?

    func run() throws {
        let pool = WorkerPool(threads: threads)
        defer { pool.shutdown() }
        let model = try EditingModel(ModelLocator.find(model), precision: .int8)
        var clips = try clip.map { try ReuseClip(path: $0, size: size, limit: frames) }
        clips += [.room(size: size, count: min(frames, 90)), .pan(size: size, count: min(frames, 60))]
        var figures = [try detection(clips, pool)]
        for prompt in prompt.isEmpty ? ["make it a pencil drawing"] : prompt {
            var settings = EditSettings(prompt: prompt)
            settings.reuse = ReuseSettings(isOn: true, minPSNR: minPsnr, maxConsecutive: maxConsecutive)
            for clip in clips {
                let run = try ReuseRun(clip, model: model, settings: settings, pool: pool)
                figures += report(run, clip, prompt)
                if let pictures { try write(run.worst, to: pictures, "\(clip.name)-\(prompt)") }
            }
        }
        Figures.print(figures)
        try Figures.write(figures, to: json)
        if figures.contains(where: { $0.holds == false }) { throw ExitCode(1) }
    }

    /// What it takes to find the changed cells.
    private func detection(_ clips: [ReuseClip], _ pool: WorkerPool) throws -> Figure {
        guard let detector = ChangeDetector(width: size.width, height: size.height, pool: pool) else {
            throw ValidationError("--size is \(size); width and height must be multiples of 4")
        }
        let marks = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: detector.rows * detector.columns)
        marks.initialize(repeating: 0)
        defer { marks.deallocate() }
        var times: [Double] = []
        for frame in clips.flatMap(\.frames).prefix(200) {
            frame.pixels.withUnsafeBufferPointer { pixels in
                guard let pixels = pixels.baseAddress else { return }
                times.append(Measure.milliseconds { detector.compare(pixels, marks: marks) })
                detector.accept(marks)
            }
        }
        return Figure("all clips", "finding the changes", Measure.median(times), "ms").atMost(0.3)
    }

    private func report(_ run: ReuseRun, _ clip: ReuseClip, _ prompt: String) -> [Figure] {
        let work = "\(clip.name): \(prompt)", full = Measure.median(run.fullTimes), own = Measure.median(run.times)
        let ratio = Double(run.fullOperations) / max(1, run.operations)
        let slower = Figure(work, "time against full", own / full, "x")
        let saved = Figure(work, "fewer multiply-adds", ratio, "x")
        return [
            Figure(work, "multiply-adds, full", Double(run.fullOperations) / 1e9, "G"),
            Figure(work, "multiply-adds, reuse", run.operations / 1e9, "G"),
            clip.isMoving ? saved : saved.atLeast(2),
            Figure(work, "PSNR, all frames", run.meanPSNR, "dB").atLeast(minPsnr),
            Figure(work, "PSNR, worst frame", run.psnr.min() ?? 99, "dB"),
            Figure(work, "PSNR as the session reports it", run.reported ?? 0, "dB"),
            Figure(work, "changed cells", 100 * run.changed, "%"),
            Figure(work, "reused frames", 100 * run.reused, "%"),
            Figure(work, "median frame, full", full, "ms"), Figure(work, "median frame, reuse", own, "ms"),
            clip.isMoving ? slower.atMost(1.03) : slower,
            Figure(work, "change of the picture, full", mean(run.fullSteps), "levels"),
            Figure(work, "change of the picture, reused frame", mean(run.steps), "levels"),
            Figure(work, "change of the picture, renewal", mean(run.renewals), "levels"),
            Figure(work, "memory, full", Double(run.fullMemory) / 1048576, "MiB"),
            Figure(work, "memory, reuse", Double(run.memory) / 1048576, "MiB"),
        ]
    }

    private func mean(_ numbers: [Double]) -> Double {
        numbers.isEmpty ? 0 : numbers.reduce(0, +) / Double(numbers.count)
    }

    private func write(_ pictures: [StoredFrame], to folder: String, _ name: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (kind, picture) in zip(["source", "full", "reused"], pictures) {
            var data = Data("P6 \(picture.size.width) \(picture.size.height) 255\n".utf8)
            data.append(contentsOf: picture.pixels)
            try data.write(
                to: URL(
                    fileURLWithPath: "\(folder)/\(name.replacing(" ", with: "-")) \(kind).ppm".replacing(
                        ": ", with: "-")))
        }
    }
}
