import Testing

@testable import Media

struct SpecTests {
    @Test(arguments: [
        ("webcam:/dev/video0", SourceSpec.webcam(.init(device: "/dev/video0"))),
        ("file:clip.mp4", .file(path: "clip.mp4")),
        ("file:a:b.mp4", .file(path: "a:b.mp4")), ("test:ball", .test(pattern: "ball")),
        ("gst:videotestsrc ! identity", .gst(fragment: "videotestsrc ! identity")),
    ])
    func sources(_ text: String, _ spec: SourceSpec) throws {
        #expect(try SourceSpec.parse(text) == spec)
        #expect(spec.description == text)
    }

    @Test(arguments: ["", "ball", "camera:/dev/video0", "file:", "gst:  ", "loopback:/dev/video10"])
    func badSources(_ text: String) {
        let expected =
            "'\(text)' is not a source; it must look like webcam:/dev/video0, file:clip.mp4, test:ball, "
            + "gst:videotestsrc is-live=true."
        #expect(throws: MediaError(expected)) { try SourceSpec.parse(text) }
    }

    @Test func badPattern() {
        let error = #expect(throws: MediaError.self) { try SourceSpec.parse("test:bal") }
        #expect(error?.message.hasPrefix("there is no test pattern 'bal'; there are smpte, snow, black") == true)
    }

    @Test(arguments: [
        ("loopback:/dev/video10", SinkSpec.loopback(.init(device: "/dev/video10"))),
        ("loopback:/dev/video10,format=YUY2", .loopback(.init(device: "/dev/video10", format: .yuy2))),
        ("pipewire:my camera", .pipewire(name: "my camera")), ("file:out.mkv", .file(path: "out.mkv")),
        ("gst:fakesink", .gst(fragment: "fakesink")),
    ])
    func sinks(_ text: String, _ spec: SinkSpec) throws {
        #expect(try SinkSpec.parse(text) == spec)
        #expect(spec.description == text)
    }

    @Test(arguments: ["", "webcam:/dev/video0", "file:"])
    func badSinks(_ text: String) {
        let expected =
            "'\(text)' is not a sink; it must look like loopback:/dev/video10, pipewire:movied, file:out.mkv, "
            + "record:clip-%02d.mkv, snapshot:shot-%03d.jpg, gst:autovideosink."
        #expect(throws: MediaError(expected)) { try SinkSpec.parse(text) }
    }
}
