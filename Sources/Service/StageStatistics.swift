import Editing
import Foundation
import Frames

/// An editor that measures another: milliseconds of every stage of the last frames, in memory taken once.
final class MeasuredEditor: TimedEditor, AnchoredEditor {
    private let session: EditSession
    /// Row after row of `stageNames.count` numbers; the oldest row is overwritten.
    private var samples: [Double] = []
    private var frames = 0

    private static let rows = 4096

    init(_ session: EditSession) { self.session = session }

    func prepare(size: FrameSize) throws {
        try session.prepare(size: size)
        samples = Array(repeating: 0, count: Self.rows * session.stageNames.count)
        frames = 0
    }

    var frameTime: Double? {
        get { session.frameTime }
        set { session.frameTime = newValue }
    }

    var wantsMiddleFrame: Bool { session.wantsMiddleFrame }

    func setAnchor(_ frame: FrameView) throws { try session.setAnchor(frame) }

    func edit(_ input: FrameView, into output: MutableFrameView) throws {
        try session.edit(input, into: output)
        let width = session.stageNames.count, row = frames % Self.rows
        for stage in 0..<width { samples[row * width + stage] = session.stageMilliseconds[stage] }
        frames += 1
    }

    /// The median of each stage in milliseconds, by name; empty before the first frame.
    func medians() -> [(stage: String, milliseconds: Double)] {
        let width = session.stageNames.count, count = min(frames, Self.rows)
        guard count > 0 else { return [] }
        return session.stageNames.enumerated().map { index, name in
            let sorted = (0..<count).map { samples[$0 * width + index] }.sorted()
            return (name, sorted[count / 2])
        }
    }
}

/// Resident memory.
public enum Memory {
    /// The most this process ever had resident, in MiB (VmHWM); 0 when unknown.
    public static func peakMiB() -> Double {
        var usage = rusage()
        guard getrusage(Int32(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return Double(usage.ru_maxrss) / 1024
    }
}
