import CAllocationCounter
import Frames
import Glibc
import Scheduling
import Synchronization
import Testing

@testable import Media

/// What a frame may allocate on the threads that move it: nothing of ours. GStreamer's own allocations happen on its threads.
struct LiveAllocationTests {
    private static let size = FrameSize(width: 160, height: 120)

    /// What the others rely on.
    @Test(.enabled(if: movie_counts(), "a sanitizer brings its own malloc")) func anAllocationIsCounted() {
        movie_count_thread_allocations(true)
        let before = movie_allocations_of_thread()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 16)
        let counted = movie_allocations_of_thread() - before
        movie_count_thread_allocations(false)
        memory.deallocate()
        #expect(counted >= 1)
    }

    /// With an edit that takes too long among them: late and dropped frames allocate nothing either.
    @Test(arguments: [0, 80]) func theEditThreadAllocatesNothing(delayMilliseconds: Int) throws {
        let editor = CountingEditor(delayMilliseconds: delayMilliseconds), bench = LiveWorkbench()
        try bench.add("test:ball", ["gst:fakesink"], editor: editor)
        _ = try bench.run(seconds: 1.7)
        let counted = try #require(editor.allocations, "enough frames came")
        #expect(counted == 0, "in \(CountingEditor.frames.count) frames")
    }

    @Test func theOutputThreadAllocatesNothing() throws {
        let origin = MonotonicClock.nanoseconds, framerate = Framerate(30)
        let output = try LiveOutput(
            [.gst(fragment: "fakesink sync=false")], size: Self.size, framerate: framerate, origin: origin)
        let edited = PictureExchange(size: Self.size), log = StreamLog()
        let loop = OutputLoop(
            output, edited: edited, raw: nil, fallback: .hold, log: log, framerate: framerate, origin: origin)
        func tick(_ number: Int) {
            if number % 2 == 0 {
                let frame = FinishedFrame(number: number, captured: origin, rung: .edited, isInTime: true)
                _ = edited.publish(.init(frame: frame, finished: origin))
            }
            loop.tick(now: origin + Nanoseconds(number) * 33_333_333)
            usleep(2000)
        }
        /// Allocations of some ticks; the first time, types are made ready too.
        func allocations(_ numbers: Range<Int>) -> Int {
            movie_count_thread_allocations(true)
            let before = movie_allocations_of_thread()
            for number in numbers { tick(number) }
            let after = movie_allocations_of_thread()
            movie_count_thread_allocations(false)
            return Int(after - before)
        }
        _ = allocations(0..<60)  // the phase is followed from the twentieth frame on
        let counted = allocations(60..<160)
        movie_print_first_allocation()
        #expect(counted == 0, "in 100 ticks")
        #expect(log.update { $0.counters.out } == 160)
        try output.finish()
    }
}

/// Counts what its thread allocates between two of its frames, the way from one to the next included.
private final class CountingEditor: FrameEditor, @unchecked Sendable {
    static let frames = 10...30

    private let inner = PassthroughEditor()
    private let delayMilliseconds: Int
    private var number = 0
    private let result = Mutex<Int?>(nil)

    init(delayMilliseconds: Int) { self.delayMilliseconds = delayMilliseconds }

    var allocations: Int? { result.withLock { $0 } }

    func prepare(size: FrameSize) {}

    func edit(_ input: FrameView, into output: MutableFrameView) {
        number += 1
        if number == Self.frames.lowerBound { movie_count_thread_allocations(true) }
        inner.edit(input, into: output)
        if number == Self.frames.lowerBound + 5 { usleep(UInt32(1000 * delayMilliseconds)) }
        if number == Self.frames.upperBound {
            movie_count_thread_allocations(false)
            let counted = Int(movie_allocations_of_thread())
            movie_print_first_allocation()
            result.withLock { $0 = counted }
        }
    }
}
