import CAllocationCounter
import CVideo
import Frames
import Glibc
import Scheduling
import Testing

@testable import Media

struct LoopbackTests {
    private let size = FrameSize(width: 64, height: 64)
    private let port = FakePort()

    private func sink(_ format: PixelFormat? = nil, size: FrameSize? = nil) throws(MediaError) -> LoopbackSink {
        try LoopbackSink(
            LoopbackSpec(device: "/dev/video10", format: format), size: size ?? self.size, framerate: Framerate(25),
            port: port)
    }

    private func sentence(_ body: () throws(MediaError) -> LoopbackSink) -> String {
        do throws(MediaError) {
            _ = try body()
            return "no error"
        } catch {
            return error.message
        }
    }

    private func held(_ pixels: PixelFormat, _ size: FrameSize) -> movie_video_format {
        LoopbackFormat(pixels: pixels, size: size).wish
    }

    /// Packed RGB of one colour.
    private func publish(_ colour: UInt8, to sink: LoopbackSink, content: Int = 0, time: Nanoseconds = 1) {
        let pixels = [UInt8](repeating: colour, count: size.width * size.height * 3)
        pixels.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            sink.publish(
                FrameView(base: base, size: size, stride: size.width * 3), content: content, time: time)
        }
    }

    @Test func streamsAPictureBeforeAnybodyReads() throws {
        let sink = try sink()
        #expect(port.isStreaming && port.queued.count == 1 && port.rate == Framerate(25))
        #expect(port.picture.prefix(size.width * size.height).min() == 38, "the placeholder's dark luma")
        #expect(sink.format == LoopbackFormat(pixels: .i420, size: size) && sink.messages.isEmpty)
    }

    @Test(arguments: [(PixelFormat.i420, 6144), (.nv12, 6144), (.yuy2, 8192), (.rgb, 12288)])
    func writesTheFormatAskedFor(_ format: PixelFormat, _ bytes: Int) throws {
        let sink = try sink(format)
        publish(255, to: sink)
        #expect(port.queued.last?.bytes == bytes)
        let white = port.picture
        switch format {
        case .rgb: #expect(Set(white) == [255])
        case .yuy2:
            #expect(stride(from: 0, to: white.count, by: 2).allSatisfy { white[$0] == 235 && white[$0 + 1] == 128 })
        default: #expect(Set(white.prefix(4096)) == [235] && Set(white.dropFirst(4096)) == [128])
        }
    }

    @Test func keepsTimesAndRotatesBuffers() throws {
        let sink = try sink()
        for tick in 1...8 { publish(9, to: sink, time: Nanoseconds(tick) * 40_000_000) }
        #expect(port.queued.dropFirst().map(\.index) == [1, 2, 3, 0, 1, 2, 3, 0])
        #expect(port.queued.dropFirst().map(\.time) == (1...8).map { Nanoseconds($0) * 40_000_000 })
    }

    @Test func followsAReaderThatShrinksTheRing() throws {
        let sink = try sink()
        publish(9, to: sink)
        port.usedBuffers = 2
        for _ in 0..<5 { publish(9, to: sink) }
        #expect(port.queued.suffix(5).map(\.index) == [0, 1, 0, 1, 0], "never a buffer that readers do not see")
    }

    @Test func convertsThePictureOfNoOneOnce() throws {
        let sink = try sink()
        for _ in 0..<4 { publish(50, to: sink, content: 1) }
        publish(200, to: sink, content: 1)
        #expect(port.picture[0] == 59, "the same picture, by its number: 16 + 50 * 219 / 255")
        publish(200, to: sink)
        #expect(port.picture[0] == 188)
    }

    @Test func allocatesNothingAFrame() throws {
        let sink = try sink(.yuy2)
        publish(1, to: sink)
        let pixels = [UInt8](repeating: 77, count: size.width * size.height * 3)
        try pixels.withUnsafeBytes { bytes in
            let view = FrameView(base: try #require(bytes.baseAddress), size: size, stride: size.width * 3)
            func allocations() -> Int {
                movie_count_thread_allocations(true)
                let before = movie_allocations_of_thread()
                for tick in 0..<100 {
                    _ = sink.look(now: Nanoseconds(tick))
                    sink.publish(view, content: 0, time: Nanoseconds(tick))
                }
                let after = movie_allocations_of_thread()
                movie_count_thread_allocations(false)
                return Int(after - before)
            }
            _ = allocations()
            #expect(allocations() == 0)
        }
    }

    @Test(arguments: [false, true])
    func keepsTheFormatThatAReaderHolds(refuses: Bool) throws {
        port.held = held(.yuy2, size)
        port.hasReader = true
        port.refusesOtherFormats = refuses
        let sink = try sink(.i420)
        #expect(sink.format.pixels == .yuy2)
        #expect(sink.messages.first?.contains("keeps the format YUY2") == true)
    }

    @Test(arguments: [false, true])
    func refusesToBreakAReader(refuses: Bool) {
        port.held = held(.i420, FrameSize(width: 640, height: 480))
        port.hasReader = true
        port.refusesOtherFormats = refuses
        #expect(
            sentence { () throws(MediaError) in try sink() }
                == "the loopback device '/dev/video10' is held at 640x480 YU12 by a program that reads it, and 64x64 pictures "
                + "would break that one; end it (fuser -v /dev/video10 names it), or give --size as the device has it.")
        #expect(!port.isStreaming)
    }

    @Test func letsAKeptFormatGoThatNobodyReads() throws {
        port.held = held(.i420, FrameSize(width: 640, height: 480))
        port.keepsFormat = true
        let sink = try sink()
        #expect(sink.format.size == size && port.opened == 2)
        #expect(port.keepsFormat, "as it was before")
    }

    @Test func anotherWriter() {
        port.hasWriter = true
        #expect(
            sentence { () throws(MediaError) in try sink() }.hasPrefix(
                "another program already writes to the loopback device /dev/video10 (Loopback); "))
    }

    @Test func notALoopbackDevice() {
        port.driver = "uvcvideo"
        let text = sentence { () throws(MediaError) in try sink() }
        #expect(text.contains("driver uvcvideo) is no camera that programs write to"))
    }

    @Test func withoutExclusiveCapabilities() throws {
        port.isExclusive = false
        let message = try #require(try sink().messages.first)
        #expect(message.contains("Chrome") && message.contains("exclusive_caps=1"))
    }

    @Test func unknownReadersKeepTheCameraOn() throws {
        port.count = nil
        let sink = try sink()
        #expect(sink.messages.contains { $0.contains("stays on") })
        #expect(sink.look(now: 0) && sink.look(now: .seconds(100)))
    }

    @Test func aFailureIsToldOnce() throws {
        let sink = try sink()
        port.failure = SystemError(number: ENODEV)
        publish(1, to: sink)
        publish(1, to: sink)
        #expect(throws: MediaError("the loopback device '/dev/video10' takes no more pictures: No such device.")) {
            try sink.check()
        }
        try sink.check()
    }
}

struct ReaderWatchTests {
    private func watch(_ counts: [(seconds: Double, count: Int?)]) -> [Bool] {
        var watch = ReaderWatch()
        return counts.map { entry in
            watch.note(entry.count, now: Nanoseconds(entry.seconds * 1e9))
            return watch.isWatched
        }
    }

    @Test func sleepsAfterAWhileAndWakesAtOnce() {
        #expect(watch([(0, 0), (1, 0), (2, 0), (2.1, 1), (2.2, 0)]) == [true, true, false, true, true])
    }

    @Test func asksTwice() {
        #expect(watch([(0, 0), (5, 0)]) == [true, false])
        #expect(watch([(5, 0)]) == [true], "one answer is not enough")
        #expect(watch([(0, 0), (0.1, 0), (0.2, 0)]) == [true, true, true])
    }

    @Test func aReaderInBetweenBeginsItAnew() {
        #expect(watch([(0, 0), (1.9, 1), (2.1, 0), (3, 0), (4.2, 0)]) == [true, true, true, true, false])
    }

    @Test func nobodyKnows() { #expect(watch([(0, nil), (60, nil)]) == [true, true]) }
}
