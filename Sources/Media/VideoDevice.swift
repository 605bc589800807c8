import CVideo
import Glibc

/// A video device of this machine: a camera, or one that programs write to.
public struct VideoDevice: Equatable, Sendable {
    /// Where it is now: `/dev/video0`. It may be another after the next start or the next time it is plugged in.
    public let path: String
    /// What the device calls itself: `HD Pro Webcam C920`.
    public let name: String
    /// The kernel's driver: `uvcvideo`, `v4l2 loopback`.
    public let driver: String
    /// Where it is plugged in, as the driver says: `usb-0000:00:14.0-1`.
    public let bus: String
    /// What stays when it is plugged in again: its name below /dev/v4l/by-id, or bus and number where it has none.
    public let id: String
    /// Whether it gives pictures.
    public let isCamera: Bool
    /// Whether programs write pictures to it.
    public let isOutput: Bool
    /// Whether it says now that it is one. v4l2loopback no longer does, once it has a writer.
    let saysOutput: Bool

    /// A device.
    init(
        path: String, name: String, driver: String, bus: String, id: String, isCamera: Bool, saysOutput: Bool
    ) {
        self.path = path
        self.name = name
        self.driver = driver
        self.bus = bus
        self.id = id
        self.isCamera = isCamera
        self.saysOutput = saysOutput
        isOutput = saysOutput || driver == Self.loopback
    }

    /// Whether it is a virtual camera of the module v4l2loopback.
    public var isLoopback: Bool { driver == Self.loopback }

    private static let loopback = "v4l2 loopback"

    /// For lists in sentences: `/dev/video0 (HD Pro Webcam C920)`.
    var short: String { "\(path) (\(name))" }

    /// Whether `path` is a device.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
    }

    /// The device at `path`. `links` are names below /dev/v4l/by-id by the paths they lead to.
    static func read(_ path: String, links: [String: String] = [:]) throws(SystemError) -> VideoDevice {
        let device = try SystemError.check(movie_video_open(path, 0))
        defer { movie_video_close(device) }
        var identity = movie_video_identity()
        _ = try SystemError.check(movie_video_identify(device, &identity))
        let bus = text(identity.bus)
        let index = SystemText.read("/sys/class/video4linux/\(path.dropFirst(5))/index") ?? "0"
        let abilities = Int(identity.abilities)
        return VideoDevice(
            path: path, name: text(identity.card), driver: text(identity.driver), bus: bus,
            id: links[path] ?? (index == "0" ? bus : "\(bus)#\(index)"),
            isCamera: abilities & MOVIE_VIDEO_CAPTURE != 0,
            saysOutput: abilities & MOVIE_VIDEO_OUTPUT != 0)
    }

    private static func text<Tuple>(_ characters: Tuple) -> String {
        withUnsafeBytes(of: characters) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// An error number of the system.
struct SystemError: Error, Equatable {
    let number: Int32

    /// The result of a C function that gives -errno on failure.
    static func check(_ result: Int32) throws(SystemError) -> Int32 {
        guard result < 0 else { return result }
        throw SystemError(number: -result)
    }

    /// As the system says it: `Permission denied`.
    var reason: String { systemReason(number) }
}

/// Small texts of the system: files below /proc and /sys.
enum SystemText {
    /// The first 4096 bytes of a file without the line end; nil when it cannot be read.
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { return nil }
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        return String(text.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// Names in a folder, sorted; none when it cannot be read.
    static func names(in folder: String) -> [(name: String, inode: UInt)] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var found: [(name: String, inode: UInt)] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { found.append((name, UInt(entry.pointee.d_ino))) }
        }
        return found.sorted { $0.name < $1.name }
    }

    /// The path that a link leads to, without links in it; nil when there is no such file.
    static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
