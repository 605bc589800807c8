import Foundation
import Networks

/// Finds the model to use.
public enum ModelLocator {
    /// The folder at `path`, or the bundled model: `$MOVIED_MODEL`, then `Models/nano` beside or above the program or the
    /// working directory, then `/usr/share/movied/Models/nano`.
    public static func find(_ path: String?) throws -> ModelFolder {
        if let path { return try ModelFolder(path: path) }
        if let path = ProcessInfo.processInfo.environment["MOVIED_MODEL"], !path.isEmpty {
            return try ModelFolder(path: path)
        }
        for candidate in candidates() where FileManager.default.fileExists(atPath: candidate) {
            return try ModelFolder(path: candidate)
        }
        throw ServiceError(
            "the bundled model Models/nano was not found: give a model folder with --model or MOVIED_MODEL")
    }

    private static func candidates() -> [String] {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let here = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
        return [program, here].flatMap(withParents).map { $0.appendingPathComponent("Models/nano").path }
            + ["/usr/share/movied/Models/nano"]
    }

    /// The folder, its parent and so on, up to the root.
    private static func withParents(_ folder: URL) -> [URL] {
        var all = [folder], current = folder
        while current.path != "/" {
            current = current.deletingLastPathComponent()
            all.append(current)
        }
        return all
    }
}
