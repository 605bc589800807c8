/// Where live frames go, as written on the command line.
public enum SinkSpec: Equatable, Sendable, CustomStringConvertible {
    /// A virtual camera of the v4l2loopback module: `loopback:/dev/video10`.
    case loopback(device: String)
    /// A video file, whole when the job ends: `file:out.mkv`.
    case file(path: String)
    /// A piece of gst-launch text that takes raw video: `gst:autovideosink`.
    case gst(fragment: String)

    /// Reads a sink. Throws a sentence that lists the allowed forms.
    public static func parse(_ text: String) throws(MediaError) -> SinkSpec {
        switch try SpecText(text, role: "sink", forms: forms).pair {
        case ("loopback", let device): return .loopback(device: device)
        case ("file", let path): return .file(path: path)
        case ("gst", let fragment): return .gst(fragment: fragment)
        default: throw SpecText.unknown(text, role: "sink", forms: forms)
        }
    }

    private static let forms = ["loopback:/dev/video10", "file:out.mkv", "gst:autovideosink"]

    /// As `parse` reads it.
    public var description: String {
        switch self {
        case .loopback(let device): "loopback:\(device)"
        case .file(let path): "file:\(path)"
        case .gst(let fragment): "gst:\(fragment)"
        }
    }
}
