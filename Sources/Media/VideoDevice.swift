import Glibc

/// The video devices of this machine.
enum VideoDevice {
    /// Paths of all `/dev/video*`, sorted.
    static func list() -> [String] {
        guard let folder = opendir("/dev") else { return [] }
        defer { closedir(folder) }
        var found: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix("video") { found.append("/dev/" + name) }
        }
        return found.sorted()
    }

    /// Whether `path` is a device.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
    }

    /// Throws unless `path` is a device that this user may open. The sentence lists the devices there are.
    static func checkCamera(_ path: String) throws(MediaError) {
        guard exists(path) else {
            let present = list()
            let names = present.joined(separator: ", ")
            let others = present.isEmpty ? "there is no /dev/video* here" : "there are \(names)"
            throw MediaError("there is no camera at '\(path)'; \(others).")
        }
        try checkAccess(path, R_OK)
    }

    /// Throws unless `path` is a device that this user may write. The sentence has the command that makes one.
    static func checkLoopback(_ path: String) throws(MediaError) {
        guard exists(path) else {
            throw MediaError(
                "there is no loopback device at '\(path)'; make one with: "
                    + "sudo modprobe v4l2loopback video_nr=\(number(of: path)) exclusive_caps=1 card_label=movied")
        }
        try checkAccess(path, W_OK)
    }

    private static func number(of path: String) -> Int {
        Int(path.reversed().prefix { $0.isNumber }.reversed().map(String.init).joined()) ?? 10
    }

    private static func checkAccess(_ path: String, _ mode: Int32) throws(MediaError) {
        guard access(path, mode) != 0 else { return }
        throw MediaError("'\(path)' cannot be opened: \(systemReason(errno)); is this user in the group 'video'?")
    }
}
