import CVideo
import Frames
import Glibc
import Scheduling

@testable import Media

/// A loopback device without a kernel: it behaves as v4l2loopback 0.12 with exclusive_caps=1 does.
final class FakePort: LoopbackPort {
    struct Queued: Equatable {
        var index: Int
        var bytes: Int
        var time: Nanoseconds
    }

    var driver = "v4l2 loopback"
    var isExclusive = true
    var hasWriter = false
    /// A format that a reader, or `keep_format`, holds.
    var held: movie_video_format?
    var keepsFormat = false
    /// A reader holds the format: opening the device again does not help.
    var hasReader = false
    /// Newer versions refuse another format instead of answering with what they have.
    var refusesOtherFormats = false
    var count: Int? = 0
    var bufferCount = 4
    var usedBuffers = 4
    var failure: SystemError?
    private(set) var isStreaming = false
    private(set) var queued: [Queued] = []
    private(set) var opened = 1
    private(set) var rate: Framerate?
    private var current = movie_video_format()
    private var memory: [UnsafeMutableRawPointer] = []

    init() { queued.reserveCapacity(10_000) }

    deinit { memory.forEach { $0.deallocate() } }

    func identify() -> VideoDevice {
        let isReady = isStreaming || held != nil || hasWriter
        let hasOwner = isStreaming || hasWriter || (keepsFormat && held != nil)
        return VideoDevice(
            path: "/dev/video10", name: "Loopback", driver: driver, bus: "platform:v4l2loopback-000",
            id: "platform:v4l2loopback-000", isCamera: !isExclusive || isReady, saysOutput: !isExclusive || !hasOwner)
    }

    func format() -> movie_video_format { held ?? current }

    func setFormat(_ format: movie_video_format) throws(SystemError) -> movie_video_format {
        guard let held else {
            current = format
            return format
        }
        if refusesOtherFormats, held.fourcc != format.fourcc || held.width != format.width {
            throw SystemError(number: EBUSY)
        }
        current = held
        return held
    }

    func setRate(_ rate: Framerate) { self.rate = rate }

    func control(_ name: String) -> Int? { name == "keep_format" ? (keepsFormat ? 1 : 0) : nil }

    func setControl(_ name: String, _ value: Int) { if name == "keep_format" { keepsFormat = value == 1 } }

    func reopen() {
        opened += 1
        if !keepsFormat, !hasReader { held = nil }
    }

    func request(_ count: Int) -> Int { min(count, bufferCount) }

    func map(_ index: Int) -> LoopbackBuffer {
        let bytes = max(4096, Int(current.bytes))
        let base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        memory.append(base)
        return LoopbackBuffer(memory: base, bytes: bytes, place: UInt64(index * 65536))
    }

    func place(of index: Int) -> UInt64? { UInt64(index % usedBuffers * 65536) }

    func start() throws(SystemError) {
        if let failure { throw failure }
        isStreaming = true
    }

    func queue(_ index: Int, bytes: Int, time: Nanoseconds) throws(SystemError) {
        if let failure { throw failure }
        queued.append(Queued(index: index, bytes: bytes, time: time))
    }

    func readers() -> Int? { count }

    /// What the buffer holds that was queued last.
    var picture: [UInt8] {
        guard let last = queued.last else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: memory[last.index], count: last.bytes))
    }
}
