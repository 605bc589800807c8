import CGst

/// A GStreamer pipeline that this object owns: stopped and freed with it.
///
/// GStreamer locks its own objects, so any thread may call; `nextEvent` is meant for one thread.
final class Pipeline {
    /// What a pipeline says about its end.
    enum Event {
        case endOfStream
        case failure(MediaError)
    }

    private let raw: UnsafeMutablePointer<GstElement>
    private let bus: UnsafeMutablePointer<GstBus>
    private let subject: String
    private var missingPlugin: String?

    /// Builds a pipeline from gst-launch text. `subject` begins the sentence of every error: "cannot read 'clip.mp4'".
    init(_ text: String, subject: String) throws(MediaError) {
        try GStreamer.start()
        raw = try Self.parse(text, subject: subject)
        bus = gst_element_get_bus(raw)
        self.subject = subject
    }

    deinit {
        gst_element_set_state(raw, GST_STATE_NULL)
        gst_object_unref(bus)
        gst_object_unref(raw)
    }

    private static func parse(_ text: String, subject: String) throws(MediaError) -> UnsafeMutablePointer<GstElement> {
        var error: UnsafeMutablePointer<GError>?
        let element = gst_parse_launch_full(text, nil, GST_PARSE_FLAG_FATAL_ERRORS, &error)
        guard error == nil, let element else {
            if let element { gst_object_unref(element) }
            throw MediaError("\(subject): \(GStreamer.takeMessage(of: error)).")
        }
        gst_object_ref_sink(element)
        return element
    }

    /// The element of this name, which the pipeline keeps alive.
    func element(_ name: String) throws(MediaError) -> UnsafeMutablePointer<GstElement> {
        guard let found = gst_bin_get_by_name(cgst_bin(raw), name) else {
            throw MediaError("\(subject): the pipeline has no element '\(name)'.")
        }
        gst_object_unref(found)
        return found
    }

    /// Asks for a state; throws what the pipeline says when it refuses at once.
    func set(_ state: GstState) throws(MediaError) {
        guard gst_element_set_state(raw, state) == GST_STATE_CHANGE_FAILURE else { return }
        if case .failure(let error)? = nextEvent(timeout: 0) { throw error }
        throw MediaError("\(subject): the pipeline does not start.")
    }

    /// Before playing: timestamps will count from `origin`, in nanoseconds of the system's monotonic clock.
    func useSystemClock(from origin: Int64) {
        guard let clock = gst_system_clock_obtain() else { return }
        cgst_use_clock(raw, clock)
        gst_object_unref(clock)
        gst_element_set_start_time(raw, .max)
        gst_element_set_base_time(raw, GstClockTime(max(0, origin)))
    }

    /// Stops all streaming threads and closes files and devices.
    func stop() {
        gst_element_set_state(raw, GST_STATE_NULL)
    }

    /// The next thing worth knowing, waited for at most `timeout` nanoseconds; nil when there is none.
    func nextEvent(timeout: GstClockTime) -> Event? {
        while let message = gst_bus_timed_pop_filtered(bus, timeout, Self.watched) {
            defer { gst_message_unref(message) }
            if let event = read(message) { return event }
        }
        return nil
    }

    /// Throws the pipeline's error, if it has reported one.
    func check() throws(MediaError) {
        if case .failure(let error)? = nextEvent(timeout: 0) { throw error }
    }

    /// Whether a demuxer has found no streams and stopped reading, which nobody reports.
    var hasIdleDemuxer: Bool { cgst_has_idle_demuxer(raw) != 0 }

    /// Nanoseconds since the pipeline began to play, by its clock; nil before.
    var runningTime: GstClockTime? {
        let now = gst_element_get_current_running_time(raw)
        return now == .max ? nil : now
    }

    /// Length of what the pipeline plays in nanoseconds; nil when unknown.
    var duration: Int64? {
        var length: gint64 = 0
        guard gst_element_query_duration(raw, GST_FORMAT_TIME, &length) != 0, length > 0 else { return nil }
        return Int64(length)
    }

    private static let watched = GstMessageType(
        rawValue: GST_MESSAGE_EOS.rawValue | GST_MESSAGE_ERROR.rawValue | GST_MESSAGE_ELEMENT.rawValue
            | GST_MESSAGE_LATENCY.rawValue)

    private func read(_ message: UnsafeMutablePointer<GstMessage>) -> Event? {
        switch cgst_message_type(message) {
        case GST_MESSAGE_EOS:
            return .endOfStream
        case GST_MESSAGE_ERROR:
            let reason = PipelineFailure(message: message).reason(missing: missingPlugin)
            return .failure(MediaError("\(subject): \(reason)."))
        case GST_MESSAGE_LATENCY:
            gst_bin_recalculate_latency(cgst_bin(raw))
        default:
            noteMissingPlugin(message)
        }
        return nil
    }

    private func noteMissingPlugin(_ message: UnsafeMutablePointer<GstMessage>) {
        guard gst_is_missing_plugin_message(message) != 0 else { return }
        guard let text = gst_missing_plugin_message_get_description(message) else { return }
        missingPlugin = "'" + String(cString: text) + "'"
        g_free(text)
    }
}
