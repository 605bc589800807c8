import CGst

/// A few buffers for edited pictures that go round and round, so that no frame allocates.
final class FramePool {
    private let pool: UnsafeMutablePointer<GstBufferPool>

    /// A pool of pictures in the format of `caps`.
    init(caps: Caps, info: GstVideoInfo) throws(MediaError) {
        var info = info
        pool = gst_video_buffer_pool_new()
        let config = gst_buffer_pool_get_config(pool)
        let bytes = guint(cgst_video_info_bytes(&info))
        caps.withRaw { gst_buffer_pool_config_set_params(config, $0, bytes, 2, 0) }
        let ready = gst_buffer_pool_set_config(pool, config) != 0 && gst_buffer_pool_set_active(pool, 1) != 0
        guard ready else {
            gst_object_unref(pool)
            throw MediaError("no memory for frames of the format \(caps.text).")
        }
    }

    deinit {
        gst_buffer_pool_set_active(pool, 0)
        gst_object_unref(pool)
    }

    /// A buffer that nobody else holds; the caller owns the reference.
    func acquire() throws(MediaError) -> UnsafeMutablePointer<GstBuffer> {
        var buffer: UnsafeMutablePointer<GstBuffer>?
        let flow = gst_buffer_pool_acquire_buffer(pool, &buffer, nil)
        guard flow == GST_FLOW_OK, let buffer else { throw MediaError("no memory for another frame.") }
        return buffer
    }
}
