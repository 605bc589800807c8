import CGst
import Scheduling

/// Takes the output's frames into a pipeline; a slow receiver loses the oldest, it never makes anybody wait. Loopback
/// devices have a sink of their own.
final class LiveSink: @unchecked Sendable {
    private let pipeline: Pipeline
    private let writer: FrameWriter
    private let file: OutputFile?
    private let isCamera: Bool
    /// What it was made from.
    let spec: SinkSpec
    /// Frames that it was too slow for.
    private(set) var lost = 0

    private static let patience: GstClockTime = 100_000_000

    /// A sink as `spec` says for frames in the format `caps`, whose timestamps count from `origin` of the monotonic clock.
    ///
    /// Throws when the device, file or fragment cannot be opened.
    init(_ spec: SinkSpec, caps: Caps, origin: Nanoseconds) throws(MediaError) {
        let file = try Self.open(spec)
        self.file = file
        if case .pipewire = spec { isCamera = true } else { isCamera = false }
        self.spec = spec
        let capacity = file == nil ? 2 : 30
        let period = caps.framerate.map { $0.time(ofFrame: 1) } ?? 0
        let text = try [Self.head(capacity, period: period), "videoconvert", Self.tail(spec)].joined(separator: " ! ")
        pipeline = try Pipeline(text, subject: "the sink '\(spec)' fails")
        if let file { cgst_set_string(try pipeline.element("movied_file"), "location", file.temporaryPath) }
        writer = try FrameWriter(pipeline, name: "movied_frames", capacity: capacity)
        writer.setFormat(caps)
        pipeline.useSystemClock(from: origin)
        try pipeline.set(GST_STATE_PLAYING)
    }

    /// Throws what can be known to be wrong with a sink before there is a frame.
    static func check(_ spec: SinkSpec) throws(MediaError) {
        switch spec {
        case .loopback(let loopback): try LoopbackSink.check(loopback.device)
        case .pipewire: try GStreamer.require(["pipewiresink"])
        case .record(let files):
            try GStreamer.require(OutputFormat(path: files.name(1)).elements)
            _ = try OutputFile(path: files.next())
        case .snapshot(let files):
            try GStreamer.require(["jpegenc", "pngenc"])
            _ = try OutputFile(path: files.next())
        case .file(let path):
            try GStreamer.require(OutputFormat(path: path).elements)
            _ = try OutputFile(path: path)
        case .gst(let fragment):
            let text = [head(1), "videoconvert", fragment].joined(separator: " ! ")
            _ = try Pipeline(text, subject: "the sink '\(spec)' fails")
        }
    }

    /// Hands over a buffer and its reference; false when the sink takes no more.
    func publish(_ buffer: UnsafeMutablePointer<GstBuffer>) -> Bool {
        // A PipeWire camera takes no frames before its first reader comes.
        if writer.isFull, !isCamera { lost += 1 }
        return writer.push(buffer)
    }

    /// The first frame that comes will have this timestamp: a recording begins at 0.
    func begin(at timestamp: Nanoseconds) { writer.shift(by: -timestamp) }

    /// Throws the sink's error, if it has reported one.
    func check() throws(MediaError) { try pipeline.check() }

    /// Ends the stream, waits at most `seconds` for the sink to be whole, and gives a file its name.
    func finish() throws(MediaError) {
        let seconds = file == nil ? 1.0 : 10
        writer.finish()
        let deadline = MonotonicClock.seconds + seconds
        while MonotonicClock.seconds < deadline {
            switch pipeline.nextEvent(timeout: Self.patience) {
            case .failure(let error): throw error
            case .endOfStream:
                pipeline.stop()
                try file?.commit()
                return
            case nil: break
            }
        }
        if file != nil { throw MediaError("the output file did not come to an end within \(Int(seconds)) seconds.") }
    }

    /// A recording may fall behind for a second; anything else gets only the newest. Ticks lie up to half a period from
    /// their timestamps: a sink that shows frames at theirs waits for that long.
    private static func head(_ capacity: Int, period: Int = 0) -> String {
        "appsrc name=movied_frames is-live=true format=time block=false max-buffers=\(capacity) max-bytes=0 max-time=0 "
            + "leaky-type=downstream min-latency=\(max(20_000_000, period / 2 + 5_000_000))"
    }

    private static func open(_ spec: SinkSpec) throws(MediaError) -> OutputFile? {
        switch spec {
        case .pipewire:
            try GStreamer.require(["pipewiresink"])
            return nil
        case .file(let path):
            try GStreamer.require(OutputFormat(path: path).elements)
            return try OutputFile(path: path)
        case .gst, .loopback, .record, .snapshot:
            return nil
        }
    }

    private static func tail(_ spec: SinkSpec) throws(MediaError) -> String {
        switch spec {
        case .pipewire(let name):
            let properties =
                "props,media.class=Video/Source,media.role=Camera,node.name=\"\(name)\",node.description=\"\(name)\""
            // Buffers that the sink lends out before it has a reader crash it (seen with 0.3.65): let frames be copied.
            return "video/x-raw,format=I420 ! identity drop-allocation=true ! pipewiresink mode=provide sync=false "
                + "stream-properties=\(quoted(properties))"
        case .file(let path):
            let format = try OutputFormat(path: path)
            return "video/x-raw,format=I420 ! \(format.encoding(isLive: true)) ! \(format.muxer) "
                + "! filesink name=movied_file"
        case .gst(let fragment):
            return fragment
        case .loopback, .record, .snapshot:
            throw MediaError("the sink '\(spec)' is no pipeline.")
        }
    }

    /// A value of gst-launch text that has quotes and spaces in it.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text {
            if character == "\"" || character == "\\" { result.append("\\") }
            result.append(character)
        }
        return result + "\""
    }
}
