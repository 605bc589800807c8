import CGst

/// Where live frames come from, as written on the command line.
public enum SourceSpec: Equatable, Sendable, CustomStringConvertible {
    /// A camera: `webcam:/dev/video0`, `webcam:HD Pro Webcam C920,format=MJPEG,size=1280x720,rate=30`.
    case webcam(WebcamSpec)
    /// A video file, played at its own speed: `file:clip.mp4`.
    case file(path: String)
    /// A moving test picture, named as videotestsrc does: `test:ball`.
    case test(pattern: String)
    /// A piece of gst-launch text that ends in video, raw or encoded: `gst:rtspsrc location=...`.
    case gst(fragment: String)

    /// Reads a source. Throws a sentence that lists the allowed forms, or the patterns of the test source.
    public static func parse(_ text: String) throws(MediaError) -> SourceSpec {
        switch try SpecText(text, role: "source", forms: forms).pair {
        case ("webcam", let device): return .webcam(try WebcamSpec.parse(device))
        case ("file", let path): return .file(path: path)
        case ("test", let pattern): return try test(pattern)
        case ("gst", let fragment): return .gst(fragment: fragment)
        default: throw SpecText.unknown(text, role: "source", forms: forms)
        }
    }

    private static let forms = ["webcam:/dev/video0", "file:clip.mp4", "test:ball", "gst:videotestsrc is-live=true"]

    /// As `parse` reads it.
    public var description: String {
        switch self {
        case .webcam(let device): "webcam:\(device)"
        case .file(let path): "file:\(path)"
        case .test(let pattern): "test:\(pattern)"
        case .gst(let fragment): "gst:\(fragment)"
        }
    }

    private static func test(_ pattern: String) throws(MediaError) -> SourceSpec {
        try GStreamer.require(["videotestsrc"])
        guard let element = gst_element_factory_make("videotestsrc", nil) else {
            throw MediaError("the test source cannot be made.")
        }
        gst_object_ref_sink(element)
        defer { gst_object_unref(element) }
        var known: [String] = []
        while let nick = cgst_enum_nick(element, "pattern", guint(known.count)) { known.append(String(cString: nick)) }
        guard known.contains(pattern) else {
            throw MediaError("there is no test pattern '\(pattern)'; there are \(known.joined(separator: ", ")).")
        }
        return .test(pattern: pattern)
    }
}
