import CVideo
import Frames
import Glibc

/// The video devices of this machine, as they are now.
public enum DeviceCatalog {
    /// Every device that this user may open, by path.
    public static func devices() -> [VideoDevice] {
        let links = idLinks()
        return paths().compactMap { path in
            do throws(SystemError) { return try VideoDevice.read(path, links: links) } catch { return nil }
        }
    }

    /// Devices that are there and cannot be opened, each with the system's reason.
    public static func unreadable() -> [(path: String, reason: String)] {
        paths().compactMap { path in
            do throws(SystemError) {
                _ = try VideoDevice.read(path)
                return nil
            } catch {
                return (path, error.reason)
            }
        }
    }

    /// What a camera offers, as its driver lists it; empty for a device that gives no list. A size range is listed as its
    /// ends and the usual sizes between them.
    public static func modes(of path: String) -> [VideoMode] {
        let device = movie_video_open(path, 0)
        guard device >= 0 else { return [] }
        defer { movie_video_close(device) }
        var modes: [VideoMode] = []
        var fourcc: UInt32 = 0, index: UInt32 = 0
        while index < 64, movie_video_list_format(device, 0, index, &fourcc) >= 0 {
            for size in sizes(device, fourcc) {
                modes.append(
                    VideoMode(format: letters(fourcc), size: size, rates: rates(device, fourcc, size)))
            }
            index += 1
        }
        return modes
    }

    /// What to do about a device that cannot be opened.
    public static func advice(path: String) -> String { CameraFinder.unopened(path) }

    /// What to do where there is no loopback device.
    public static var loopbackAdvice: String { DeviceHelp.noLoopback("/dev/video10", .here()) }

    /// Paths of all `/dev/video*`, in the order of their numbers.
    static func paths() -> [String] {
        SystemText.names(in: "/dev").map(\.name).filter(isVideo)
            .sorted { (Int($0.dropFirst(5)) ?? 0) < (Int($1.dropFirst(5)) ?? 0) }.map { "/dev/" + $0 }
    }

    /// A number that changes when a device comes or goes, also when another takes its name. Opens nothing.
    static func fingerprint() -> UInt {
        var sum: UInt = 0
        for entry in SystemText.names(in: "/dev") where isVideo(entry.name) {
            sum = sum &* 1_000_003 &+ entry.inode
            for byte in entry.name.utf8 { sum = sum &* 31 &+ UInt(byte) }
        }
        return sum
    }

    private static func isVideo(_ name: String) -> Bool {
        name.hasPrefix("video") && name.count > 5 && name.dropFirst(5).allSatisfy(\.isNumber)
    }

    /// Names below /dev/v4l/by-id, by the path they lead to.
    private static func idLinks() -> [String: String] {
        let folder = "/dev/v4l/by-id"
        var links: [String: String] = [:]
        for entry in SystemText.names(in: folder) {
            if let path = SystemText.realPath("\(folder)/\(entry.name)") { links[path] = entry.name }
        }
        return links
    }

    private static let usualSizes = [
        (320, 240), (640, 360), (640, 480), (800, 600), (1024, 768), (1280, 720), (1280, 960), (1920, 1080),
        (2560, 1440), (3840, 2160),
    ].map { FrameSize(width: $0.0, height: $0.1) }

    private static func sizes(_ device: Int32, _ fourcc: UInt32) -> [FrameSize] {
        var found: [FrameSize] = []
        var size = movie_video_size(), index: UInt32 = 0
        while index < 256, movie_video_list_size(device, fourcc, index, &size) >= 0 {
            let least = FrameSize(width: Int(size.width), height: Int(size.height))
            let most = FrameSize(width: Int(size.last_width), height: Int(size.last_height))
            found.append(least)
            if most != least {
                found += usualSizes.filter {
                    $0.width > least.width && $0.height > least.height && $0.width < most.width
                        && $0.height < most.height
                }
                found.append(most)
            }
            index += 1
        }
        return found
    }

    private static func rates(_ device: Int32, _ fourcc: UInt32, _ size: FrameSize) -> [Framerate] {
        var found: [Framerate] = []
        var rate = movie_video_rate(), index: UInt32 = 0
        let width = UInt32(size.width), height = UInt32(size.height)
        while index < 64, movie_video_list_rate(device, fourcc, width, height, index, &rate) >= 0 {
            found.append(Framerate(Int(rate.numerator), Int(rate.denominator)))
            index += 1
        }
        return found.sorted { $0.framesPerSecond > $1.framesPerSecond }
    }

    /// Four letters, those at the end that say nothing left out.
    static func letters(_ fourcc: UInt32) -> String {
        let bytes = (0..<4).map { UInt8(fourcc >> (8 * UInt32($0)) & 0x7f) }
        return String(decoding: bytes.reversed().drop { $0 == 32 || $0 == 0 }.reversed(), as: UTF8.self)
    }
}
