import CGst

/// The error that a pipeline reported, as GStreamer tells it; `reason` says it for people.
struct PipelineFailure {
    private let text: String
    private let debug: String
    private let kind: Kind

    private enum Kind { case diskFull, resource, unknownType, missingPlugin, other }

    /// Reads an ERROR message.
    init(message: UnsafeMutablePointer<GstMessage>) {
        var error: UnsafeMutablePointer<GError>?
        var debug: UnsafeMutablePointer<gchar>?
        gst_message_parse_error(message, &error, &debug)
        defer { g_free(debug) }
        kind = Self.kind(of: error)
        self.debug = debug.map { String(cString: $0) } ?? ""
        text = GStreamer.takeMessage(of: error)
    }

    /// Why it failed, without a full stop. `missing` describes a decoder that was asked for and is not installed.
    func reason(missing: String?) -> String {
        if let missing {
            return "it needs \(missing), which is not installed; try: sudo apt install gstreamer1.0-libav "
                + "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
        }
        switch kind {
        case .diskFull: return "the disk is full; free some space or write to another folder"
        case .unknownType: return "it is not a video that GStreamer knows"
        case .missingPlugin: return "it is in a format that no installed decoder knows"
        case .other where text.contains("no playable streams"):
            return "it has no video frames that can be played; it may be empty or cut off"
        case .resource, .other: return systemReason ?? negotiationReason ?? withoutFullStop(text)
        }
    }

    private var systemReason: String? {
        guard let mark = debug.firstRange(of: "system error: ") else { return nil }
        return String(debug[mark.upperBound...].prefix { $0 != "\n" })
    }

    private var negotiationReason: String? {
        guard debug.contains("not-negotiated") else { return nil }
        return "its parts do not agree on a video format (not-negotiated)"
    }

    private func withoutFullStop(_ text: String) -> String {
        text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    private static func kind(of error: UnsafeMutablePointer<GError>?) -> Kind {
        guard let error else { return .other }
        if error.pointee.domain == gst_resource_error_quark() {
            return matches(error, GST_RESOURCE_ERROR_NO_SPACE_LEFT.rawValue) ? .diskFull : .resource
        }
        guard error.pointee.domain == gst_stream_error_quark() else { return .other }
        if matches(error, GST_STREAM_ERROR_TYPE_NOT_FOUND.rawValue) { return .unknownType }
        if matches(error, GST_STREAM_ERROR_WRONG_TYPE.rawValue) { return .unknownType }
        return matches(error, GST_STREAM_ERROR_CODEC_NOT_FOUND.rawValue) ? .missingPlugin : .other
    }

    private static func matches(_ error: UnsafeMutablePointer<GError>, _ code: UInt32) -> Bool {
        error.pointee.code == gint(code)
    }
}
