import CGst
import Scheduling

/// The way in for frames that a program makes itself: tests and benchmarks that need a source which stalls, bursts or
/// jumps at their command.
public final class FrameInlet: @unchecked Sendable {
    /// The name that the fragment's appsrc must have.
    static let name = "movied_inlet"

    private let element: UnsafeMutablePointer<GstElement>

    init(_ element: UnsafeMutablePointer<GstElement>) {
        self.element = element
        gst_object_ref(element)
    }

    deinit { gst_object_unref(element) }

    /// Puts a frame of `bytes` bytes that all have one value in, with this timestamp in nanoseconds, whatever came before.
    public func push(bytes: Int, value: UInt8, timestamp: Nanoseconds) {
        guard let buffer = gst_buffer_new_allocate(nil, gsize(max(0, bytes)), nil) else { return }
        gst_buffer_memset(buffer, 0, value, gsize(max(0, bytes)))
        cgst_buffer_set_timing(buffer, GstClockTime(max(0, timestamp)), .max)
        gst_app_src_push_buffer(cgst_app_src(element), buffer)
    }
}
