import CGst
import Frames
import Scheduling
import Synchronization

/// The sinks of one stream: each gets every published frame, and none can slow another or the clock.
final class LiveOutput: @unchecked Sendable {
    private let pool: FramePool
    private var info: GstVideoInfo
    private let duration: GstClockTime
    private let origin: Nanoseconds
    private let sinks: Mutex<[LiveSink]>
    private let cameras: Mutex<[LoopbackSink]>
    private let caps: Caps
    private let snapshot = Snapshot()
    private let pictures: [FileSequence]
    private let recordings: [FileSequence]
    /// The sinks that write recordings now.
    private let recorders = Mutex<[LiveSink]>([])
    private let lastTimestamp = Atomic<Int64>(0)
    /// What a person should know about the sinks.
    let messages: [String]

    /// Opens a loopback device; tests have devices of their own.
    typealias LoopbackOpener = (LoopbackSpec, FrameSize, Framerate) throws(MediaError) -> LoopbackSink

    /// Opens all sinks for frames of `size` at `framerate`; timestamps count from `origin` of the monotonic clock.
    init(
        _ specs: [SinkSpec], size: FrameSize, framerate: Framerate, origin: Nanoseconds,
        open: LoopbackOpener = { (spec, size, rate) throws(MediaError) in
            try EarlyOutputs.take(spec, size: size, framerate: rate)
        }
    ) throws(MediaError) {
        let caps = try Caps(
            "video/x-raw,format=RGB,width=\(size.width),height=\(size.height),framerate=(fraction)\(framerate),"
                + "pixel-aspect-ratio=1/1")
        info = try Self.layout(caps)
        pool = try FramePool(caps: caps, info: info)
        duration = GstClockTime(framerate.time(ofFrame: 1))
        self.origin = origin
        self.caps = caps
        pictures = specs.compactMap { if case .snapshot(let files) = $0 { files } else { nil } }
        recordings = specs.compactMap { if case .record(let files) = $0 { files } else { nil } }
        var all: [LiveSink] = [], cameras: [LoopbackSink] = []
        for spec in specs where spec.isSteady {
            if case .loopback(let loopback) = spec {
                cameras.append(try open(loopback, size, framerate))
            } else {
                all.append(try LiveSink(spec, caps: caps, origin: origin))
            }
        }
        messages = cameras.flatMap(\.messages)
        sinks = Mutex(all)
        self.cameras = Mutex(cameras)
    }

    /// How RGB pictures of `size` lie in a source's buffers.
    static func layout(_ caps: Caps) throws(MediaError) -> GstVideoInfo {
        var info = GstVideoInfo()
        guard caps.withRaw({ gst_video_info_from_caps(&info, $0) }) != 0 else {
            throw MediaError("the format \(caps.text) is not a picture.")
        }
        return info
    }

    /// Hands the picture to all sinks. `content` says that it is the same as others with this number, 0 that it may be any.
    /// Throws when there is no memory for it.
    func publish(_ picture: FrameView, content: Int = 0, timestamp: Nanoseconds) throws(MediaError) {
        // Readers that compare with their clock must not find a frame from the future: a tick may come half a period early.
        let time = origin + timestamp - Nanoseconds(duration / 2)
        cameras.withLock { cameras in
            for index in cameras.indices { cameras[index].publish(picture, content: content, time: time) }
        }
        lastTimestamp.store(Int64(timestamp), ordering: .relaxed)
        guard snapshot.isWanted || sinks.withLock({ !$0.isEmpty }) else { return }
        let buffer = try pool.acquire()
        defer { gst_buffer_unref(buffer) }
        try copy(picture, into: buffer)
        cgst_buffer_set_timing(buffer, GstClockTime(timestamp), duration)
        snapshot.offer(buffer)
        sinks.withLock { sinks in
            for index in sinks.indices { _ = sinks[index].publish(gst_buffer_ref(buffer)) }
        }
    }

    /// Whether anybody watches. Files and pipelines, PipeWire's too, always count as watched: nobody can tell.
    func look(now: Nanoseconds) -> Bool {
        var isWatched = sinks.withLock { !$0.isEmpty }
        cameras.withLock { cameras in
            for index in cameras.indices where cameras[index].look(now: now) { isWatched = true }
        }
        return isWatched
    }

    /// Frames that sinks were too slow for, all together.
    var lost: Int { sinks.withLock { $0.reduce(0) { $0 + $1.lost } } }

    /// Does what a person asks. Returns what to tell them.
    func handle(_ command: LiveCommand) -> [String] {
        switch command {
        case .snapshot:
            if pictures.isEmpty { return ["a snapshot was asked for, but there is no snapshot: sink"] }
            snapshot.ask()
            return []
        case .record:
            if recordings.isEmpty { return ["a recording was asked for, but there is no record: sink"] }
            return recorders.withLock({ $0.isEmpty }) ? beginRecording() : endRecording()
        }
    }

    /// Writes a snapshot whose picture has come. Returns what to tell a person.
    func writeSnapshot() -> [String] {
        let paths = pictures.map { $0.next() }
        do throws(MediaError) {
            return try snapshot.write(to: paths, caps: caps) ? paths.map { "wrote the snapshot '\($0)'" } : []
        } catch {
            return [error.message]
        }
    }

    private func beginRecording() -> [String] {
        recordings.map { files in
            let path = files.next()
            do throws(MediaError) {
                let sink = try LiveSink(.file(path: path), caps: caps, origin: origin)
                sink.begin(at: Nanoseconds(lastTimestamp.load(ordering: .relaxed)))
                recorders.withLock { $0.append(sink) }
                sinks.withLock { $0.append(sink) }
                return "recording into '\(path)'"
            } catch {
                return error.message
            }
        }
    }

    private func endRecording() -> [String] {
        let ending = recorders.withLock { recorders in
            defer { recorders = [] }
            return recorders
        }
        return ending.map { sink in
            sinks.withLock { $0.removeAll { $0 === sink } }
            do throws(MediaError) {
                try sink.finish()
                return "the recording '\(sink.spec)' is whole"
            } catch {
                return error.message
            }
        }
    }

    /// Takes failed sinks out and returns their errors; throws when it was the last one.
    func check() throws(MediaError) -> [MediaError] {
        var errors: [MediaError] = []
        for sink in sinks.withLock({ $0 }) {
            do throws(MediaError) {
                try sink.check()
            } catch {
                errors.append(error)
                sinks.withLock { $0.removeAll { $0 === sink } }
                recorders.withLock { $0.removeAll { $0 === sink } }
            }
        }
        for camera in cameras.withLock({ $0 }) {
            do throws(MediaError) {
                try camera.check()
            } catch {
                errors.append(error)
                cameras.withLock { $0.removeAll { $0 === camera } }
            }
        }
        if let last = errors.last, sinks.withLock({ $0.isEmpty }), cameras.withLock({ $0.isEmpty }) { throw last }
        return errors
    }

    /// Ends all sinks and waits until they are whole; throws the first error after all have ended.
    func finish() throws(MediaError) {
        cameras.withLock { $0.removeAll() }
        var failure: MediaError?
        for sink in sinks.withLock({ $0 }) {
            do throws(MediaError) {
                try sink.finish()
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private func copy(_ picture: FrameView, into buffer: UnsafeMutablePointer<GstBuffer>) throws(MediaError) {
        let frame = try MappedFrame(buffer, info: &info, flags: GST_MAP_WRITE)
        let target = try frame.mutableView()
        let bytes = picture.size.width * picture.format.bytesPerPixel
        for row in 0..<picture.size.height {
            (target.base + row * target.stride).copyMemory(
                from: picture.base + row * picture.stride, byteCount: bytes)
        }
    }
}
