import CGst

/// The GStreamer library: started once, whoever comes first and on whatever thread.
public enum GStreamer {
    private static let failure: MediaError? = {
        var error: UnsafeMutablePointer<GError>?
        guard gst_init_check(nil, nil, &error) == 0 else { return nil }
        return MediaError("GStreamer does not start: \(takeMessage(of: error)).")
    }()

    /// Starts GStreamer; further calls do nothing.
    ///
    /// Throws when the library cannot start, for example because its plugin registry is broken.
    public static func start() throws(MediaError) {
        if let failure { throw failure }
    }

    /// Throws unless every element named is installed; the sentence names the Debian package of the first that is missing.
    static func require(_ elements: [String]) throws(MediaError) {
        try start()
        for name in elements where !isInstalled(name) {
            throw MediaError(
                "the GStreamer element '\(name)' is missing; install it with: sudo apt install \(package(of: name))")
        }
    }

    static func isInstalled(_ element: String) -> Bool {
        guard let factory = gst_element_factory_find(element) else { return false }
        gst_object_unref(UnsafeMutableRawPointer(factory))
        return true
    }

    /// The text of a GError, which is freed.
    static func takeMessage(of error: UnsafeMutablePointer<GError>?) -> String {
        guard let error else { return "unknown reason" }
        defer { g_error_free(error) }
        return String(cString: error.pointee.message)
    }

    private static func package(of element: String) -> String {
        switch element {
        case "x264enc": "gstreamer1.0-plugins-ugly"
        case "voaacenc", "fdkaacenc", "videoparsersbad": "gstreamer1.0-plugins-bad"
        case let name where name.hasPrefix("av"): "gstreamer1.0-libav"
        case "mp4mux", "matroskamux", "webmmux", "vp8enc", "vp9enc", "v4l2src", "v4l2sink", "deinterlace", "videoflip",
            "aspectratiocrop", "aacparse", "mpegaudioparse":
            "gstreamer1.0-plugins-good"
        case "filesrc", "filesink", "queue", "capsfilter", "identity": "libgstreamer1.0-0"
        default: "gstreamer1.0-plugins-base"
        }
    }
}
