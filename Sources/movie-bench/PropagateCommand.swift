import ArgumentParser
import Compute
import Foundation
import Frames
import Media
import Motion
import Service

/// How well and how fast an edit is carried onto later frames.
struct PropagateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "propagate",
        abstract:
            "PSNR of edits carried by motion against edits of every frame, beside holding; or the time of a frame.",
        discussion:
            "Give --source and --edited, two videos of the same frames (Benchmarks/stylize_clips.py writes such), or "
            + "--time. Status 1 if an edit carried is on average worse than the edit held.")

    @Option(help: ArgumentHelp("The video as it was.", valueName: "clip"))
    var source: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("The video with every frame edited; several for several edits.", valueName: "clip"))
    var edited: [String] = []

    @Option(help: "One frame in so many is edited, the others carried.")
    var every = 10

    @Option(help: "Size at which edits are made.")
    var size = FrameSize(width: 512, height: 384)

    @Option(help: "Threads; 0: as many as processors.")
    var threads = 2

    @Option(help: ArgumentHelp("Time frames of this camera size instead.", valueName: "size"))
    var time: FrameSize?

    @Option(help: ArgumentHelp("Write the figures as JSON.", valueName: "file"))
    var json: String?

    func validate() throws {
        guard (2...1000).contains(every) else {
            throw ValidationError("--every takes 2 to 1000 frames, not \(every)")
        }
        guard time != nil || (source != nil && !edited.isEmpty) else {
            throw ValidationError("give --source CLIP and --edited CLIP, or --time SIZE")
        }
    }

    func run() throws {
        let pool = WorkerPool(threads: threads > 0 ? threads : nil)
        defer { pool.shutdown() }
        var figures: [Figure] = []
        if let time { figures += PropagateTimes.measure(size: time, editSize: size, pool: pool) }
        if let source {
            let frames = try read(source)
            for path in edited { figures += try quality(frames, path, pool) }
        }
        Figures.print(figures)
        try Figures.write(figures, to: json)
        if figures.contains(where: { $0.holds == false }) { throw ExitCode(1) }
    }

    private func read(_ path: String) throws -> [StoredFrame] {
        var frames: [StoredFrame] = []
        try FileFrames.read(path: path, size: size) { view in
            frames.append(StoredFrame(view))
            return true
        }
        return frames
    }

    private func quality(_ frames: [StoredFrame], _ path: String, _ pool: WorkerPool) throws -> [Figure] {
        let edits = try read(path), work = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        guard edits.count == frames.count else {
            throw ValidationError("\(path) has \(edits.count) frames, the source \(frames.count): they must be as many")
        }
        let quality = PropagateQuality(frames: frames, edits: edits, every: every, pool: pool)
        return quality.distances.flatMap { distance -> [Figure] in
            let held = quality.held[distance] ?? [], carried = quality.carried[distance] ?? []
            let hold = held.reduce(0, +) / Double(max(1, held.count))
            let mean = carried.reduce(0, +) / Double(max(1, carried.count))
            return [
                Figure(work, "held, \(distance) on", hold, "dB"),
                Figure(work, "carried, \(distance) on", mean, "dB").atLeast(hold),
            ]
        } + [Figure(work, "a frame carried", quality.milliseconds, "ms")]
    }
}

/// PSNR of frames carried and held, by their distance from the edit.
struct PropagateQuality {
    /// Distances in frames that are reported.
    let distances: [Int]
    private(set) var held: [Int: [Double]] = [:]
    private(set) var carried: [Int: [Double]] = [:]
    /// Median time of `advance` and `render`.
    private(set) var milliseconds = 0.0

    init(frames: [StoredFrame], edits: [StoredFrame], every: Int, pool: WorkerPool) {
        distances = [1, 3, 6, 9].filter { $0 < every }
        guard let size = frames.first?.size else { return }
        let propagator = Propagator(size: size, editSize: size, pool: pool)
        var result = StoredFrame(size: size), times: [Double] = []
        for (index, frame) in frames.enumerated() {
            let distance = index % every
            times.append(
                Measure.milliseconds {
                    frame.withView { propagator.advance(to: $0) }
                    result.withMutableView { propagator.render(into: $0) }
                })
            if distance == 0 {
                edits[index].withView { propagator.keep(edit: $0) }
            } else if distances.contains(distance) {
                held[distance, default: []].append(StoredFrame.psnr([edits[index - distance]], [edits[index]]))
                carried[distance, default: []].append(StoredFrame.psnr([result], [edits[index]]))
            }
        }
        milliseconds = Measure.median(times)
    }
}

extension StoredFrame {
    /// A view of the pixels, valid during the call only.
    fileprivate func withView(_ body: (FrameView) -> Void) {
        pixels.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            body(FrameView(base: base, size: size, stride: size.width * 3))
        }
    }

    /// What `body` writes into the picture.
    fileprivate mutating func withMutableView(_ body: (MutableFrameView) -> Void) {
        var copy = pixels
        let size = size
        copy.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            body(MutableFrameView(base: base, size: size, stride: size.width * 3))
        }
        self = StoredFrame(size: size, pixels: copy)
    }
}
