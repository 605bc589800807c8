import Compute
import Editing
import Frames
import Networks

/// One clip and prompt, edited frame by frame with reuse and in full, in turns.
struct ReuseRun {
    /// Multiply-adds of a frame in full, and with reuse on average.
    private(set) var fullOperations = 0
    private(set) var operations = 0.0
    /// Milliseconds of every frame.
    private(set) var fullTimes: [Double] = []
    private(set) var times: [Double] = []
    /// PSNR in dB of every frame against the full computation.
    private(set) var psnr: [Double] = []
    /// PSNR over all frames together.
    private(set) var meanPSNR = 99.0
    /// Shares of changed cells, and of frames that were reused.
    private(set) var changed = 0.0
    private(set) var reused = 0.0
    /// Bytes of activations without and with reuse.
    private(set) var fullMemory = 0
    private(set) var memory = 0
    /// The PSNR that the session measured itself.
    private(set) var reported: Double?
    /// Mean absolute change from the last picture, in levels: at the first frame after reused ones, and at reused frames.
    private(set) var renewals: [Double] = []
    private(set) var steps: [Double] = []
    /// The same of frames computed in full.
    private(set) var fullSteps: [Double] = []
    /// The frame with the lowest PSNR: source, full and reused picture.
    private(set) var worst: [StoredFrame] = []

    init(_ clip: ReuseClip, model: EditingModel, settings: EditSettings, pool: WorkerPool) throws {
        guard let first = clip.frames.first else { return }
        var plain = settings
        plain.reuse.isOn = false
        let full = try EditSession(model: model, settings: plain, pool: pool)
        let reusing = try EditSession(model: model, settings: settings, pool: pool)
        try full.prepare(size: first.size)
        try reusing.prepare(size: first.size)
        fullOperations = full.operations
        fullMemory = full.memory
        memory = reusing.memory
        var exact = StoredFrame(size: first.size), picture = StoredFrame(size: first.size)
        for _ in 0..<3 { try first.edit(by: full, into: &exact) }
        var squares = 0.0, sum = 0.0, share = 0.0, count = 0, wasReused = false
        for (index, frame) in clip.frames.enumerated() {
            let last = picture, lastExact = exact
            func editFull() throws {
                fullTimes.append(try Measure.milliseconds { try frame.edit(by: full, into: &exact) })
            }
            if index % 2 == 0 { try editFull() }
            times.append(try Measure.milliseconds { try frame.edit(by: reusing, into: &picture) })
            if index % 2 == 1 { try editFull() }
            let work = reusing.lastWork, error = picture.squaredError(exact)
            let own = StoredFrame.psnr(squaredError: error, count: picture.pixels.count)
            if own < psnr.min() ?? 100 { worst = [frame, exact, picture] }
            psnr.append(own)
            squares += error
            sum += Double(work.operations)
            share += work.changed
            count += work.isReused ? 1 : 0
            if index > 0 {
                fullSteps.append(exact.meanChange(lastExact))
                if work.isReused {
                    steps.append(picture.meanChange(last))
                } else if wasReused {
                    renewals.append(picture.meanChange(last))
                }
            }
            wasReused = work.isReused
        }
        let frames = Double(clip.frames.count)
        operations = sum / frames
        changed = share / frames
        reused = Double(count) / frames
        reported = reusing.reusePSNR
        meanPSNR = StoredFrame.psnr(squaredError: squares, count: clip.frames.count * picture.pixels.count)
    }
}

extension StoredFrame {
    /// Mean absolute difference, in levels.
    fileprivate func meanChange(_ other: StoredFrame) -> Double {
        var sum = 0
        for index in pixels.indices { sum += abs(Int(pixels[index]) - Int(other.pixels[index])) }
        return Double(sum) / Double(max(1, pixels.count))
    }
}
