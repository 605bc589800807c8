import Glibc

/// What the file system says about a path that somebody wants read.
enum InputFile {
    /// Throws unless `path` is a regular, readable file that is not empty.
    static func check(_ path: String) throws(MediaError) {
        let kind = try Self.kind(of: path)
        if kind.isFolder { throw MediaError("'\(path)' is a folder; give the path of a video file.") }
        if !kind.isRegular { throw MediaError("'\(path)' is not a regular file; give the path of a video file.") }
        if access(path, R_OK) != 0 {
            throw MediaError("'\(path)' cannot be read: \(systemReason(errno)); check its permissions.")
        }
        if kind.bytes == 0 { throw MediaError("'\(path)' is empty (0 bytes); give a video file.") }
    }

    /// Whether both paths lead to the same file.
    static func isSame(_ first: String, _ second: String) -> Bool {
        var one = stat()
        var other = stat()
        guard stat(first, &one) == 0, stat(second, &other) == 0 else { return false }
        return one.st_dev == other.st_dev && one.st_ino == other.st_ino
    }

    private static func kind(of path: String) throws(MediaError) -> (isFolder: Bool, isRegular: Bool, bytes: Int) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { throw MediaError("'\(path)' does not exist; check the path.") }
            throw MediaError("'\(path)' cannot be read: \(systemReason(errno)).")
        }
        let type = status.st_mode & S_IFMT
        return (type == S_IFDIR, type == S_IFREG, Int(status.st_size))
    }
}

/// The system's words for an error number, for example `Permission denied`.
func systemReason(_ number: Int32) -> String {
    strerror(number).map { String(cString: $0) } ?? "error \(number)"
}
