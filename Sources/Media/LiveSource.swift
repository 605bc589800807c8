import CGst
import Frames

/// Live RGB frames of one fixed size, put into a mailbox as they come.
final class LiveSource {
    private let pipeline: Pipeline
    private let feed: FrameFeed
    private let spec: SourceSpec
    private let rate: Framerate?
    private var capture: CameraCapture?

    private static let sinkName = "movied_frames"
    private static let defaultSize = FrameSize(width: 640, height: 480)

    /// A source as `spec` says, cropped and scaled to `size` if one is given. `framerate` is asked of cameras and the test
    /// source; frames of a file beyond it are left out before they are converted. `finder` knows the camera again.
    ///
    /// Throws for a file, device or fragment that cannot be opened.
    init(
        _ spec: SourceSpec, size: FrameSize?, framerate: Framerate?, picture: SourcePicture, into mailbox: Mailbox,
        finder: inout CameraFinder
    ) throws(MediaError) {
        self.spec = spec
        let wanted = picture.cameraSize(for: size ?? Self.defaultSize), wantedRate = framerate ?? Framerate(30)
        try GStreamer.require(["decodebin", "videoconvertscale", "aspectratiocrop", "videorate"])
        var head = "", camera: VideoDevice?, isOwn = false
        var choice: (mode: VideoMode, rate: Framerate?)?
        if case .webcam(let wish) = spec {
            let found = try finder.locate()
            choice = try WebcamMode.choose(
                DeviceCatalog.modes(of: found.path), for: wish, size: wanted, framerate: wantedRate)
            camera = found
            isOwn = choice.map { CameraCapture.canServe(found.path, $0.mode) } ?? false
            head = isOwn ? Self.capturing : Self.camera(choice)
        } else {
            head = try Self.head(spec, size: wanted, framerate: wantedRate)
        }
        rate = choice?.rate
        let text = ([head] + Self.tail(spec, framerate: framerate, picture)).joined(separator: " ! ")
        pipeline = try Pipeline(text, subject: "the source '\(spec)' fails")
        if case .file(let path) = spec { cgst_set_string(try pipeline.element("movied_file"), "location", path) }
        feed = FrameFeed(try pipeline.element(Self.sinkName), into: mailbox)
        if let size { try fix(size) }
        if let camera, let choice, isOwn {
            try start(camera, choice.mode)
        } else if let camera {
            cgst_set_string(try pipeline.element("movied_camera"), "device", camera.path)
        }
        try pipeline.set(GST_STATE_PLAYING)
    }

    deinit { capture?.stop() }

    private func start(_ camera: VideoDevice, _ mode: VideoMode) throws(MediaError) {
        let origin = MonotonicClock.nanoseconds
        let writer = try FrameWriter(pipeline, name: "movied_camera", capacity: 2)
        writer.setFormat(try Caps(WebcamMode.caps(mode, rate: rate)))
        pipeline.useSystemClock(from: Int64(origin))
        let capture = CameraCapture(mode, into: writer, origin: origin)
        self.capture = capture
        try begin(capture, camera)
    }

    private func begin(_ capture: CameraCapture, _ camera: VideoDevice) throws(MediaError) {
        do throws(SystemError) {
            try capture.start(camera.path, rate: rate)
        } catch {
            throw MediaError(DeviceHelp.refusal(camera.path, error.number, user: DeviceHelp.user) + ".")
        }
    }

    /// Closes the camera until `resume`; false where there is nothing but to close all.
    func pause() -> Bool {
        capture?.stop()
        return capture != nil
    }

    /// Opens the camera again, wherever it is now. Throws when it is away.
    func resume(_ finder: inout CameraFinder) throws(MediaError) {
        guard let capture else { return }
        try begin(capture, try finder.locate())
    }

    /// Where a program puts frames of its own, if the fragment begins with `appsrc name=movied_inlet`.
    var inlet: FrameInlet? {
        guard let element = try? pipeline.element(FrameInlet.name) else { return nil }
        return FrameInlet(element)
    }

    /// From now on every frame has this size, whatever the source does.
    func fix(_ size: FrameSize) throws(MediaError) {
        let caps = try Caps(
            "video/x-raw,format=RGB,width=\(size.width),height=\(size.height),pixel-aspect-ratio=1/1")
        gst_util_set_object_arg(
            UnsafeMutableRawPointer(try pipeline.element("movied_crop")).assumingMemoryBound(to: GObject.self),
            "aspect-ratio", "\(size.width)/\(size.height)")
        let format = try pipeline.element("movied_format")
        caps.withRaw { cgst_set_caps(format, "caps", $0) }
    }

    /// Throws the source's error, if it has reported one.
    func check() throws(MediaError) {
        try capture?.check()
        try pipeline.check()
    }

    /// Whether no frame will come any more.
    var isAtEnd: Bool { feed.isAtEnd }

    /// Stops its threads and closes devices; no frame comes afterwards.
    func stop() {
        capture?.stop()
        pipeline.stop()
    }

    private static let capturing =
        "appsrc name=movied_camera is-live=true format=time block=false max-buffers=2 max-bytes=0 max-time=0 "
        + "leaky-type=downstream"

    /// A camera that CameraCapture cannot read: several planes, rows with padding, or no list of modes.
    private static func camera(_ choice: (mode: VideoMode, rate: Framerate?)?) -> String {
        "v4l2src name=movied_camera" + (choice.map { " ! " + WebcamMode.caps($0.mode, rate: $0.rate) } ?? "")
    }

    private static func head(_ spec: SourceSpec, size: FrameSize, framerate: Framerate) throws(MediaError) -> String {
        switch spec {
        case .file(let path):
            try InputFile.check(path)
            return "filesrc name=movied_file"
        case .test(let pattern):
            let caps = "video/x-raw,width=\(size.width),height=\(size.height),framerate=\(framerate)"
            return "videotestsrc is-live=true pattern=\(pattern) ! \(caps)"
        case .gst(let fragment):
            return fragment
        case .webcam(let camera):
            throw MediaError("the camera '\(camera)' is no pipeline.")
        }
    }

    /// What follows every source. A file is paced by its timestamps; anything else comes when it comes.
    private static func tail(_ spec: SourceSpec, framerate: Framerate?, _ picture: SourcePicture) -> [String] {
        var isFile = false
        if case .file = spec { isFile = true }
        let rate =
            !isFile
            ? [] : framerate.map { ["videorate drop-only=true max-rate=\(Int($0.framesPerSecond.rounded(.up)))"] } ?? []
        let flip = isFile ? ["videoconvert", "videoflip video-direction=auto"] : []
        return [#"decodebin expose-all-streams=false caps="video/x-raw(ANY)""#] + rate + flip + [
            "videoconvert", "video/x-raw,format=RGB",
        ] + picture.elements + [
            "aspectratiocrop name=movied_crop", "videoconvertscale",
            "capsfilter name=movied_format caps=video/x-raw,format=RGB,pixel-aspect-ratio=1/1",
            "appsink name=\(sinkName) sync=\(isFile) enable-last-sample=false max-buffers=1 drop=true emit-signals=false",
        ]
    }
}
