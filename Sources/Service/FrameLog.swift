import Foundation
import Media
import Scheduling

/// A file with a line about every published frame: comma-separated values for tables and plots.
final class FrameLog {
    private let file: FileHandle

    /// Begins the file. Throws when it cannot be written.
    init(path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else { throw ServiceError("the frame log '\(path)' cannot be written; check its folder") }
        self.file = file
        write("stream,number,timestamp_ms,published_ms,rung,age_ms,reason\n")
    }

    /// Adds frames of a stream.
    func add(_ frames: [PublishedFrame], of stream: String) {
        write(frames.map { line($0, stream) }.joined())
    }

    private func line(_ frame: PublishedFrame, _ stream: String) -> String {
        let cells = [
            stream, "\(frame.number)", frame.timestamp.inMilliseconds.text(3), frame.published.inMilliseconds.text(3),
            frame.publication.rung.description, frame.publication.age.inMilliseconds.text(3),
            frame.publication.reason.description,
        ]
        return cells.joined(separator: ",") + "\n"
    }

    private func write(_ text: String) { try? file.write(contentsOf: Data(text.utf8)) }
}
