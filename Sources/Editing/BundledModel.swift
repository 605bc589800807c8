import Glibc

/// Finds the model that a library embedded in other programs uses.
public enum BundledModel {
    /// The folder at `path`, or the bundled model: `$MOVIED_MODEL`, then `Models/nano` beside or above the files in
    /// `libraries`, the program and the working directory, then `/usr/share/movied/Models/nano`. Throws when there is none.
    public static func find(_ path: String?, beside libraries: [String]) throws(EditError) -> String {
        if let path, !path.isEmpty { return path }
        if let path = getenv("MOVIED_MODEL"), path.pointee != 0 { return String(cString: path) }
        let starts =
            (libraries + ["/proc/self/exe"]).compactMap(resolved).map(parent) + [resolved(".")].compactMap { $0 }
        for folder in starts.flatMap(withParents) {
            let candidate = "\(folder == "/" ? "" : folder)/Models/nano"
            if access(candidate, F_OK) == 0 { return candidate }
        }
        let installed = "/usr/share/movied/Models/nano"
        guard access(installed, F_OK) == 0 else {
            throw EditError("the bundled model Models/nano was not found: name a model folder, or set MOVIED_MODEL")
        }
        return installed
    }

    private static func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    private static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// The folder, its parent and so on, up to the root.
    private static func withParents(_ folder: String) -> [String] {
        var all = [folder]
        while let last = all.last, last != "/" { all.append(parent(last)) }
        return all
    }
}
