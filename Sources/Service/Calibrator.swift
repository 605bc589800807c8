import Compute
import Editing
import Frames
import Networks

/// Edits frames of clips to find how wide each layer's input is, and what integers cost in quality.
final class Calibrator {
    private let model: EditingModel
    private let size: FrameSize
    private let pool: WorkerPool
    private let prompts: [String]
    private let frames: [StoredFrame]
    /// What quality is measured on: a few prompts, a frame each, and their edits in float.
    private var probes: [(prompt: String, frame: StoredFrame, edited: StoredFrame)] = []

    private static let mostProbes = 6

    init(model: EditingModel, size: FrameSize, pool: WorkerPool, prompts: [String], clips: [[StoredFrame]]) {
        self.model = model
        self.size = size
        self.pool = pool
        self.prompts = prompts
        frames = Array(clips.joined())
    }

    /// Levels for the input of every layer: of the true minima and maxima over all frames with every prompt, as much as
    /// serves what was seen best. (Ranges depend on the edit: averaging them costs decibels.)
    func quantizers() throws -> [String: Quantizer] {
        let ranges = RangeObserver()
        try edit(observedBy: ranges)
        let clipping = ClippingObserver(ranges: ranges.ranges)
        try edit(observedBy: clipping)
        return clipping.quantizers
    }

    /// Edits with every prompt, at default, weak and strong guidance.
    private func edit(observedBy observer: some InputObserver) throws {
        let g = model.guidance
        let scales = [
            (g.defaultGuidanceScale, g.defaultImageGuidanceScale),
            (g.guidanceScale.lowerBound, g.imageGuidanceScale.upperBound),
            (g.guidanceScale.upperBound, g.imageGuidanceScale.lowerBound),
        ]
        for (number, prompt) in prompts.enumerated() {
            for (variant, (text, image)) in scales.enumerated() {
                let settings = EditSettings(prompt: prompt, guidanceScale: text, imageGuidanceScale: image)
                let session = try session(settings) { $0.observed(by: observer) }
                // All frames at the guidance that people use, one at the ends of its range.
                let taken = variant == 0 ? frames : [frames[number % frames.count]]
                for frame in taken { _ = try frame.edited(by: session) }
            }
        }
    }

    /// PSNR of edits with `quantization` against edits in float, in dB.
    func psnr(of quantization: Quantization) throws -> Double {
        if probes.isEmpty { try makeProbes() }
        let edits = try probes.map { probe in
            try probe.frame.edited(by: session(EditSettings(prompt: probe.prompt)) { $0.quantized(quantization) })
        }
        return StoredFrame.psnr(edits, probes.map(\.edited))
    }

    private func makeProbes() throws {
        let step = max(1, prompts.count / Self.mostProbes)
        for (number, index) in stride(from: 0, to: prompts.count, by: step).prefix(Self.mostProbes).enumerated() {
            let frame = frames[number % frames.count], prompt = prompts[index]
            let edited = try frame.edited(by: session(EditSettings(prompt: prompt)) { $0 })
            probes.append((prompt, frame, edited))
        }
    }

    private func session(_ settings: EditSettings, _ transform: @escaping (Graph) -> Graph) throws -> EditSession {
        let session = try EditSession(model: model, settings: settings, pool: pool, transform: transform)
        try session.prepare(size: size)
        return session
    }
}
