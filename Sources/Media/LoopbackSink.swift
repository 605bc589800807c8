import Frames
import Glibc
import Scheduling
import Synchronization

/// Writes published pictures to a loopback device, in one format for life.
///
/// Pictures are converted straight into memory that the device shares; nothing waits. The device streams from `init` on, so
/// that a program that opens it afterwards finds a camera.
final class LoopbackSink: @unchecked Sendable {
    /// Who the sink is, for messages.
    let spec: LoopbackSpec
    /// The format that the device has.
    let format: LoopbackFormat
    /// What a person should know about the device.
    let messages: [String]

    private let port: any LoopbackPort
    private let layout: FrameLayout
    private let buffers: [LoopbackBuffer]
    /// Which picture each buffer holds; 0 for none worth knowing.
    private var contents: [Int]
    private var usable: Int
    private var next = 0
    private var watch = ReaderWatch()
    private let watched = Atomic<Bool>(true)
    private let failure = Mutex<MediaError?>(nil)

    /// How many buffers are asked for: with more than two, a reader has longer before its picture is written over.
    private static let wantedBuffers = 4

    /// A sink for pictures of `size`. Throws a sentence for a device that cannot be opened, is not a loopback device, has
    /// another writer, or is held in another size by a reader.
    convenience init(_ spec: LoopbackSpec, size: FrameSize, framerate: Framerate) throws(MediaError) {
        try self.init(spec, size: size, framerate: framerate, port: try Self.open(spec.device))
    }

    /// As above, on a device that is open.
    init(_ spec: LoopbackSpec, size: FrameSize, framerate: Framerate, port: any LoopbackPort) throws(MediaError) {
        self.spec = spec
        self.port = port
        let negotiation = LoopbackNegotiation(port, device: spec.device)
        format = try negotiation.settle(size: size, asked: spec.format)
        layout = FrameLayout(size: size, format: format.pixels)
        do throws(SystemError) {
            port.setRate(framerate)
            buffers = try Self.take(port)
            try port.start()
        } catch {
            throw MediaError(DeviceHelp.refusal(spec.device, error.number, user: DeviceHelp.user) + ".")
        }
        guard let least = buffers.map(\.bytes).min(), least >= format.bytes else {
            throw MediaError("the loopback device '\(spec.device)' shares no memory for pictures of \(size).")
        }
        contents = buffers.map { _ in 0 }
        usable = buffers.count
        messages = negotiation.messages(format: format, asked: spec.format)
        showFirst()
    }

    /// Throws what can be known to be wrong with a device before there is a frame.
    static func check(_ path: String) throws(MediaError) {
        guard VideoDevice.exists(path) else { throw MediaError(DeviceHelp.noLoopback(path, .here())) }
        guard access(path, R_OK | W_OK) != 0 else { return }
        throw MediaError(DeviceHelp.refusal(path, errno, user: DeviceHelp.user) + ".")
    }

    /// Whether it can be known whether anybody reads the device.
    var knowsReaders: Bool { port.readers() != nil }

    /// Whether anybody watches, as far as is known.
    var isWatched: Bool { watched.load(ordering: .relaxed) }

    /// Asks who reads, now and then. Returns whether anybody watches.
    func look(now: Nanoseconds) -> Bool {
        watch.note(port.readers(), now: now)
        watched.store(watch.isWatched, ordering: .relaxed)
        return watch.isWatched
    }

    /// Publishes an RGB picture of the sink's size; `time` is on the monotonic clock, later than the last one. `content`
    /// says that it is the same as others with this number, which spares converting it again; 0 for any. Allocates nothing.
    func publish(_ picture: FrameView, content: Int, time: Nanoseconds) {
        adoptCount()
        let buffer = buffers[next]
        if content == 0 || contents[next] != content {
            let target = format.picture(at: buffer.memory, layout)
            target.writeRGB(
                rows: 0..<picture.size.height, from: picture.base.assumingMemoryBound(to: UInt8.self),
                stride: picture.stride)
            contents[next] = content
        }
        do throws(SystemError) {
            try port.queue(next, bytes: format.bytes, time: time)
        } catch {
            note(error)
        }
        next = (next + 1) % usable
    }

    /// Throws what went wrong since the last time.
    func check() throws(MediaError) {
        let error = failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
        if let error { throw error }
    }

    /// A reader of old versions that asks for fewer buffers shrinks everybody's ring: what is written elsewhere then is
    /// never seen.
    private func adoptCount() {
        guard next > 0, let place = port.place(of: next), place != buffers[next].place else { return }
        usable = 1
        while usable < buffers.count, port.place(of: usable) == buffers[usable].place { usable += 1 }
        next = 0
    }

    /// Readers find a picture from the first moment on.
    private func showFirst() {
        let stride = format.size.width * 3, bytes = stride * format.size.height
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        defer { memory.deallocate() }
        let picture = MutableFrameView(base: memory, size: format.size, stride: stride)
        Placeholder.draw(into: picture)
        publish(picture.readable, content: 0, time: MonotonicClock.nanoseconds)
    }

    private func note(_ error: SystemError) {
        let text = "the loopback device '\(spec.device)' takes no more pictures: \(error.reason)."
        failure.withLock { $0 = $0 ?? MediaError(text) }
    }

    private static func take(_ port: any LoopbackPort) throws(SystemError) -> [LoopbackBuffer] {
        let count = try port.request(wantedBuffers)
        var buffers: [LoopbackBuffer] = []
        for index in 0..<count { buffers.append(try port.map(index)) }
        return buffers
    }

    private static func open(_ path: String) throws(MediaError) -> KernelPort {
        do throws(SystemError) {
            return try KernelPort(path)
        } catch {
            throw MediaError(DeviceHelp.refusal(path, error.number, user: DeviceHelp.user) + ".")
        }
    }
}
