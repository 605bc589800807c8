import Frames

/// One way in which a camera gives pictures: format, size, and the rates of both together.
public struct VideoMode: Equatable, Sendable, CustomStringConvertible {
    /// Four letters, as drivers call the format: `YUYV`, `MJPG`, `NV12`.
    public let format: String
    /// Size in pixels.
    public let size: FrameSize
    /// Frames a second that are offered, the quickest first; empty where the driver does not say.
    public let rates: [Framerate]

    /// A mode.
    public init(format: String, size: FrameSize, rates: [Framerate]) {
        self.format = format
        self.size = size
        self.rates = rates
    }

    /// For example `MJPG 1280x720 at 30, 15 fps`.
    public var description: String {
        let rates = rates.map(\.short).joined(separator: ", ")
        return "\(format) \(size)" + (rates.isEmpty ? "" : " at \(rates) fps")
    }

    /// Whether the pictures come compressed, one by one or as a stream.
    var isCompressed: Bool { ["MJPG", "JPEG", "H264", "HEVC", "VP80"].contains(format) }

    /// Whether pictures of this format can be read here.
    public var isUsable: Bool { caps != nil }

    /// What GStreamer calls the format, for a filter behind a camera; nil for formats that it does not read.
    var caps: String? {
        switch format {
        case "MJPG", "JPEG": "image/jpeg"
        case "H264": "video/x-h264"
        case "VP80": "video/x-vp8"
        default: Self.raw[format].map { "video/x-raw,format=\($0)" }
        }
    }

    /// The letters under which a format is asked for: those of drivers, GStreamer's, and usual ones.
    static func letters(of name: String) -> String? {
        let name = name.uppercased()
        switch name {
        case "MJPEG", "MJPG", "JPEG": return "MJPG"
        case "YUY2", "YUYV": return "YUYV"
        case "I420", "YU12", "YUV420": return "YU12"
        case "RGB", "RGB24", "RGB3": return "RGB3"
        case "BGR", "BGR24", "BGR3": return "BGR3"
        case "H264", "VP80": return name
        default: return raw[name] == nil ? nil : name
        }
    }

    private static let raw = [
        "YUYV": "YUY2", "UYVY": "UYVY", "YVYU": "YVYU", "NV12": "NV12", "NV21": "NV21", "YU12": "I420", "YV12": "YV12",
        "422P": "Y42B", "NV16": "NV16", "RGB3": "RGB", "BGR3": "BGR", "GREY": "GRAY8",
    ]
}

extension Framerate {
    /// Frames a second as people write them: `30`, `29.97`.
    var short: String {
        let hundredths = Int((framesPerSecond * 100).rounded())
        guard hundredths % 100 != 0 else { return "\(hundredths / 100)" }
        let rest = hundredths % 100
        return "\(hundredths / 100)." + (rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)")
    }
}
