import CGst
import Frames

/// Encodes RGB frames into a video file, beside the sound of another file.
final class FileEncoder {
    private let pipeline: Pipeline
    private let writer: FrameWriter
    private let file: OutputFile
    private let packets: ArrivalCounter
    private var frames = 0

    private static let capacity = 4
    private static let slice: GstClockTime = 5_000_000

    /// Where the sound comes from.
    struct Sound {
        /// The file that holds it.
        let path: String
        /// Its format as GStreamer writes caps; nil when there is none.
        let format: String?
    }

    /// An encoder of frames in the format `caps`, writing to `file`.
    init(
        _ format: OutputFormat, file: OutputFile, name: String, caps: Caps, sound: Sound?
    ) throws(MediaError) {
        try GStreamer.require(format.elements)
        let plan = try AudioPlan(audio: sound?.format, output: format)
        let text = Self.video(format) + (try plan.branch(audio: sound?.format))
        pipeline = try Pipeline(text, subject: "'\(name)' cannot be written")
        self.file = file
        writer = try FrameWriter(pipeline, name: "movied_frames", capacity: Self.capacity)
        cgst_set_string(try pipeline.element("movied_file"), "location", file.temporaryPath)
        if let sound, plan != .none {
            cgst_set_string(try pipeline.element("movied_sound"), "location", sound.path)
        }
        packets = ArrivalCounter(element: try pipeline.element("movied_packets"))
        writer.setFormat(caps)
        try pipeline.set(GST_STATE_PLAYING)
    }

    private static func video(_ format: OutputFormat) -> String {
        [
            "appsrc name=movied_frames format=time block=false max-buffers=\(capacity) max-bytes=0 max-time=0",
            "videoconvert", "video/x-raw,format=I420",
            "queue max-size-buffers=\(capacity) max-size-bytes=0 max-size-time=0",
            format.encoding(isLive: false), "identity name=movied_packets",
            "\(format.muxer) name=movied_mux",
            "filesink name=movied_file",
        ].joined(separator: " ! ")
    }

    /// Hands over a frame and its reference, waiting while the encoder is behind; false when cancelled meanwhile.
    ///
    /// Throws the encoder's error, or one that says that it has made no room for `seconds`.
    func write(
        _ buffer: UnsafeMutablePointer<GstBuffer>, seconds: Double, isCancelled: () -> Bool
    ) throws(MediaError) -> Bool {
        do {
            guard try waitForRoom(seconds: seconds, isCancelled: isCancelled) else {
                gst_buffer_unref(buffer)
                return false
            }
        } catch {
            gst_buffer_unref(buffer)
            throw error
        }
        guard writer.push(buffer) else {
            try pipeline.check()
            throw MediaError("the encoder stopped taking frames.")
        }
        frames += 1
        return true
    }

    private func waitForRoom(seconds: Double, isCancelled: () -> Bool) throws(MediaError) -> Bool {
        try pipeline.check()
        let deadline = MonotonicClock.seconds + seconds
        while writer.isFull {
            if isCancelled() { return false }
            if case .failure(let error)? = pipeline.nextEvent(timeout: Self.slice) { throw error }
            if MonotonicClock.seconds > deadline {
                throw MediaError("the encoder took no frame for \(Int(seconds)) seconds; the sound may be damaged.")
            }
        }
        return true
    }

    /// Writes what is left, makes the file whole and gives it its name; false when cancelled meanwhile.
    ///
    /// Throws when the disk is full, or when the file has not grown for `seconds`.
    func finish(seconds: Double, isCancelled: () -> Bool) throws(MediaError) -> Bool {
        writer.finish()
        var bytes = file.bytes
        var deadline = MonotonicClock.seconds + seconds
        while !isCancelled() {
            switch pipeline.nextEvent(timeout: 10 * Self.slice) {
            case .failure(let error): throw error
            case .endOfStream:
                pipeline.stop()
                try checkCount()
                try file.commit()
                return true
            case nil: break
            }
            if file.bytes > bytes {
                bytes = file.bytes
                deadline = MonotonicClock.seconds + seconds
            }
            if MonotonicClock.seconds > deadline {
                throw MediaError("the output did not come to an end within \(Int(seconds)) seconds.")
            }
        }
        return false
    }

    private func checkCount() throws(MediaError) {
        if packets.count != frames {
            throw MediaError("the encoder made \(packets.count) pictures of \(frames) frames; choose another format.")
        }
    }
}
