import CGst
import Frames

/// Decodes a video file into upright, progressive RGB frames; nothing is dropped.
final class FileDecoder {
    let pipeline: Pipeline
    let reader: FrameReader
    private let subject: String

    private static let sinkName = "movied_frames"
    private static let slice: GstClockTime = 100_000_000

    /// A decoder of the file at `path`, whose frames are scaled to `size` if one is given.
    init(path: String, layout: (orientation: Int, isInterlaced: Bool), size: FrameSize?) throws(MediaError) {
        subject = "'\(path)' cannot be decoded"
        var stages = ["filesrc name=movied_file", Self.decode, Self.queue]
        if layout.isInterlaced { stages += ["videoconvert", "deinterlace mode=interlaced fields=top"] }
        if layout.orientation != 0 { stages += ["videoconvert", "videoflip name=movied_flip"] }
        stages += ["videoconvertscale add-borders=false", Self.format(size)]
        stages += ["appsink name=\(Self.sinkName) sync=false enable-last-sample=false max-buffers=4"]
        try GStreamer.require(["filesrc", "decodebin", "videoconvertscale"])
        pipeline = try Pipeline(stages.joined(separator: " ! "), subject: subject)
        cgst_set_string(try pipeline.element("movied_file"), "location", path)
        if layout.orientation != 0 {
            cgst_set_int(try pipeline.element("movied_flip"), "video-direction", gint(layout.orientation))
        }
        reader = try FrameReader(pipeline, name: Self.sinkName)
    }

    private static let decode = #"decodebin expose-all-streams=false caps="video/x-raw(ANY)""#
    private static let queue = "queue max-size-buffers=4 max-size-bytes=0 max-size-time=0"

    private static func format(_ size: FrameSize?) -> String {
        guard let size else { return "video/x-raw,format=RGB" }
        return "video/x-raw,format=RGB,width=\(size.width),height=\(size.height)"
    }

    /// The format of the first frame, waited for at most `seconds`; nil when there is none.
    ///
    /// Throws the decoder's error, or one that says that nothing came in time.
    func firstFormat(seconds: Double) throws(MediaError) -> Caps? {
        try pipeline.set(GST_STATE_PAUSED)
        let begin = MonotonicClock.seconds
        while MonotonicClock.seconds < begin + seconds {
            if let sample = reader.first(timeout: Self.slice) { return sample.caps }
            try pipeline.check()
            if reader.isAtEnd { return nil }
            if MonotonicClock.seconds > begin + 0.5, pipeline.hasIdleDemuxer { return nil }
        }
        throw MediaError("\(subject): no frame came within \(Int(seconds)) seconds; the file may be damaged.")
    }

    /// The next frame; nil at the end, when `isCancelled`, or when the decoder fails, which throws.
    ///
    /// Throws as well when nothing comes for `seconds`.
    func nextFrame(seconds: Double, isCancelled: () -> Bool) throws(MediaError) -> Sample? {
        let deadline = MonotonicClock.seconds + seconds
        while !isCancelled() {
            if let sample = reader.next(timeout: Self.slice) { return sample }
            try pipeline.check()
            if reader.isAtEnd { return nil }
            if MonotonicClock.seconds > deadline {
                throw MediaError("\(subject): no frame came for \(Int(seconds)) seconds; the file may be damaged.")
            }
        }
        return nil
    }
}
