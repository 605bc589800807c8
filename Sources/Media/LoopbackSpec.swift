import Frames

/// A virtual camera of v4l2loopback and its format: `/dev/video10`, `/dev/video10,format=YUY2`.
public struct LoopbackSpec: Equatable, Sendable, CustomStringConvertible {
    /// The device's path.
    public let device: String
    /// The format to write; nil for I420, or what the device is held in.
    public let format: PixelFormat?

    /// A device in the usual format.
    public init(device: String, format: PixelFormat? = nil) {
        self.device = device
        self.format = format
    }

    /// Reads what stands after `loopback:`. Throws a sentence for a format that is not written.
    static func parse(_ text: String) throws(MediaError) -> LoopbackSpec {
        let options = SpecOptions(text, known: ["format"])
        let names = LoopbackFormat.choice.map(\.name).joined(separator: ", ")
        let format = try options.read("format", advice: "give one of \(names)") { LoopbackFormat.pixels(named: $0) }
        return LoopbackSpec(device: options.head, format: format)
    }

    /// As `parse` reads it.
    public var description: String { device + (format.map { ",format=\($0.rawValue)" } ?? "") }
}
