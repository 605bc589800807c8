import CGst

/// The frames that come out of a pipeline's appsink.
struct FrameReader {
    private let sink: UnsafeMutablePointer<GstAppSink>

    /// Reads from the appsink of this name; the pipeline must outlive the reader.
    init(_ pipeline: Pipeline, name: String) throws(MediaError) {
        sink = cgst_app_sink(try pipeline.element(name))
    }

    /// The next frame, waited for at most `timeout` nanoseconds.
    func next(timeout: GstClockTime) -> Sample? {
        guard let raw = gst_app_sink_try_pull_sample(sink, timeout) else { return nil }
        return Sample(owning: raw)
    }

    /// The first frame of a paused pipeline, waited for at most `timeout` nanoseconds.
    func first(timeout: GstClockTime) -> Sample? {
        guard let raw = gst_app_sink_try_pull_preroll(sink, timeout) else { return nil }
        return Sample(owning: raw)
    }

    /// Whether no frame will come any more.
    var isAtEnd: Bool { gst_app_sink_is_eos(sink) != 0 }
}
