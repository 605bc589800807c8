import CGst
import Synchronization

/// Counts the buffers that arrive at an element, those that nobody takes included.
final class ArrivalCounter: Sendable {
    private let arrived = Atomic<Int>(0)

    /// Buffers so far.
    var count: Int { arrived.load(ordering: .relaxed) }

    /// A counter on the sink pad of `element`, which keeps the counter alive.
    init(element: UnsafeMutablePointer<GstElement>) {
        guard let pad = gst_element_get_static_pad(element, "sink") else { return }
        let context = Unmanaged.passRetained(self).toOpaque()
        gst_pad_add_probe(
            pad, GST_PAD_PROBE_TYPE_BUFFER,
            { _, _, context in
                guard let context else { return GST_PAD_PROBE_OK }
                Unmanaged<ArrivalCounter>.fromOpaque(context).takeUnretainedValue()
                    .arrived.add(1, ordering: .relaxed)
                return GST_PAD_PROBE_OK
            }, context,
            { context in
                if let context { Unmanaged<ArrivalCounter>.fromOpaque(context).release() }
            })
        gst_object_unref(pad)
    }
}
