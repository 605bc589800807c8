import Foundation
import Testing

/// A temporary folder of a test, removed with it.
final class Workshop {
    let folder: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "media-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        folder = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { folder + "/" + name }

    /// Makes a file with ffmpeg: `arguments` are what stands before the output's name.
    func make(_ name: String, _ arguments: String) throws -> String {
        let words = arguments.split(separator: " ").map(String.init)
        let command = ["ffmpeg", "-v", "error", "-nostdin", "-y"] + words + [path(name)]
        try #require(Tool.run(command).status == 0, "ffmpeg failed: \(command.joined(separator: " "))")
        return path(name)
    }

    func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
        return path(name)
    }

    /// Names of all files in the folder, hidden ones too.
    var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? [] }
}
