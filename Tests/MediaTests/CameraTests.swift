import Frames
import Testing

@testable import Media

/// A camera for tests.
func camera(
    _ path: String, _ name: String, id: String, bus: String = "usb-1", isCamera: Bool = true,
    driver: String = "uvcvideo"
) -> VideoDevice {
    VideoDevice(path: path, name: name, driver: driver, bus: bus, id: id, isCamera: isCamera, saysOutput: false)
}

struct CameraFinderTests {
    private let desk = camera("/dev/video0", "HD Pro Webcam C920", id: "usb-046d_C920-index0", bus: "usb-1")
    private let door = camera("/dev/video2", "Door Cam", id: "usb-Door-index0", bus: "usb-2")

    private func find(_ wanted: String, _ devices: [VideoDevice]) -> String {
        do throws(MediaError) {
            return try CameraFinder(wanted).locate(among: devices, exists: { _ in false }).path
        } catch {
            return error.message
        }
    }

    @Test(arguments: [
        ("/dev/video2", "/dev/video2"), ("usb-Door-index0", "/dev/video2"), ("usb-2", "/dev/video2"),
        ("Door Cam", "/dev/video2"), ("c920", "/dev/video0"),
    ])
    func byWhateverItIsCalled(_ wanted: String, _ path: String) {
        #expect(find(wanted, [desk, door]) == path)
    }

    @Test func noneOfTheName() {
        #expect(
            find("Logi", [desk, door])
                == "there is no camera called 'Logi'; there are /dev/video0 (HD Pro Webcam C920), id "
                + "'usb-046d_C920-index0'; /dev/video2 (Door Cam), id 'usb-Door-index0'.")
        #expect(find("Logi", []).hasSuffix("there is no camera that this user may open; see 'movied devices'."))
    }

    @Test func severalOfTheName() {
        #expect(find("usb", [desk, door]).hasPrefix("'usb' are several cameras; give the id of one: "))
    }

    @Test func noSuchPath() {
        #expect(
            find("/dev/video9", [desk])
                == "there is no camera at '/dev/video9'; there are /dev/video0 (HD Pro Webcam C920).")
    }

    @Test func notACamera() {
        let metadata = camera("/dev/video1", "C920", id: "x", isCamera: false)
        #expect(
            find("/dev/video1", [desk, metadata])
                == "'/dev/video1' (C920) is not a camera: it gives no pictures; there are "
                + "/dev/video0 (HD Pro Webcam C920).")
        let loopback = camera("/dev/video10", "L", id: "y", isCamera: false, driver: "v4l2 loopback")
        #expect(find("/dev/video10", [loopback]).contains("without a writer"))
    }

    @Test func isFoundAgainUnderAnotherNumber() throws {
        var finder = CameraFinder("/dev/video0")
        finder.remember(desk)
        let back = camera("/dev/video4", desk.name, id: desk.id)
        let other = camera("/dev/video0", "Other", id: "other")
        #expect(try finder.locate(among: [other, back], exists: { _ in true }) == back)
    }
}

struct WebcamModeTests {
    /// Like most cameras: raw pictures are slow when they are large.
    private let modes = [
        VideoMode(format: "YUYV", size: .init(width: 640, height: 480), rates: [Framerate(30), Framerate(15)]),
        VideoMode(format: "YUYV", size: .init(width: 1280, height: 720), rates: [Framerate(10)]),
        VideoMode(format: "MJPG", size: .init(width: 640, height: 480), rates: [Framerate(30)]),
        VideoMode(format: "MJPG", size: .init(width: 1280, height: 720), rates: [Framerate(60), Framerate(30)]),
        VideoMode(format: "MJPG", size: .init(width: 1920, height: 1080), rates: [Framerate(30)]),
        VideoMode(format: "BG10", size: .init(width: 640, height: 480), rates: [Framerate(90)]),
    ]

    private func choose(_ spec: String, _ width: Int, _ height: Int, _ rate: Int = 30) throws -> String? {
        let size = FrameSize(width: width, height: height)
        return try WebcamMode.choose(
            modes, for: try WebcamSpec.parse(spec), size: size, framerate: Framerate(rate)
        ).map { WebcamMode.caps($0.mode, rate: $0.rate) }
    }

    @Test(arguments: [
        (640, 480, 30, "video/x-raw,format=YUY2,width=640,height=480,framerate=30/1"),
        (512, 384, 30, "video/x-raw,format=YUY2,width=640,height=480,framerate=30/1"),
        (640, 480, 10, "video/x-raw,format=YUY2,width=640,height=480,framerate=15/1"),
        (1280, 720, 30, "image/jpeg,width=1280,height=720,framerate=30/1"),
        (1280, 720, 10, "video/x-raw,format=YUY2,width=1280,height=720,framerate=10/1"),
        (1280, 720, 60, "image/jpeg,width=1280,height=720,framerate=60/1"),
        (3840, 2160, 30, "image/jpeg,width=1920,height=1080,framerate=30/1"),
    ])
    func theBestForTheOutput(_ width: Int, _ height: Int, _ rate: Int, _ caps: String) throws {
        #expect(try choose("c", width, height, rate) == caps)
    }

    @Test func whatIsAskedFor() throws {
        #expect(try choose("c,format=MJPEG", 640, 480) == "image/jpeg,width=640,height=480,framerate=30/1")
        #expect(
            try choose("c,size=1280x720,rate=10", 640, 480)
                == "video/x-raw,format=YUY2,width=1280,height=720,framerate=10/1")
    }

    @Test func aModeThatTheCameraLacks() {
        let expected =
            "the camera 'c' has no mode NV12 1280x720 at 60 fps; it has: YUYV 640x480 at 30, 15 fps; "
            + "YUYV 1280x720 at 10 fps; MJPG 640x480 at 30 fps; MJPG 1280x720 at 60, 30 fps; MJPG 1920x1080 at 30 fps."
        #expect(throws: MediaError(expected)) { try choose("c,format=NV12,size=1280x720,rate=60", 640, 480) }
    }

    @Test func aCameraWithoutAList() throws {
        let size = FrameSize(width: 640, height: 480)
        #expect(try WebcamMode.choose([], for: .init(device: "c"), size: size, framerate: Framerate(30)) == nil)
    }
}

struct WebcamSpecTests {
    @Test func namesMayHaveCommas() throws {
        let spec = try WebcamSpec.parse("Cam, front,format=yuy2,rate=30000/1001")
        #expect(spec.device == "Cam, front" && spec.format == "YUYV" && spec.rate == Framerate(30000, 1001))
        #expect(try WebcamSpec.parse(spec.description) == spec)
        #expect(try WebcamSpec.parse("Cam, a=b").device == "Cam, a=b")
    }

    @Test(arguments: [
        ("c,format=XYZ9", "format is 'XYZ9'; give MJPEG, YUYV, NV12 or another of 'movied devices'."),
        ("c,size=640", "size is '640'; give width and height, for example 1280x720."),
        ("c,size=0x480", "size is '0x480'; give width and height, for example 1280x720."),
        ("c,rate=fast", "rate is 'fast'; give frames a second, for example 30 or 30000/1001."),
    ])
    func badOptions(_ text: String, _ message: String) {
        #expect(throws: MediaError(message)) { try WebcamSpec.parse(text) }
    }

    @Test func badLoopbackFormat() {
        #expect(throws: MediaError("format is 'BGRA'; give one of I420, YUY2, NV12, RGB.")) {
            try SinkSpec.parse("loopback:/dev/video10,format=BGRA")
        }
    }

    @Test func badCameraName() {
        #expect(throws: MediaError.self) { try SinkSpec.parse("pipewire:a\"b") }
    }

    @Test func devicesThatAreUsedTwice() throws {
        func check(_ streams: [(String, [String])]) throws {
            try DeviceUse.check(
                try streams.enumerated().map { index, stream in
                    var settings = LiveSettings(
                        source: try .parse(stream.0), sinks: try stream.1.map { try SinkSpec.parse($0) })
                    settings.name = "s\(index)"
                    return settings
                })
        }
        try check([("webcam:/dev/video0", ["loopback:/dev/video10", "loopback:/dev/video11"])])
        let twice = [("test:ball", ["loopback:/dev/video9", "loopback:/dev/video9"])]
        #expect(
            throws: MediaError(
                "'s0' and 's1' both use '/dev/video0'; a camera serves one stream, which may have several sinks.")
        ) { try check([("webcam:/dev/video0", ["gst:fakesink"]), ("webcam:/dev/video0", ["gst:fakesink"])]) }
        #expect(throws: MediaError.self) { try check(twice) }
    }
}
