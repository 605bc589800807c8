import Frames

/// A camera and what is asked of it: `/dev/video0`, `HD Pro Webcam C920,format=MJPEG,size=1280x720,rate=30`.
public struct WebcamSpec: Equatable, Sendable, CustomStringConvertible {
    /// A path, an id that stays, the place where it is plugged in, or a name.
    public let device: String
    /// The format to ask for, as drivers spell it; nil takes the best.
    public let format: String?
    /// The size to ask for; nil takes what serves the output best.
    public let size: FrameSize?
    /// The rate to ask for; nil takes what serves the output best.
    public let rate: Framerate?

    /// A camera from which nothing special is asked.
    public init(device: String) {
        self.device = device
        format = nil
        size = nil
        rate = nil
    }

    /// Reads what stands after `webcam:`. Throws a sentence for an option with a value that cannot be.
    static func parse(_ text: String) throws(MediaError) -> WebcamSpec {
        let options = SpecOptions(text, known: ["format", "size", "rate"])
        return try WebcamSpec(options)
    }

    private init(_ options: SpecOptions) throws(MediaError) {
        device = options.head
        format = try options.read("format", advice: "give MJPEG, YUYV, NV12 or another of 'movied devices'") {
            VideoMode.letters(of: $0)
        }
        size = try options.read("size", advice: "give width and height, for example 1280x720") { text in
            let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
            guard sides.count == 2, sides.allSatisfy({ (1...65536).contains($0) }) else { return nil }
            return FrameSize(width: sides[0], height: sides[1])
        }
        rate = try options.read("rate", advice: "give frames a second, for example 30 or 30000/1001") { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
            guard (1...2).contains(parts.count), parts.allSatisfy({ (1...1_000_000).contains($0) }) else { return nil }
            return Framerate(parts[0], parts.count == 2 ? parts[1] : 1)
        }
    }

    /// As `parse` reads it.
    public var description: String {
        var text = device
        if let format { text += ",format=\(format)" }
        if let size { text += ",size=\(size)" }
        if let rate { text += ",rate=" + (rate.denominator == 1 ? "\(rate.numerator)" : "\(rate)") }
        return text
    }
}

/// A text with options at its end: `HEAD,key=value,key=value`. A comma that no known key follows belongs to the head, since
/// devices and files have commas in their names.
struct SpecOptions {
    /// What stands before the options.
    let head: String
    private let values: [String: String]

    /// Takes the options apart that are `known`.
    init(_ text: String, known: Set<String>) {
        var pieces = text.split(separator: ",", omittingEmptySubsequences: false)
        var values: [String: String] = [:]
        while pieces.count > 1, let last = pieces.last, let sign = last.firstIndex(of: "=") {
            let key = String(last[..<sign])
            guard known.contains(key) else { break }
            values[key] = String(last[last.index(after: sign)...])
            pieces.removeLast()
        }
        head = pieces.joined(separator: ",")
        self.values = values
    }

    /// The value of an option; nil when it is not there. Throws when `read` makes nothing of it.
    func read<Value>(
        _ key: String, advice: String, _ read: (String) throws(MediaError) -> Value?
    ) throws(MediaError) -> Value? {
        guard let text = values[key] else { return nil }
        guard let value = try read(text) else { throw MediaError("\(key) is '\(text)'; \(advice).") }
        return value
    }
}
