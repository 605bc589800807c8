import Frames

/// Chooses what to ask of a camera: left to itself, GStreamer takes the largest picture, however slow.
enum WebcamMode {
    /// The mode and the rate to ask for, of what a camera offers, for an output of `size` at `framerate`; nil where the
    /// camera lists nothing, which leaves the choice to GStreamer.
    ///
    /// What the specification names is a condition: without a mode for it this throws a sentence that lists what there is.
    /// The best mode gives the output's rate, at least its size, not more pixels than needed, and raw pixels.
    static func choose(
        _ modes: [VideoMode], for spec: WebcamSpec, size: FrameSize, framerate: Framerate
    ) throws(MediaError) -> (mode: VideoMode, rate: Framerate?)? {
        let usable = modes.filter { $0.caps != nil }
        let fitting = usable.filter { fits($0, spec) }
        if fitting.isEmpty {
            let isAsked = spec.format != nil || spec.size != nil || spec.rate != nil
            guard isAsked, !usable.isEmpty else { return nil }
            throw MediaError("the camera '\(spec.device)' has no mode \(wish(spec)); it has: \(list(usable)).")
        }
        let size = spec.size ?? size, framerate = spec.rate ?? framerate
        let best = fitting.max { isBetter($1, than: $0, size: size, framerate: framerate) }
        return best.map { ($0, rate(of: $0, for: framerate)) }
    }

    /// The rate of a mode that is asked for: the slowest that is enough, else the quickest.
    static func rate(of mode: VideoMode, for framerate: Framerate) -> Framerate? {
        mode.rates.last { isEnough($0, for: framerate) } ?? mode.rates.first
    }

    /// What GStreamer's filter behind the camera says.
    static func caps(_ mode: VideoMode, rate: Framerate?) -> String {
        let fields = "width=\(mode.size.width),height=\(mode.size.height)"
        return "\(mode.caps ?? "video/x-raw"),\(fields)" + (rate.map { ",framerate=\($0)" } ?? "")
    }

    /// All modes in a sentence, those of one size together.
    static func list(_ modes: [VideoMode]) -> String {
        modes.prefix(40).map(\.description).joined(separator: "; ") + (modes.count > 40 ? "; and more" : "")
    }

    private static func wish(_ spec: WebcamSpec) -> String {
        [
            spec.format, spec.size.map { "\($0)" }, spec.rate.map { "at \($0.short) fps" },
        ].compactMap { $0 }.joined(separator: " ")
    }

    private static func fits(_ mode: VideoMode, _ spec: WebcamSpec) -> Bool {
        if let format = spec.format, mode.format != format { return false }
        if let size = spec.size, mode.size != size { return false }
        guard let rate = spec.rate, !mode.rates.isEmpty else { return true }
        return mode.rates.contains { isEnough($0, for: rate) && isEnough(rate, for: $0) }
    }

    /// Whether `rate` reaches the other one; 29.97 counts as 30.
    private static func isEnough(_ rate: Framerate, for other: Framerate) -> Bool {
        rate.framesPerSecond >= other.framesPerSecond * 0.995
    }

    private static func isBetter(
        _ one: VideoMode, than other: VideoMode, size: FrameSize, framerate: Framerate
    ) -> Bool {
        score(other, size, framerate).lexicographicallyPrecedes(score(one, size, framerate))
    }

    /// The larger the better, the first number first: how much of the wanted pixels a second it gives; then no more pixels
    /// than needed, raw ones, and those that are quick to convert.
    private static func score(_ mode: VideoMode, _ size: FrameSize, _ framerate: Framerate) -> [Double] {
        let area = Double(mode.size.width * mode.size.height), wanted = Double(size.width * size.height)
        let covers = mode.size.width >= size.width && mode.size.height >= size.height
        let rates = mode.rates.first.map { min(1, $0.framesPerSecond / framerate.framesPerSecond / 0.995) } ?? 1
        let order = ["YUYV", "NV12", "YU12", "UYVY"]
        let place = order.firstIndex(of: mode.format).map { Double(order.count - $0) } ?? 0
        return [rates * (covers ? 1 : min(0.99, area / wanted)), -area, mode.isCompressed ? 0 : 1, place]
    }
}
