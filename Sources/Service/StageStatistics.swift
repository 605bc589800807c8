import Editing
import Foundation
import Frames

/// An editor that measures another: milliseconds of every stage of every frame.
final class MeasuredEditor: FrameEditor {
    private let session: EditSession
    private(set) var samples: [[Double]] = []

    init(_ session: EditSession) {
        self.session = session
        samples.reserveCapacity(4096)
    }

    var stageNames: [String] { session.stageNames }

    func prepare(size: FrameSize) throws { try session.prepare(size: size) }

    func edit(_ input: FrameView, into output: MutableFrameView) throws {
        try session.edit(input, into: output)
        samples.append(session.stageMilliseconds)
    }

    /// The median of each stage in milliseconds, by name; empty before the first frame.
    func medians() -> [(stage: String, milliseconds: Double)] {
        guard !samples.isEmpty else { return [] }
        return stageNames.enumerated().map { index, name in
            let sorted = samples.map { $0[index] }.sorted()
            return (name, sorted[sorted.count / 2])
        }
    }
}

/// Resident memory.
enum Memory {
    /// The most this process ever had resident, in MiB (VmHWM); 0 when unknown.
    static func peakMiB() -> Double {
        var usage = rusage()
        guard getrusage(Int32(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return Double(usage.ru_maxrss) / 1024
    }
}
