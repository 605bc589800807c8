import Editing
import Frames
import Media
import Scheduling

/// Settings as they are written on the command line and in the configuration file; one reader for both.
///
/// `subject` begins every error: "--framerate", "desk.yaml:7: streams[0].framerate".
public enum SettingText {
    /// Frames a second from `30` or `30000/1001`.
    public static func framerate(_ text: String, _ subject: String) throws -> Framerate {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { whole($0) }
        guard (1...2).contains(parts.count), let numerator = parts[0], let denominator = parts.count == 2 ? parts[1] : 1
        else {
            throw ServiceError(
                "\(subject) is '\(text)'; give frames a second from 1 to 240, for example 30 or 30000/1001")
        }
        guard denominator > 0 else {
            throw ServiceError("\(subject) is '\(text)'; what stands below the line must be positive")
        }
        try Limits.check(framerate: Double(numerator) / Double(denominator), subject)
        return Framerate(numerator, denominator)
    }

    /// Whether something is to be: true, yes or on; false, no or off.
    public static func yesOrNo(_ text: String, _ subject: String) throws -> Bool {
        switch text.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: throw ServiceError("\(subject) is '\(text)'; it must be true or false")
        }
    }

    /// A time from `66 ms`, `66ms`, `0.1 s` or a number of milliseconds.
    public static func latency(_ text: String, _ subject: String) throws -> Nanoseconds {
        let trimmed = text.filter { !$0.isWhitespace }
        let isMilliseconds = trimmed.hasSuffix("ms"), isSeconds = !isMilliseconds && trimmed.hasSuffix("s")
        let digits = trimmed.dropLast(isMilliseconds ? 2 : isSeconds ? 1 : 0)
        guard let number = Double(digits), number.isFinite, abs(number) < 1e9 else {
            throw ServiceError("\(subject) is '\(text)'; give a time such as 100 ms or 0.1 s")
        }
        return isSeconds ? .seconds(number) : .milliseconds(number)
    }

    /// Per cent of all processors from `50%` or `50`.
    public static func budget(_ text: String, _ subject: String) throws -> Double {
        let trimmed = text.filter { !$0.isWhitespace }
        guard let number = Double(trimmed.hasSuffix("%") ? trimmed.dropLast() : trimmed[...]) else {
            throw ServiceError(
                "\(subject) is '\(text)'; give a part of all processors from 1% to 100%, for example 50%")
        }
        try Limits.check(budget: number, subject)
        return number
    }

    /// Width and height from `512x384`.
    public static func size(_ text: String, _ subject: String) throws -> FrameSize {
        let parts = text.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { whole($0) }
        guard parts.count == 2, let width = parts[0], let height = parts[1], width > 0, height > 0 else {
            throw ServiceError("\(subject) is '\(text)'; give width x height in pixels, for example 512x384")
        }
        return FrameSize(width: width, height: height)
    }

    /// The frame that the others attend to. `isLive`: a stream, which has no middle.
    public static func anchor(_ text: String, _ subject: String, isLive: Bool) throws -> AnchorMode {
        guard let mode = AnchorMode(rawValue: text) else {
            let known = AnchorMode.allCases.filter { !isLive || $0 != .middle }.map(\.rawValue)
            throw ServiceError("\(subject) is '\(text)'; it must be one of \(known.joined(separator: ", "))")
        }
        guard !isLive || mode != .middle else {
            throw ServiceError(
                "\(subject) is 'middle'; a live stream has no middle frame: use rolling or none, or movied edit for files"
            )
        }
        return mode
    }

    /// Seconds of an anchor from `10 s`, `500 ms` or a number of seconds.
    public static func anchorAge(_ text: String, _ subject: String) throws -> Double {
        let trimmed = text.filter { !$0.isWhitespace }
        let isMilliseconds = trimmed.hasSuffix("ms"), isSeconds = !isMilliseconds && trimmed.hasSuffix("s")
        let number = Double(trimmed.dropLast(isMilliseconds ? 2 : isSeconds ? 1 : 0)).map {
            isMilliseconds ? $0 / 1000 : $0
        }
        guard let number, EditSettings.anchorAges.contains(number) else {
            throw ServiceError("\(subject) is '\(text)'; give a time from 0.5 s to 3600 s, for example 10 s")
        }
        return number
    }

    /// How much flicker is taken out.
    public static func stability(_ text: String, _ subject: String) throws -> Double {
        guard let number = Double(text), (0...1).contains(number) else {
            throw ServiceError("\(subject) is '\(text)'; give a number from 0 (off) to 1 (the most)")
        }
        return number
    }

    /// What is shown where there is no edit.
    public static func fallback(_ text: String, _ subject: String) throws -> Fallback {
        guard let fallback = Fallback(rawValue: text) else {
            let known = Fallback.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServiceError("\(subject) is '\(text)'; it must be one of \(known)")
        }
        return fallback
    }

    /// Throws unless the latency budget lasts a frame at the rate, where both are given.
    public static func check(latency: Nanoseconds?, framerate: Framerate?, _ subject: String) throws {
        guard let latency else { return }
        try Limits.check(
            latency: latency, framerate: framerate?.framesPerSecond ?? Limits.framerate.upperBound, subject)
    }

    private static func whole(_ text: Substring) -> Int? {
        guard let number = Int(text), abs(number) <= 1_000_000 else { return nil }
        return number
    }
}
