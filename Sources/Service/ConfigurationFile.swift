import Editing
import Foundation
import Frames
import Media
import Networks
import Scheduling
import Yams

/// The configuration file of `movied run`: YAML, where every key is known or an error.
///
/// Errors are one sentence that begins with file, line and key.
public enum ConfigurationFile {
    /// Reads the file at `path`. Relative model folders are meant from the file's own folder.
    public static func read(_ path: String) throws -> RunRequest {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw ServiceError("the configuration '\(path)' cannot be read; give a YAML file like Configs/streams.yaml")
        }
        return try parse(text, path: path)
    }

    /// Reads the text of a file that is called `path`.
    public static func parse(_ text: String, path: String) throws -> RunRequest {
        let root: Node?
        do {
            root = try compose(yaml: text)
        } catch let error as YamlError {
            throw ServiceError("\(path)\(oneLine(error))")
        }
        let file = try Section(root, path: path, key: "", allowed: ["cpu", "streams"])
        var request = RunRequest(streams: try streams(file))
        if let cpu = try file.section("cpu", allowed: ["budget", "threads"]) {
            request.budget = try cpu.read("budget", SettingText.budget)
            request.threads = try cpu.read("threads") { text, subject in
                guard let count = Int(text) else {
                    throw ServiceError("\(subject) is '\(text)'; give a number from 1 to 256")
                }
                try Limits.check(threads: count, subject)
                return count
            }
        }
        return request
    }

    private static let streamKeys: Set<String> = [
        "name", "source", "sinks", "prompt", "guidance_scale", "image_guidance_scale", "seed", "model", "precision",
        "size", "edit_size", "propagation", "framerate", "latency_budget", "fallback", "weight", "anchor", "stability",
        "reuse", "mirror", "rotate", "crop",
    ]

    private static func streams(_ file: Section) throws -> [StreamRequest] {
        let sections = try file.sections("streams", allowed: streamKeys)
        guard !sections.isEmpty else {
            throw ServiceError("\(file.path): there are no streams; give at least one under 'streams:'")
        }
        let requests = try sections.enumerated().map { try stream($1, index: $0) }
        let names = requests.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw ServiceError("\(file.path): two streams are called '\(twice)'; give each a name of its own")
        }
        return requests
    }

    private static func stream(_ section: Section, index: Int) throws -> StreamRequest {
        var settings = EditSettings(prompt: try section.required("prompt"))
        settings.guidanceScale = try section.read("guidance_scale", number)
        settings.imageGuidanceScale = try section.read("image_guidance_scale", number)
        settings.seed =
            try section.read("seed") { text, subject in
                guard let seed = UInt64(text) else {
                    throw ServiceError("\(subject) is '\(text)'; give a whole number from 0")
                }
                return seed
            } ?? 0
        settings.stability = try section.read("stability", SettingText.stability) ?? EditSettings.usualStability
        let hasAnchor = try readAnchor(section, &settings)
        settings.reuse = try reuse(section)
        let source = try section.required("source"), sinks = try section.list("sinks")
        let name = try section.read("name") { text, _ in text } ?? "stream-\(index + 1)"
        var request = try section.locating("source") {
            try StreamRequest(name: name, source: source, sinks: sinks, settings: settings)
        }
        request.anchorIsGiven = hasAnchor
        request.model = try section.read("model") { text, _ in section.relative(text) }
        request.precision = try section.read("precision") { text, subject in
            guard let precision = Precision(rawValue: text) else {
                throw ServiceError("\(subject) is '\(text)'; it must be one of int8, float")
            }
            return precision
        }
        request.live.size = try section.read("size", size)
        request.live.editSize = try section.read("edit_size", size)
        request.live.carriesEdits = try section.read("propagation", SettingText.yesOrNo) ?? true
        request.live.framerate = try section.read("framerate", SettingText.framerate)
        request.live.picture.isMirrored = try section.read("mirror", SettingText.yesOrNo) ?? false
        request.live.picture.rotation = try section.read("rotate", SourcePicture.rotation) ?? 0
        request.live.picture.crop = try section.read("crop", SourcePicture.Margins.parse) ?? .init()
        request.live.latencyBudget = try section.read("latency_budget") { text, subject in
            let latency = try SettingText.latency(text, subject)
            try SettingText.check(latency: latency, framerate: request.live.framerate, subject)
            return latency
        }
        request.live.fallback = try section.read("fallback", SettingText.fallback) ?? .hold
        request.live.weight =
            try section.read("weight") { text, subject in
                let weight = try number(text, subject)
                try Limits.check(weight: weight, subject)
                return weight
            } ?? 1
        return request
    }

    private static func size(_ text: String, _ subject: String) throws -> FrameSize {
        let size = try SettingText.size(text, subject)
        try size.validate(as: subject, advice: "512x384 would do")
        return size
    }

    /// `anchor: rolling`, or the keys `mode` and `max_age`; whether a mode is given.
    private static func readAnchor(_ stream: Section, _ settings: inout EditSettings) throws -> Bool {
        func mode(_ text: String, _ subject: String) throws -> AnchorMode {
            try SettingText.anchor(text, subject, isLive: true)
        }
        let keys = stream.holdsKeys("anchor") ? try stream.section("anchor", allowed: ["mode", "max_age"]) : nil
        if let age = try keys?.read("max_age", SettingText.anchorAge) { settings.anchorMaximumAge = age }
        guard let mode = try keys == nil ? stream.read("anchor", mode) : keys?.read("mode", mode) else { return false }
        settings.anchor = mode
        return true
    }

    /// What a stream may reuse of earlier frames: on unless it says otherwise, or computes in float.
    private static func reuse(_ stream: Section) throws -> ReuseSettings {
        var reuse = ReuseSettings(isOn: try stream.read("precision") { text, _ in text } != Precision.float.rawValue)
        let keys: Set<String> = ["enabled", "min_psnr_db", "max_consecutive"]
        guard let section = try stream.section("reuse", allowed: keys) else { return reuse }
        if let isOn = try section.read("enabled", SettingText.yesOrNo) { reuse.isOn = isOn }
        if let bound = try section.read("min_psnr_db", number) { reuse.minPSNR = bound }
        reuse.maxConsecutive =
            try section.read("max_consecutive") { text, subject in
                guard let count = Int(text) else {
                    throw ServiceError("\(subject) is '\(text)'; give a whole number of frames, for example 60")
                }
                return count
            } ?? reuse.maxConsecutive
        try stream.locating("reuse") { try reuse.check(section.key) }
        return reuse
    }

    private static func number(_ text: String, _ subject: String) throws -> Double {
        guard let number = Double(text), number.isFinite else {
            throw ServiceError("\(subject) is '\(text)'; give a number, for example 7.5")
        }
        return number
    }

    private static func oneLine(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return ":\(mark.line): this is not YAML: \(problem); check indentation and quotes"
        case .duplicatedKeysInMapping(let keys, _):
            return ": the key '\(keys.joined(separator: "', '"))' is given twice; leave one"
        default:
            return ": this is not YAML; check indentation and quotes"
        }
    }
}

/// A mapping of the file, with its place for errors.
private struct Section {
    let path: String
    let key: String
    private let values: [String: Node]

    /// Throws for anything but a mapping with allowed keys.
    init(_ node: Node?, path: String, key: String, allowed: Set<String>) throws {
        self.path = path
        self.key = key
        guard let mapping = node?.mapping else {
            let place = key.isEmpty ? "the file" : "'\(key)'"
            throw ServiceError(
                "\(path)\(Self.line(node)): \(place) must hold keys: \(allowed.sorted().joined(separator: ", "))")
        }
        var values: [String: Node] = [:]
        for (name, value) in mapping {
            guard let text = name.string, allowed.contains(text) else {
                let seen = (key.isEmpty ? "" : key + ".") + (name.string ?? "?")
                throw ServiceError(
                    "\(path)\(Self.line(name)): the key '\(seen)' is unknown; allowed are "
                        + allowed.sorted().joined(separator: ", "))
            }
            values[text] = value
        }
        self.values = values
    }

    /// Whether the value of a key is keys again.
    func holdsKeys(_ name: String) -> Bool { values[name]?.mapping != nil }

    func section(_ name: String, allowed: Set<String>) throws -> Section? {
        guard let node = values[name] else { return nil }
        return try Section(node, path: path, key: full(name), allowed: allowed)
    }

    func sections(_ name: String, allowed: Set<String>) throws -> [Section] {
        guard let node = values[name] else { return [] }
        guard let list = node.sequence else {
            throw ServiceError("\(subject(name)) must be a list; begin each stream with '- '")
        }
        return try list.enumerated().map { try Section($1, path: path, key: "\(full(name))[\($0)]", allowed: allowed) }
    }

    func required(_ name: String) throws -> String {
        guard let text = try read(name, { text, _ in text }), !text.isEmpty else {
            throw ServiceError("\(path): '\(full(name))' is missing; every stream needs source, sinks and prompt")
        }
        return text
    }

    /// One text, or a list of them; at least one.
    func list(_ name: String) throws -> [String] {
        guard let node = values[name] else { return [try required(name)] }
        let nodes = node.sequence.map(Array.init) ?? [node]
        let texts = nodes.compactMap { $0.scalar?.string }
        guard texts.count == nodes.count, !texts.isEmpty else {
            throw ServiceError("\(subject(name)) must be a list of texts, for example [gst:autovideosink]")
        }
        return texts
    }

    /// Reads a value; nil when the key is absent.
    func read<Value>(_ name: String, _ body: (String, String) throws -> Value) throws -> Value? {
        guard let node = values[name] else { return nil }
        guard let text = node.scalar?.string else {
            throw ServiceError("\(subject(name)) must be a single value, not a list or keys")
        }
        return try body(text, subject(name))
    }

    /// Runs `body`; its errors get the place of the key.
    func locating<Value>(_ name: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw ServiceError("\(path)\(Self.line(values[name])): \(error)")
        }
    }

    /// A path as it is meant: from the file's folder.
    func relative(_ text: String) -> String {
        URL(fileURLWithPath: text, relativeTo: URL(fileURLWithPath: path).deletingLastPathComponent()).path
    }

    private func full(_ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }
    private func subject(_ name: String) -> String { "\(path)\(Self.line(values[name])): \(full(name))" }
    private static func line(_ node: Node?) -> String { node?.mark.map { ":\($0.line)" } ?? "" }
}
