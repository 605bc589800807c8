import CGst
import Frames

/// One decoded frame that an appsink handed out, with its caps and its place in time.
struct Sample: ~Copyable {
    private let raw: OpaquePointer

    /// Takes over a reference.
    init(owning raw: OpaquePointer) {
        self.raw = raw
    }

    deinit { gst_sample_unref(raw) }

    /// The pixels; alive as long as the sample.
    var buffer: UnsafeMutablePointer<GstBuffer>? { gst_sample_get_buffer(raw) }

    /// A reference to the sample's format.
    var caps: Caps? { gst_sample_get_caps(raw).map { Caps(owning: gst_caps_ref($0)) } }

    /// Whether the picture has this size in pixels.
    func has(_ size: FrameSize) -> Bool {
        guard let caps = gst_sample_get_caps(raw) else { return false }
        return cgst_caps_have_size(caps, gint(size.width), gint(size.height)) != 0
    }

    /// Nanoseconds after the start of playback at which the frame is due; nil when the stream does not say.
    var runningTime: GstClockTime? {
        guard let buffer, let segment = gst_sample_get_segment(raw) else { return nil }
        let time = gst_segment_to_running_time(segment, GST_FORMAT_TIME, cgst_buffer_pts(buffer))
        return time == .max ? nil : time
    }

    /// Nanoseconds the frame is shown; nil when the stream does not say.
    var duration: GstClockTime? {
        guard let buffer else { return nil }
        let duration = cgst_buffer_duration(buffer)
        return duration == .max ? nil : duration
    }
}
