import CGst
import CVideo
import Glibc
import LiveEditing
import Scheduling
import Synchronization

/// Takes pictures from a camera into the appsrc of a pipeline, on a thread of its own.
///
/// Not GStreamer's v4l2src: that one keeps the device open after it was stopped (seen with 1.22.0), and takes half a second
/// to start, where a camera that slept must be awake within that.
final class CameraCapture: @unchecked Sendable {
    private let writer: FrameWriter
    private let mode: VideoMode
    private let origin: Nanoseconds
    private var device: Int32 = -1
    private var thread: FrameThread?
    private var buffers: [LoopbackBuffer] = []
    private var pool: UnsafeMutablePointer<GstBufferPool>?
    private let isStopping = Atomic<Bool>(false)
    private let failure = Mutex<MediaError?>(nil)

    private static let wantedBuffers: UInt32 = 4
    private static let patience: Int32 = 100

    /// A capture in `mode` into `writer`, whose pipeline counts time from `origin`; not running yet.
    init(_ mode: VideoMode, into writer: FrameWriter, origin: Nanoseconds) {
        self.mode = mode
        self.writer = writer
        self.origin = origin
    }

    deinit { stop() }

    /// Whether a camera's pictures in this mode lie as `start` needs them. Leaves that mode set.
    static func canServe(_ path: String, _ mode: VideoMode) -> Bool {
        let device = movie_video_open(path, 0)
        guard device >= 0 else { return true }
        defer { movie_video_close(device) }
        return format(of: device, mode) != nil
    }

    /// Opens the camera at `path` and begins. Throws the system's error; EINVAL for one that does not stream in this mode.
    func start(_ path: String, rate: Framerate?) throws(SystemError) {
        stop()
        device = try SystemError.check(movie_video_open(path, 0))
        do throws(SystemError) {
            try prepare(rate: rate)
        } catch {
            release()
            throw error
        }
        isStopping.store(false, ordering: .relaxed)
        let thread = FrameThread(name: "movie-camera") { [unowned self] in run(path) }
        do throws(MediaError) {
            try thread.begin()
        } catch {
            release()
            throw SystemError(number: EAGAIN)
        }
        self.thread = thread
    }

    /// Closes the camera.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        thread?.join()
        thread = nil
        release()
    }

    /// Throws what ended it.
    func check() throws(MediaError) {
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func prepare(rate: Framerate?) throws(SystemError) {
        failure.withLock { $0 = nil }
        guard let format = Self.format(of: device, mode) else { throw SystemError(number: EINVAL) }
        if let rate {
            _ = movie_video_set_capture_rate(device, UInt32(rate.numerator), UInt32(rate.denominator))
        }
        let count = try SystemError.check(movie_video_request_capture(device, Self.wantedBuffers))
        for index in 0..<UInt32(count) {
            var memory: UnsafeMutableRawPointer?
            var bytes: UInt64 = 0
            _ = try SystemError.check(movie_video_map_capture(device, index, &memory, &bytes))
            guard let memory else { throw SystemError(number: ENOMEM) }
            buffers.append(LoopbackBuffer(memory: memory, bytes: Int(bytes), place: 0))
            _ = try SystemError.check(movie_video_return(device, index))
        }
        try makePool(bytes: Int(format.bytes))
        _ = try SystemError.check(movie_video_start_capture(device))
    }

    /// What the device makes of the mode; nil when that is another format, size or layout.
    private static func format(of device: Int32, _ mode: VideoMode) -> movie_video_format? {
        let wanted = LoopbackFormat.letters(mode.format.padding(to: 4))
        var format = movie_video_format()
        format.fourcc = wanted
        format.width = UInt32(mode.size.width)
        format.height = UInt32(mode.size.height)
        // A device that somebody streams from refuses; that is not the layout's fault.
        let result = movie_video_set_capture(device, &format)
        guard result >= 0 else { return result == -EBUSY ? format : nil }
        let isAsked = format.fourcc == wanted && format.width == mode.size.width && format.height == mode.size.height
        return isAsked && isDense(format, mode) ? format : nil
    }

    /// Whether rows follow each other without padding, as the pipeline takes them to.
    private static func isDense(_ format: movie_video_format, _ mode: VideoMode) -> Bool {
        if mode.isCompressed { return true }
        guard mode.size.width.isMultiple(of: 4), mode.size.height.isMultiple(of: 2) else { return false }
        let packed = ["YUYV": 2, "UYVY": 2, "YVYU": 2, "RGB3": 3, "BGR3": 3][mode.format] ?? 1
        return Int(format.stride) == mode.size.width * packed
    }

    private func makePool(bytes: Int) throws(SystemError) {
        guard let pool = gst_buffer_pool_new() else { throw SystemError(number: ENOMEM) }
        self.pool = pool
        let config = gst_buffer_pool_get_config(pool)
        gst_buffer_pool_config_set_params(config, nil, guint(max(1, bytes)), 2, 0)
        guard gst_buffer_pool_set_config(pool, config) != 0, gst_buffer_pool_set_active(pool, 1) != 0 else {
            throw SystemError(number: ENOMEM)
        }
    }

    private func run(_ path: String) {
        var index: UInt32 = 0, bytes: UInt32 = 0, time: Int64 = 0
        while !isStopping.load(ordering: .relaxed) {
            let taken = movie_video_take(device, Self.patience, &index, &bytes, &time)
            if taken < 0 { return fail("the camera '\(path)' is gone: \(systemReason(-taken)).") }
            guard taken == 1, Int(index) < buffers.count else { continue }
            let now = MonotonicClock.nanoseconds
            if bytes > 0 { pass(Int(index), Int(bytes), captured: time > 0 ? Nanoseconds(time) : now) }
            if movie_video_return(device, index) < 0 { return fail("the camera '\(path)' takes no buffers any more.") }
        }
    }

    private func pass(_ index: Int, _ bytes: Int, captured: Nanoseconds) {
        var buffer: UnsafeMutablePointer<GstBuffer>?
        guard gst_buffer_pool_acquire_buffer(pool, &buffer, nil) == GST_FLOW_OK, let buffer else { return }
        let count = min(bytes, buffers[index].bytes)
        guard gst_buffer_fill(buffer, 0, buffers[index].memory, gsize(count)) == gsize(count) else {
            gst_buffer_unref(buffer)
            return
        }
        if mode.isCompressed { gst_buffer_set_size(buffer, gssize(count)) }
        cgst_buffer_set_timing(buffer, GstClockTime(max(0, captured - origin)), .max)
        _ = writer.push(buffer)
    }

    private func fail(_ text: String) { failure.withLock { $0 = MediaError(text) } }

    private func release() {
        if device >= 0 { _ = movie_video_stop_capture(device) }
        for buffer in buffers { movie_video_unmap(buffer.memory, UInt64(buffer.bytes)) }
        buffers = []
        if device >= 0 { movie_video_close(device) }
        device = -1
        if let pool {
            gst_buffer_pool_set_active(pool, 0)
            gst_object_unref(pool)
        }
        pool = nil
    }
}

extension String {
    /// This text with spaces behind it.
    fileprivate func padding(to length: Int) -> String { self + String(repeating: " ", count: max(0, length - count)) }
}
