import CGst
import Frames

/// A description of a stream's format ("caps") that this object owns.
final class Caps {
    private let raw: UnsafeMutablePointer<GstCaps>

    /// Takes over a reference.
    init(owning raw: UnsafeMutablePointer<GstCaps>) {
        self.raw = raw
    }

    /// Reads caps as GStreamer writes them.
    init(_ text: String) throws(MediaError) {
        try GStreamer.start()
        guard let raw = gst_caps_from_string(text) else { throw MediaError("'\(text)' is not a GStreamer format.") }
        self.raw = raw
    }

    deinit { gst_caps_unref(raw) }

    /// Lends the pointer. A property would not do: Swift frees an object after its last use, which may be before the
    /// call that the pointer is passed to.
    func withRaw<Result>(_ body: (UnsafeMutablePointer<GstCaps>) -> Result) -> Result {
        withExtendedLifetime(self) { body(raw) }
    }

    /// As GStreamer writes them.
    var text: String {
        guard let text = gst_caps_to_string(raw) else { return "" }
        defer { g_free(text) }
        return String(cString: text)
    }

    /// The media type of the first alternative, for example `audio/mpeg`.
    var name: String {
        guard let first else { return "" }
        return String(cString: gst_structure_get_name(first))
    }

    /// Width and height in pixels.
    var size: FrameSize? {
        guard let width = integer("width"), let height = integer("height") else { return nil }
        return FrameSize(width: width, height: height)
    }

    /// Frames a second; nil when the stream says that it varies.
    var framerate: Framerate? {
        var numerator: gint = 0
        var denominator: gint = 0
        guard let first, gst_structure_get_fraction(first, "framerate", &numerator, &denominator) != 0,
            numerator > 0, denominator > 0
        else { return nil }
        return Framerate(Int(numerator), Int(denominator))
    }

    func integer(_ field: String) -> Int? {
        var value: gint = 0
        guard let first, gst_structure_get_int(first, field, &value) != 0 else { return nil }
        return Int(value)
    }

    /// Whether some stream fits both.
    func intersects(_ other: Caps) -> Bool {
        withRaw { mine in other.withRaw { gst_caps_can_intersect(mine, $0) } } != 0
    }

    /// A copy without these fields.
    func removing(_ fields: [String]) -> Caps {
        let copy = Caps(owning: gst_caps_copy(raw))
        if let structure = copy.first {
            for field in fields { gst_structure_remove_field(structure, field) }
        }
        return copy
    }

    /// These caps with this frame rate, unless they have one that does not vary.
    func withFramerate(orElse framerate: Framerate) throws(MediaError) -> Caps {
        if self.framerate != nil { return self }
        return try Caps(removing(["framerate"]).text + ", framerate=(fraction)\(framerate)")
    }

    private var first: UnsafeMutablePointer<GstStructure>? {
        gst_caps_get_size(raw) > 0 ? gst_caps_get_structure(raw, 0) : nil
    }
}
