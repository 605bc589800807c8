/// Where live frames go, as written on the command line.
public enum SinkSpec: Equatable, Sendable, CustomStringConvertible {
    /// A virtual camera of the v4l2loopback module: `loopback:/dev/video10`, `loopback:/dev/video10,format=YUY2`.
    case loopback(LoopbackSpec)
    /// A camera of PipeWire, as browsers list it that ask the desktop's portal: `pipewire:movied`.
    case pipewire(name: String)
    /// A video file, whole when the job ends: `file:out.mkv`.
    case file(path: String)
    /// A video file each time it is asked for (SIGUSR2 begins and ends): `record:clips/desk-%02d.mkv`.
    case record(FileSequence)
    /// A picture each time it is asked for (SIGUSR1): `snapshot:shots/desk-%03d.jpg`.
    case snapshot(FileSequence)
    /// A piece of gst-launch text that takes raw video: `gst:autovideosink`.
    case gst(fragment: String)

    /// Reads a sink. Throws a sentence that lists the allowed forms.
    public static func parse(_ text: String) throws(MediaError) -> SinkSpec {
        switch try SpecText(text, role: "sink", forms: forms).pair {
        case ("loopback", let device): return .loopback(try LoopbackSpec.parse(device))
        case ("pipewire", let name): return .pipewire(name: try cameraName(name))
        case ("file", let path): return .file(path: path)
        case ("record", let name): return .record(try FileSequence(name, endings: ["mkv", "mp4", "webm"]))
        case ("snapshot", let name): return .snapshot(try FileSequence(name, endings: ["jpg", "jpeg", "png"]))
        case ("gst", let fragment): return .gst(fragment: fragment)
        default: throw SpecText.unknown(text, role: "sink", forms: forms)
        }
    }

    private static let forms = [
        "loopback:/dev/video10", "pipewire:movied", "file:out.mkv", "record:clip-%02d.mkv", "snapshot:shot-%03d.jpg",
        "gst:autovideosink",
    ]

    /// Whether frames go there all the time.
    var isSteady: Bool {
        switch self {
        case .record, .snapshot: false
        default: true
        }
    }

    /// As `parse` reads it.
    public var description: String {
        switch self {
        case .loopback(let device): "loopback:\(device)"
        case .pipewire(let name): "pipewire:\(name)"
        case .file(let path): "file:\(path)"
        case .record(let files): "record:\(files)"
        case .snapshot(let files): "snapshot:\(files)"
        case .gst(let fragment): "gst:\(fragment)"
        }
    }

    /// The name of a camera goes into gst-launch text and into the properties of a PipeWire node.
    private static func cameraName(_ name: String) throws(MediaError) -> String {
        guard name.count <= 64, name.allSatisfy({ $0.isLetter || $0.isNumber || " -_.".contains($0) }) else {
            throw MediaError(
                "the name of a PipeWire camera is '\(name)'; give up to 64 letters, digits, spaces, points or hyphens.")
        }
        return name
    }
}
