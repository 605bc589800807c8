import Glibc

/// A file mapped into memory for reading; unmapped when the last reference goes.
public final class MappedFile: @unchecked Sendable {
    /// The file's path as given.
    public let path: String
    /// The file's bytes.
    public let bytes: UnsafeRawBufferPointer

    /// Maps the whole of `path`. Throws when it cannot be opened, is a folder or is empty.
    public init(path: String) throws(TensorError) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)  // a pipe would wait for its writer
        guard descriptor >= 0 else { throw TensorError("cannot open \(path): \(lastSystemError())") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw TensorError("cannot read \(path): \(lastSystemError())") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw TensorError("\(path) is not a file") }
        let size = Int(status.st_size)
        guard size > 0 else { throw TensorError("\(path) is empty") }
        guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw TensorError("cannot map \(path) (\(size) bytes): \(lastSystemError())")
        }
        bytes = UnsafeRawBufferPointer(start: base, count: size)
    }

    /// Tells the system that the whole pages within `range` are not needed for now.
    func discard(_ range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = (range.lowerBound + page - 1) / page * page, last = range.upperBound / page * page
        guard first < last, let base = bytes.baseAddress else { return }
        madvise(UnsafeMutableRawPointer(mutating: base + first), last - first, MADV_DONTNEED)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }
}

/// What the last failed system call complained of, in words.
public func lastSystemError() -> String {
    String(cString: strerror(errno))
}
