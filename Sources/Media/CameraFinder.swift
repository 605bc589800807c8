import CVideo
import Glibc

/// Finds a camera by what it was called, and finds it again after it was away, under whatever number it comes back.
struct CameraFinder {
    private let wanted: String
    /// The id of the camera that was found first; a path leads to another camera as soon as devices come and go.
    private(set) var id: String?

    /// A finder of the camera called `wanted`: a path, an id, a bus or a name.
    init(_ wanted: String) { self.wanted = wanted }

    /// Where the camera is now, which may be opened. Throws a sentence that lists the cameras there are.
    mutating func locate() throws(MediaError) -> VideoDevice {
        let found = try locate(among: DeviceCatalog.devices(), exists: { access($0, F_OK) == 0 })
        try Self.check(found)
        remember(found)
        return found
    }

    /// From now on this camera is meant, wherever it is.
    mutating func remember(_ camera: VideoDevice) { id = camera.id }

    /// As `locate`, among these devices; `exists` tells whether there is something at a path.
    func locate(among devices: [VideoDevice], exists: (String) -> Bool) throws(MediaError) -> VideoDevice {
        let cameras = devices.filter { $0.isCamera }
        if let id, let same = cameras.first(where: { $0.id == id }) { return same }
        if wanted.hasPrefix("/") { return try at(wanted, devices, exists) }
        let matches = Self.matches(wanted, cameras)
        if matches.count == 1 { return matches[0] }
        let list = (matches.isEmpty ? cameras : matches).map { "\($0.short), id '\($0.id)'" }.joined(separator: "; ")
        if matches.isEmpty {
            throw MediaError(
                "there is no camera called '\(wanted)'; " + (cameras.isEmpty ? Self.none : "there are \(list)."))
        }
        throw MediaError("'\(wanted)' are several cameras; give the id of one: \(list).")
    }

    private static let none = "there is no camera that this user may open; see 'movied devices'."

    private static func matches(_ wanted: String, _ cameras: [VideoDevice]) -> [VideoDevice] {
        let exact = cameras.filter { $0.id == wanted || $0.bus == wanted || $0.name == wanted }
        if !exact.isEmpty { return exact }
        let small = wanted.lowercased()
        return cameras.filter { $0.name.lowercased().contains(small) || $0.id.lowercased().contains(small) }
    }

    private func at(
        _ path: String, _ devices: [VideoDevice], _ exists: (String) -> Bool
    ) throws(MediaError) -> VideoDevice {
        let real = SystemText.realPath(path) ?? path
        if let device = devices.first(where: { $0.path == real || $0.path == path }) {
            if device.isCamera { return device }
            throw MediaError(
                device.isLoopback
                    ? "'\(path)' is a loopback device without a writer: no program sends pictures to it yet."
                    : "'\(path)' (\(device.name)) is not a camera: it gives no pictures; \(Self.list(devices)).")
        }
        guard exists(path) else { throw MediaError("there is no camera at '\(path)'; \(Self.list(devices)).") }
        throw MediaError(Self.unopened(path))
    }

    private static func list(_ devices: [VideoDevice]) -> String {
        let cameras = devices.filter(\.isCamera).map(\.short)
        return cameras.isEmpty ? "there is none here" : "there are \(cameras.joined(separator: ", "))"
    }

    /// Why a device that exists cannot be used.
    static func unopened(_ path: String) -> String {
        let device = movie_video_open(path, 0)
        guard device >= 0 else { return DeviceHelp.refusal(path, -device, user: DeviceHelp.user) }
        movie_video_close(device)
        return "'\(path)' is not a video device."
    }

    /// Throws when another program streams from it.
    private static func check(_ camera: VideoDevice) throws(MediaError) {
        let device = movie_video_open(camera.path, 0)
        guard device >= 0 else { throw MediaError(unopened(camera.path)) }
        defer { movie_video_close(device) }
        // A loopback device would be disturbed by the question, and tells readers by itself.
        guard !camera.isLoopback, movie_video_is_busy(device) == 1 else { return }
        throw MediaError(
            "the camera \(camera.short) is busy: another program uses it; end that one (fuser -v \(camera.path) names it), "
                + "or let it read movied's loopback device instead.")
    }
}
