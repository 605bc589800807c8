import CVideo
import Glibc
import Scheduling

/// What a loopback sink asks of its device; tests stand in for the kernel with one of their own.
protocol LoopbackPort: AnyObject {
    /// The device, as it says itself now.
    func identify() throws(SystemError) -> VideoDevice
    /// The format in which it is written.
    func format() throws(SystemError) -> movie_video_format
    /// Asks for a format; gives the one that the device will have.
    func setFormat(_ format: movie_video_format) throws(SystemError) -> movie_video_format
    /// Tells the rate; a device that wants no rate is none the worse.
    func setRate(_ rate: Framerate)
    /// A control's value; nil for one that it lacks.
    func control(_ name: String) -> Int?
    /// Sets a control that it has.
    func setControl(_ name: String, _ value: Int)
    /// Closes and opens it again, so that a format that nobody else holds is forgotten.
    func reopen() throws(SystemError)
    /// Asks for buffers; gives how many there are.
    func request(_ count: Int) throws(SystemError) -> Int
    /// A buffer's memory, its length in bytes, and its place.
    func map(_ index: Int) throws(SystemError) -> LoopbackBuffer
    /// Where a buffer lies now; nil when the device does not say.
    func place(of index: Int) -> UInt64?
    /// Begins to stream: from now on it is a camera for others.
    func start() throws(SystemError)
    /// Hands over a written buffer, with its time on the monotonic clock.
    func queue(_ index: Int, bytes: Int, time: Nanoseconds) throws(SystemError)
    /// How many programs read it, or have it or another loopback device open; nil when that cannot be known.
    func readers() -> Int?
}

/// A buffer that a device shares.
struct LoopbackBuffer {
    let memory: UnsafeMutableRawPointer
    let bytes: Int
    let place: UInt64
}

/// A device of the kernel, through libv4l2.
final class KernelPort: LoopbackPort {
    private let path: String
    private var device: Int32
    private var buffers: [LoopbackBuffer] = []
    private var census: ReaderCensus

    /// Opens the device at `path`. Throws the system's error.
    init(_ path: String) throws(SystemError) {
        self.path = path
        device = try SystemError.check(movie_video_open(path, 1))
        census = ReaderCensus(device)
    }

    deinit {
        forget()
        movie_video_close(device)
        census.end()
    }

    func identify() throws(SystemError) -> VideoDevice { try VideoDevice.read(path) }

    func format() throws(SystemError) -> movie_video_format {
        var format = movie_video_format()
        _ = try SystemError.check(movie_video_get_output(device, &format))
        return format
    }

    func setFormat(_ format: movie_video_format) throws(SystemError) -> movie_video_format {
        var format = format
        _ = try SystemError.check(movie_video_set_output(device, &format))
        return format
    }

    func setRate(_ rate: Framerate) {
        _ = movie_video_set_output_rate(device, UInt32(rate.numerator), UInt32(rate.denominator))
    }

    func control(_ name: String) -> Int? {
        var value: Int32 = 0
        return movie_video_get_control(device, name, &value) < 0 ? nil : Int(value)
    }

    func setControl(_ name: String, _ value: Int) { _ = movie_video_set_control(device, name, Int32(value)) }

    func reopen() throws(SystemError) {
        forget()
        movie_video_close(device)
        census.end()
        device = -1
        device = try SystemError.check(movie_video_open(path, 1))
        census = ReaderCensus(device)
    }

    func request(_ count: Int) throws(SystemError) -> Int {
        Int(try SystemError.check(movie_video_request(device, UInt32(count))))
    }

    func map(_ index: Int) throws(SystemError) -> LoopbackBuffer {
        var memory: UnsafeMutableRawPointer?
        var bytes: UInt64 = 0, place: UInt64 = 0
        _ = try SystemError.check(movie_video_map(device, UInt32(index), &memory, &bytes, &place))
        guard let memory else { throw SystemError(number: ENOMEM) }
        let buffer = LoopbackBuffer(memory: memory, bytes: Int(bytes), place: place)
        buffers.append(buffer)
        return buffer
    }

    func place(of index: Int) -> UInt64? {
        var place: UInt64 = 0
        return movie_video_offset(device, UInt32(index), &place) < 0 ? nil : place
    }

    func start() throws(SystemError) { _ = try SystemError.check(movie_video_start(device)) }

    func queue(_ index: Int, bytes: Int, time: Nanoseconds) throws(SystemError) {
        _ = try SystemError.check(movie_video_queue(device, UInt32(index), UInt32(bytes), Int64(time)))
    }

    func readers() -> Int? { census.count(now: MonotonicClock.nanoseconds) }

    private func forget() {
        for buffer in buffers { movie_video_unmap(buffer.memory, UInt64(buffer.bytes)) }
        buffers = []
    }
}
