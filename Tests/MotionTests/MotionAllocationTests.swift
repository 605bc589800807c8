import CAllocationCounter
import Compute
import Frames
import Motion
import Synchronization
import TestSupport
import Testing

/// The frame path takes no memory, counted on all threads.
@Suite(.serialized) struct MotionAllocationTests {
    private func onEveryThread(of pool: WorkerPool, _ body: @escaping @Sendable () -> Void) {
        let arrived = Arrivals()
        pool.parallelFor(pool.width) { _, _ in
            body()
            arrived.count.add(1, ordering: .sequentiallyConsistent)
            while arrived.count.load(ordering: .sequentiallyConsistent) < pool.width {}
        }
    }

    @Test func nothingIsAllocated() {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        let size = FrameSize(width: 203, height: 151), editSize = FrameSize(width: 128, height: 96)
        let propagator = Propagator(size: size, editSize: editSize, pool: pool, fadeFrames: 2)
        let frames = (0..<4).map { moved(size, Double($0) * 1.3, 0) }, pictures = frames.map(\.view)
        let edit = TestPicture(smooth: editSize), warped = TestPicture(size: editSize), output = TestPicture(size: size)
        let edited = edit.view, target = output.mutableView, shifted = warped.mutableView
        func play() {
            for index in 0..<8 {
                propagator.advance(to: pictures[index % 4])
                if index % 4 == 0 { propagator.keep(edit: edited) }
                if index == 1 { propagator.beginEdit() }
                propagator.render(into: target)
                if index == 2 { _ = propagator.finishEdit(edited) }
                propagator.upsample(edited, into: target)
                propagator.warpPrevious(edited, into: shifted)
                _ = propagator.flow[3, 2]
            }
        }
        play()  // what Swift makes at a first use is no part of a frame
        movie_begin_allocation_count()
        defer { movie_end_allocation_count() }
        onEveryThread(of: pool) { movie_count_allocations(true) }
        let before = movie_counted_allocations()
        play()
        let after = movie_counted_allocations()
        onEveryThread(of: pool) { movie_count_allocations(false) }
        #expect(after == before, "\(after - before) allocations in 8 frames")
    }
}

/// How many threads have come.
private final class Arrivals: Sendable {
    let count = Atomic<Int>(0)
}
