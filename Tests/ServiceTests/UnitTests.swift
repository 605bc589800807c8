import Foundation
import TestSupport
import Testing

/// The systemd unit and its example configuration say what the program understands.
@Suite struct UnitTests {
    private func lines(_ path: String) throws -> [String] {
        try String(contentsOfFile: "\(packageFolder)/\(path)", encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// NAME=value lines of the example.
    private func settings() throws -> [String: String] {
        let pairs = try lines("Configs/webcam.env").filter { !$0.hasPrefix("#") }.map { line in
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            return (parts[0], parts.count == 2 ? parts[1] : "")
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// The unit's command with a test source in place of the camera, as systemd would split it.
    @Test func theUnitsCommandRuns() throws {
        var settings = try settings()
        #expect(settings["SOURCE"]?.hasPrefix("webcam:") == true && settings["SINK"]?.hasPrefix("loopback:") == true)
        settings["SOURCE"] = "test:ball"
        settings["SINK"] = "gst:fakesink"
        settings["OPTIONS"] = settings["OPTIONS"]?.replacingOccurrences(of: "512x384", with: "128x96")
        let prefix = "ExecStart=/usr/bin/movied "
        let line = try #require(try lines("systemd/movied@.service").first { $0.hasPrefix(prefix) })
        let arguments = line.dropFirst(prefix.count).split(separator: " ").flatMap { word -> [String] in
            if word.hasPrefix("${") { return [settings[String(word.dropFirst(2).dropLast())] ?? "missing"] }
            if word.hasPrefix("$") {
                return (settings[String(word.dropFirst())] ?? "").split(separator: " ").map(String.init)
            }
            return [String(word)]
        }
        let result = try Command(built: "movied").run(arguments, stopAfter: 3, with: SIGTERM)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains(" published of 128x96"))
    }

    @Test(.enabled(if: Command(inPath: "systemd-analyze") != nil, "systemd-analyze is not installed"))
    func systemdAcceptsTheUnit() throws {
        let systemd = try #require(Command(inPath: "systemd-analyze"))
        let result = try systemd.run(["verify", "\(packageFolder)/systemd/movied@.service"])
        let complaints = result.errors.split(separator: "\n").filter { !$0.contains("is not executable") }
        #expect(complaints.isEmpty, "\(complaints)")
    }
}
