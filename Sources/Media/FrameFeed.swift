import CGst
import Scheduling
import Synchronization

/// Takes the frames of an appsink on the source's thread, stamps them and puts them into a mailbox.
final class FrameFeed: Sendable {
    /// Where the frames go.
    private let mailbox: Mailbox
    private let ended = Atomic<Bool>(false)
    private let element: SendableElement

    /// Up to here a source's own timestamp is believed: a frame is at most this older than its arrival.
    private static let credit: Nanoseconds = .milliseconds(250)

    private struct SendableElement: @unchecked Sendable { let raw: UnsafeMutablePointer<GstElement> }

    /// A feed from the appsink `sink`, which keeps the feed alive.
    init(_ sink: UnsafeMutablePointer<GstElement>, into mailbox: Mailbox) {
        self.mailbox = mailbox
        element = SendableElement(raw: sink)
        var callbacks = GstAppSinkCallbacks()
        callbacks.new_sample = { sink, context in
            guard let sink, let context, let sample = gst_app_sink_try_pull_sample(sink, 0) else { return GST_FLOW_OK }
            Unmanaged<FrameFeed>.fromOpaque(context).takeUnretainedValue().take(sample)
            return GST_FLOW_OK
        }
        callbacks.eos = { _, context in
            guard let context else { return }
            Unmanaged<FrameFeed>.fromOpaque(context).takeUnretainedValue().ended.store(true, ordering: .relaxed)
        }
        let context = Unmanaged.passRetained(self).toOpaque()
        gst_app_sink_set_callbacks(cgst_app_sink(sink), &callbacks, context) { context in
            if let context { Unmanaged<FrameFeed>.fromOpaque(context).release() }
        }
    }

    /// Whether the source has said that no frame will come any more.
    var isAtEnd: Bool { ended.load(ordering: .relaxed) }

    private func take(_ sample: OpaquePointer) {
        let now = MonotonicClock.nanoseconds
        let lag = lag(of: sample)
        mailbox.put(sample, captured: now - lag, now: now)
    }

    /// How long ago the frame was captured, by its timestamp and the source's clock. A timestamp in the future or far in
    /// the past tells nothing: then it is the moment of arrival that counts.
    private func lag(of sample: OpaquePointer) -> Nanoseconds {
        guard let buffer = gst_sample_get_buffer(sample), let segment = gst_sample_get_segment(sample) else { return 0 }
        let time = gst_segment_to_running_time(segment, GST_FORMAT_TIME, cgst_buffer_pts(buffer))
        let now = gst_element_get_current_running_time(element.raw)
        guard time != .max, now != .max, now >= time, now - time <= GstClockTime(Self.credit) else { return 0 }
        return Nanoseconds(now - time)
    }
}
