import CGst

/// Which streams a file holds, found without looking at its pictures.
struct StreamLayout {
    /// Whether there is a video stream.
    var hasVideo = false
    /// Whether the only picture is a still one.
    var isStillPicture = false
    /// Whether the frames of the video are two fields each.
    var isInterlaced = false
    /// The `GstVideoOrientationMethod` that shows the video upright; 0 changes nothing.
    var orientation = 0
    /// Whether showing the video upright swaps width and height.
    var isOnItsSide: Bool { [1, 3, 6, 7].contains(orientation) }
    /// Format of the first audio stream as GStreamer writes caps.
    var audioFormat: String?
    /// Length in nanoseconds.
    var duration: Int64?

    /// Reads the layout; nil when GStreamer cannot make sense of the file within `seconds`.
    static func read(path: String, seconds: Int) throws(MediaError) -> StreamLayout? {
        try GStreamer.start()
        guard let uri = gst_filename_to_uri(path, nil) else { return nil }
        defer { g_free(uri) }
        guard let discoverer = gst_discoverer_new(GstClockTime(seconds) * 1_000_000_000, nil) else { return nil }
        defer { g_object_unref(discoverer) }
        guard let info = gst_discoverer_discover_uri(discoverer, uri, nil) else { return nil }
        defer { g_object_unref(UnsafeMutableRawPointer(info)) }
        return StreamLayout(info)
    }

    /// Nothing known: one upright, progressive video without sound.
    init() { hasVideo = true }

    private init(_ info: OpaquePointer) {
        let length = gst_discoverer_info_get_duration(info)
        duration = length == .max || length == 0 ? nil : Int64(length)
        readVideo(info)
        readAudio(info)
    }

    private mutating func readVideo(_ info: OpaquePointer) {
        let streams = gst_discoverer_info_get_video_streams(info)
        defer { gst_discoverer_stream_info_list_free(streams) }
        guard let video = streams?.pointee.data else { return }
        hasVideo = true
        isStillPicture = gst_discoverer_video_info_is_image(OpaquePointer(video)) != 0
        isInterlaced = gst_discoverer_video_info_is_interlaced(OpaquePointer(video)) != 0
        var method = GST_VIDEO_ORIENTATION_IDENTITY
        if let tags = gst_discoverer_stream_info_get_tags(cgst_stream_info(video)),
            gst_video_orientation_from_tag(UnsafeMutablePointer(mutating: tags), &method) != 0
        {
            orientation = Int(method.rawValue)
        }
    }

    private mutating func readAudio(_ info: OpaquePointer) {
        let streams = gst_discoverer_info_get_audio_streams(info)
        defer { gst_discoverer_stream_info_list_free(streams) }
        guard let audio = streams?.pointee.data else { return }
        audioFormat = gst_discoverer_stream_info_get_caps(cgst_stream_info(audio)).map { Caps(owning: $0).text }
    }
}
