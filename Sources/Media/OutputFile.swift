import Glibc
import Synchronization

/// A file that appears under its name only when it is whole.
///
/// It is written under a temporary name in the same folder; `commit` renames it, and without that the temporary goes
/// away with this object and an existing file stays as it was.
final class OutputFile {
    /// The name under which to write.
    let temporaryPath: String
    private let path: String
    private var isPending = true

    private static let counter = Atomic<Int>(0)

    /// Reserves the temporary. Throws when the folder or an existing file there cannot be written.
    init(path: String) throws(MediaError) {
        self.path = Self.target(of: path)
        try Self.checkExisting(self.path)
        let number = Self.counter.add(1, ordering: .relaxed).newValue
        temporaryPath = Self.folder(of: self.path) + ".movied-\(getpid())-\(number).part"
        let descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw MediaError("'\(path)' cannot be written: \(systemReason(errno)); check its folder.")
        }
        close(descriptor)
    }

    deinit {
        if isPending { unlink(temporaryPath) }
    }

    /// Gives the file its name. Throws when the system refuses; the temporary is then removed.
    func commit() throws(MediaError) {
        guard rename(temporaryPath, path) == 0 else {
            throw MediaError("'\(path)' cannot be written: \(systemReason(errno)).")
        }
        isPending = false
    }

    /// Bytes written so far, as far as the system knows.
    var bytes: Int {
        var status = stat()
        return stat(temporaryPath, &status) == 0 ? Int(status.st_size) : 0
    }

    private static func checkExisting(_ path: String) throws(MediaError) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: throw MediaError("the output '\(path)' is a folder; give the path of a file.")
        case S_IFREG: break
        default: throw MediaError("the output '\(path)' is not a regular file; give the path of a file.")
        }
        if access(path, W_OK) != 0 { throw MediaError("'\(path)' cannot be written: \(systemReason(errno)).") }
    }

    /// Where a symbolic link leads, so that the link stays and its target is replaced.
    private static func target(of path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[...slash])
    }
}
