import CAllocationCounter
import Foundation
import Frames
import Scheduling
import Synchronization
import Testing

@testable import Media

struct ExchangeTests {
    private let size = FrameSize(width: 66, height: 64)

    private func note(_ number: Int) -> PictureExchange.Note {
        .init(
            frame: FinishedFrame(number: number, captured: Nanoseconds(number), rung: .edited, isInTime: true),
            finished: Nanoseconds(number))
    }

    private func paint(_ view: MutableFrameView, _ value: UInt8) {
        for row in 0..<view.size.height { memset(view.base + row * view.stride, Int32(value), view.size.width * 3) }
    }

    private func colours(_ view: FrameView) -> Set<UInt8> {
        (0..<view.size.height).reduce(into: []) { set, row in
            set.formUnion(UnsafeRawBufferPointer(start: view.base + row * view.stride, count: view.size.width * 3))
        }
    }

    @Test func theNewestIsRead() {
        let exchange = PictureExchange(size: size)
        #expect(exchange.newest() == nil)
        paint(exchange.target, 1)
        #expect(!exchange.publish(note(1)))
        paint(exchange.target, 2)
        #expect(exchange.publish(note(2)), "1 was never read")
        paint(exchange.target, 99)  // being written: nobody sees it
        #expect(exchange.newest()?.frame.number == 2 && colours(exchange.view) == [2])
        #expect(exchange.newest()?.frame.number == 2 && colours(exchange.view) == [2])
        #expect(!exchange.publish(note(3)))
        #expect(colours(exchange.view) == [2], "until it is asked for")
        #expect(exchange.newest()?.frame.number == 3 && colours(exchange.view) == [99])
    }

    /// A picture that is read never changes, and is the one its note speaks of.
    @Test func neverTorn() {
        let exchange = PictureExchange(size: size), done = Atomic<Bool>(false)
        Thread.detachNewThread {
            for number in 1...3000 {
                paint(exchange.target, UInt8(number % 251))
                _ = exchange.publish(note(number))
            }
            done.store(true, ordering: .relaxed)
        }
        var last = 0
        while !done.load(ordering: .relaxed) {
            guard let seen = exchange.newest() else { continue }
            #expect(colours(exchange.view) == [UInt8(seen.frame.number % 251)])
            #expect(seen.frame.number >= last)
            last = seen.frame.number
        }
    }

    @Test func nothingIsAllocatedForAFrame() {
        let exchange = PictureExchange(size: size)
        movie_count_thread_allocations(true)
        let before = movie_allocations_of_thread()
        for number in 1...100 {
            paint(exchange.target, 3)
            _ = exchange.publish(note(number))
            _ = exchange.newest()
            _ = exchange.view
        }
        let after = movie_allocations_of_thread()
        movie_count_thread_allocations(false)
        #expect(after == before)
    }

    @Test func ringsKeepTheLast() {
        var ring = RecordRing<Int>(capacity: 3)
        for number in 0..<5 { ring.add(number) }
        #expect(ring.drain() == [2, 3, 4] && ring.drain().isEmpty)
        ring.add(9)
        #expect(ring.drain() == [9])
    }

    @Test(arguments: [
        FrameSize(width: 64, height: 64), FrameSize(width: 512, height: 384), .init(width: 70, height: 66),
    ])
    func ourOwnPictureIsDarkAndWhole(_ size: FrameSize) {
        let exchange = PictureExchange(size: size)
        paint(exchange.target, 255)
        Placeholder.draw(into: exchange.target)
        _ = exchange.publish(note(1))
        _ = exchange.newest()
        let seen = colours(exchange.view)
        #expect((seen.max() ?? 255) < 160 && seen.count >= 6, "background and letters: \(seen)")
    }
}
