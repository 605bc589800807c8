import Foundation
import TestSupport

/// The repository.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

/// Programs of the machine that load the plugin from a file.
enum Programs {
    /// A folder beside the plugin with nothing but a link to it, and a registry of its own.
    private static let home: String = {
        let plugin = Command(built: "libgstmovie.so").path
        let home = URL(fileURLWithPath: plugin).deletingLastPathComponent().appendingPathComponent("gstmovie-tests")
            .path
        try? FileManager.default.createDirectory(atPath: "\(home)/plugins", withIntermediateDirectories: true)
        try? FileManager.default.createSymbolicLink(
            atPath: "\(home)/plugins/libgstmovie.so", withDestinationPath: plugin)
        return home
    }()

    /// What recipes and tools run with; `more` goes before it.
    static func environment(_ more: [String: String] = [:]) -> [String: String] {
        [
            "GST_PLUGIN_PATH": "\(home)/plugins", "GST_REGISTRY": "\(home)/registry", "MOVIED_MODEL": testModel,
            "MOVIED": Command(built: "movied").path, "SIZE": "96x64", "PROMPT": testPrompt, "SINK": "fakesink",
            "SOURCE": liveSource(frames: 10), "GST_DEBUG": "", "GST_TRACERS": "",
        ].merging(more) { $1 }
    }

    static func liveSource(frames: Int) -> String {
        "videotestsrc is-live=true num-buffers=\(frames) ! video/x-raw,width=96,height=64,framerate=30/1"
    }

    /// Runs a line of gst-launch.
    static func launch(_ line: String, _ more: [String: String] = [:]) throws -> CommandResult {
        try run("exec gst-launch-1.0 -q \(line)", more)
    }

    /// Runs a shell script in the repository; processes it leaves behind are ended.
    static func run(_ script: String, _ more: [String: String] = [:]) throws -> CommandResult {
        let bash = Command(path: "/bin/bash")
        let text = "trap 'kill $(jobs -p) 2>/dev/null' EXIT; cd '\(repository)'; \(script)"
        return try bash.run(["-c", text], environment: environment(more), stopAfter: 60)
    }

    static let hasLaunch = Command(inPath: "gst-launch-1.0") != nil
    static let hasFFmpeg = Command(inPath: "ffmpeg") != nil && Command(inPath: "ffprobe") != nil

    /// Whether all elements are installed, the plugin's own among them.
    static func has(_ elements: String...) -> Bool {
        guard hasLaunch else { return false }
        return
            (try? run(elements.map { "gst-inspect-1.0 --exists --atleast-version=0.0 \($0)" }.joined(separator: " && "))
            .status) == 0
    }

    /// Whether Debian's Python has GStreamer's bindings with these namespaces.
    static func hasPython(_ namespaces: String...) -> Bool {
        let versions = namespaces.map { "gi.require_version('\($0)', '1.0')" }.joined(separator: "; ")
        return (try? run("/usr/bin/python3 -c \"import gi; \(versions)\"").status) == 0
    }

    /// Frames of a file's picture, and of its sound packets 0 or more.
    static func frames(in path: String) throws -> (video: Int, audio: Int) {
        func count(_ stream: String) throws -> Int {
            let probe =
                "ffprobe -v error -count_frames -select_streams \(stream) -show_entries stream=nb_read_frames -of csv=p=0"
            let text = try run("\(probe) '\(path)'").output.split(separator: "\n").first.map(String.init) ?? ""
            return Int(text.filter(\.isNumber)) ?? 0
        }
        return (try count("v:0"), try count("a:0"))
    }
}
