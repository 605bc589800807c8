import CGst
import Frames

/// Chooses what to ask of a camera: left to itself, GStreamer takes the largest picture, however slow.
enum WebcamMode {
    /// The first of the wishes that the camera at `device` can fulfil, as caps text; nil leaves the choice to GStreamer.
    ///
    /// Wishes, the best first: size and rate, then size alone; raw before JPEG.
    static func choose(device: String, size: FrameSize, framerate: Framerate) throws(MediaError) -> String? {
        guard let offered = try offer(device: device) else { return nil }
        for wish in wishes(size: size, framerate: framerate) {
            if try Caps(wish).intersects(offered) { return wish }
        }
        return nil
    }

    static func wishes(size: FrameSize, framerate: Framerate) -> [String] {
        let fields = "width=\(size.width),height=\(size.height)"
        let rate = "framerate=\(framerate)"
        return [
            "video/x-raw,\(fields),\(rate)", "image/jpeg,\(fields),\(rate)", "video/x-raw,\(fields)",
            "image/jpeg,\(fields)",
        ]
    }

    private static func offer(device: String) throws(MediaError) -> Caps? {
        try GStreamer.require(["v4l2src"])
        guard let camera = gst_element_factory_make("v4l2src", nil) else { return nil }
        gst_object_ref_sink(camera)
        defer {
            gst_element_set_state(camera, GST_STATE_NULL)
            gst_object_unref(camera)
        }
        cgst_set_string(camera, "device", device)
        guard gst_element_set_state(camera, GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS,
            let pad = gst_element_get_static_pad(camera, "src")
        else { return nil }
        defer { gst_object_unref(pad) }
        return gst_pad_query_caps(pad, nil).map { Caps(owning: $0) }
    }
}
