import CGst

/// The frames that go into a pipeline's appsrc, which holds at most `capacity` of them.
struct FrameWriter {
    private let source: UnsafeMutablePointer<GstAppSrc>
    private let capacity: Int

    /// Writes to the appsrc of this name; the pipeline must outlive the writer.
    init(_ pipeline: Pipeline, name: String, capacity: Int) throws(MediaError) {
        source = cgst_app_src(try pipeline.element(name))
        self.capacity = capacity
    }

    /// Announces the format of the frames.
    func setFormat(_ caps: Caps) {
        caps.withRaw { gst_app_src_set_caps(source, $0) }
    }

    /// From now on timestamps count as this much later, in nanoseconds.
    func shift(by time: Int64) {
        guard let pad = gst_element_get_static_pad(cgst_app_src_element(source), "src") else { return }
        gst_pad_set_offset(pad, gint64(time))
        gst_object_unref(pad)
    }

    /// Whether a frame pushed now would find no room.
    var isFull: Bool { Int(gst_app_src_get_current_level_buffers(source)) >= capacity }

    /// Hands over a buffer and its reference; false when the pipeline takes no more.
    func push(_ buffer: UnsafeMutablePointer<GstBuffer>) -> Bool {
        gst_app_src_push_buffer(source, buffer) == GST_FLOW_OK
    }

    /// Says that no frame will follow.
    func finish() {
        gst_app_src_end_of_stream(source)
    }
}
