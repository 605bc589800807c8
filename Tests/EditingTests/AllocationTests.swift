import CAllocationCounter
import Compute
import Frames
import Networks
import Synchronization
import TestSupport
import Testing

@testable import Editing

/// Heap allocations that a frame may make, once the session is warm.
private let allowedAllocations = 0

/// Counts the allocations of this thread and of the pool's workers; other tests run beside this one.
/// One after the other, because both read the one counter.
@Suite(.serialized) struct AllocationTests {
    private static let frames = 50

    /// On every thread of the pool at once: each waits until all have come.
    private func onEveryThread(of pool: WorkerPool, _ body: @escaping @Sendable () -> Void) {
        let arrived = Arrivals()
        pool.parallelFor(pool.width) { _, _ in
            body()
            arrived.count.add(1, ordering: .sequentiallyConsistent)
            while arrived.count.load(ordering: .sequentiallyConsistent) < pool.width {}
        }
    }

    private func allocations(on pool: WorkerPool, _ body: () throws -> Void) rethrows -> Int {
        movie_begin_allocation_count()
        defer { movie_end_allocation_count() }
        onEveryThread(of: pool) { movie_count_allocations(true) }
        let before = movie_counted_allocations()
        try body()
        let after = movie_counted_allocations()
        onEveryThread(of: pool) { movie_count_allocations(false) }
        return Int(after - before)
    }

    @Test func theCounterCounts() {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        let counted = allocations(on: pool) {
            onEveryThread(of: pool) { _ = WeightArray(count: 10) { _ in } }
        }
        #expect(counted >= 4, "an object and its memory, on each of two threads")
    }

    @Test(arguments: [Precision.float, .int8], AnchorMode.allCases)
    func framesAllocateNothing(_ precision: Precision, _ anchor: AnchorMode) throws {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        let size = FrameSize(width: 70, height: 66)
        let model =
            precision == .float ? try WholeEditor.model.get() : try EditingModel(Nano.folder("nano"), precision: .int8)
        var settings = EditSettings(prompt: WholeEditor.prompt)
        settings.anchor = anchor
        settings.stability = anchor == .none ? 0 : 0.5
        settings.anchorMaximumAge = 0.5
        let session = try EditSession(model: model, settings: settings, pool: pool)
        try session.prepare(size: size)
        let input = TestPicture(pattern: 1, size: size), output = TestPicture(size: size)
        let moved = TestPicture(pattern: 2, size: size)  // all of it: what moves is searched
        let source = input.view, other = moved.view, target = output.mutableView
        try session.setAnchor(source)
        for frame in 0..<6 { try session.edit(frame % 3 == 0 ? other : source, into: target) }
        let counted = try allocations(on: pool) {
            for frame in 0..<Self.frames {  // long enough for anchors to be renewed
                session.frameTime = Double(frame) / 25
                try session.edit(frame % 3 == 0 ? other : source, into: target)
            }
        }
        #expect(counted <= allowedAllocations * Self.frames, "\(counted) allocations in \(Self.frames) frames")
    }

    /// Partial, measured and full frames, one after the other.
    @Test func reusedFramesAllocateNothing() throws {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        let size = FrameSize(width: 70, height: 66)
        var settings = EditSettings(prompt: "make it a pencil drawing")
        settings.reuse = ReuseSettings(isOn: true, maxConsecutive: 5)
        let session = try EditSession(
            model: try EditingModel(Nano.folder("nano"), precision: .int8), settings: settings, pool: pool)
        try session.prepare(size: size)
        let pictures = [TestPicture(pattern: 1, size: size), TestPicture(pattern: 1, size: size)]
        for byte in 0..<60 { pictures[1].mutableView.base.storeBytes(of: 200, toByteOffset: byte, as: UInt8.self) }
        let output = TestPicture(size: size)
        let sources = (pictures[0].view, pictures[1].view), target = output.mutableView
        for frame in 0..<14 { try session.edit(frame % 2 == 0 ? sources.0 : sources.1, into: target) }
        var reused = 0
        let counted = try allocations(on: pool) {
            for frame in 0..<Self.frames {
                try session.edit(frame % 2 == 0 ? sources.0 : sources.1, into: target)
                reused += session.lastWork.isReused ? 1 : 0
            }
        }
        #expect(reused > Self.frames / 2 && reused < Self.frames)
        #expect(counted <= allowedAllocations * Self.frames, "\(counted) allocations in \(Self.frames) frames")
    }
}

/// How many threads have come.
private final class Arrivals: Sendable {
    let count = Atomic<Int>(0)
}
