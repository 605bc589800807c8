import CGst
import Foundation
import Frames
import Glibc
import Testing

@testable import Media

struct FileSequenceTests {
    private func sequence(_ text: String) throws(MediaError) -> FileSequence {
        try FileSequence(text, endings: ["jpg", "png"])
    }

    @Test func takesTheFirstFreeNumber() throws {
        let files = try sequence("a/desk-%03d.jpg")
        #expect(files.name(7) == "a/desk-007.jpg" && files.name(1234) == "a/desk-1234.jpg")
        #expect(files.next { ["a/desk-001.jpg", "a/desk-002.jpg"].contains($0) } == "a/desk-003.jpg")
        #expect(try sequence("%d.png").name(5) == "5.png")
    }

    @Test(arguments: ["a.jpg", "a-%03d-%03d.jpg", "a-%s.jpg", "a-%xd.jpg", "a-%0d.jpg"])
    func namesWithoutAPlaceForANumber(_ text: String) {
        let error = #expect(throws: MediaError.self) { try sequence(text) }
        #expect(error?.message.contains("desk-%03d.jpg") == true)
    }

    @Test func anotherExtension() {
        #expect(throws: MediaError("the name 'a-%d.gif' must end in one of .jpg, .png.")) { try sequence("a-%d.gif") }
    }
}

struct SourcePictureTests {
    @Test func whatACameraMustGive() {
        var picture = SourcePicture()
        picture.rotation = 90
        picture.crop = .init(left: 10, top: 20, right: 30, bottom: 40)
        #expect(picture.cameraSize(for: .init(width: 320, height: 240)) == FrameSize(width: 280, height: 380))
    }

    @Test(arguments: ["1,2,3", "a,0,0,0", "-1,0,0,0", "0,0,0,99999"])
    func badMargins(_ text: String) {
        let error = #expect(throws: MediaError.self) { try SourcePicture.Margins.parse(text, "--crop") }
        #expect(error?.message.hasPrefix("--crop is '\(text)'; give the pixels to leave out as LEFT,TOP,") == true)
    }

    @Test func badRotation() {
        let expected = "--rotate is '45'; it must be one of 0, 90, 180, 270 (degrees clockwise)"
        #expect(throws: MediaError(expected)) { try SourcePicture.rotation("45", "--rotate") }
    }

    /// The left third of videotestsrc's bars is white and yellow; mirrored, it is at the right.
    @Test func mirrorsAndCuts() throws {
        func first(_ change: (inout SourcePicture) -> Void) throws -> (left: [UInt8], right: [UInt8]) {
            var picture = SourcePicture(), finder = CameraFinder("")
            change(&picture)
            let mailbox = Mailbox(), size = FrameSize(width: 140, height: 100)
            let source = try LiveSource(
                try .parse("gst:videotestsrc pattern=smpte75 is-live=true ! video/x-raw,width=140,height=100"),
                size: size, framerate: nil, picture: picture, into: mailbox, finder: &finder)
            defer { source.stop() }
            var info = try LiveOutput.layout(try Caps("video/x-raw,format=RGB,width=140,height=100"))
            guard let item = mailbox.take(until: MonotonicClock.nanoseconds + .seconds(10)),
                let buffer = item.sample.buffer
            else { throw MediaError("no frame came") }
            let frame = try MappedFrame(buffer, info: &info, flags: GST_MAP_READ)
            let view = try frame.view()
            func pixel(_ x: Int) -> [UInt8] {
                (0..<3).map { view.base.load(fromByteOffset: 30 * view.stride + 3 * x + $0, as: UInt8.self) }
            }
            return (pixel(5), pixel(134))
        }
        let plain = try first { _ in }
        #expect(plain.left.min() ?? 0 > 150, "white")
        #expect(plain.right[2] > 150 && plain.right[0] < 60, "blue")
        let mirrored = try first { $0.isMirrored = true }
        #expect(mirrored.left[2] > 150 && mirrored.left[0] < 60 && mirrored.right.min() ?? 0 > 150)
        let turned = try first { $0.rotation = 180 }
        #expect(turned.left[2] > 150 && turned.left[0] < 60 && turned.right.min() ?? 0 > 150)
        let cut = try first { $0.crop.left = 40 }
        #expect(cut.left[0] < 60 && cut.left[1] > 150 && cut.left[2] > 150, "cyan: white and yellow are cut off")
    }
}

@Suite(.enabled(if: Tool.hasFFmpeg, "ffmpeg and ffprobe are not installed"))
struct RecordingTests {
    @Test func picturesAndFilmsOnDemand() throws {
        let shop = try Workshop(), bench = LiveWorkbench()
        let stream = try bench.add(
            "test:ball", ["gst:fakesink", "snapshot:\(shop.path("s-%02d.png"))", "record:\(shop.path("r-%02d.mkv"))"],
            editor: InvertingEditor())
        let result = try bench.run(
            seconds: 4.5,
            actions: [
                (0.8, { stream.handle(.snapshot) }), (1.0, { stream.handle(.record) }),
                (3.0, { stream.handle(.record) }), (3.4, { stream.handle(.record) }),
            ])
        #expect(shop.files == ["r-01.mkv", "r-02.mkv", "s-01.png"], "\(result.messages)")
        let probe = Tool.run([
            "ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames:format=start_time",
            "-of",
            "csv=p=0", shop.path("r-01.mkv"),
        ])
        let numbers = String(decoding: probe.output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        let frames = Int(numbers.first ?? "") ?? 0, start = Double(numbers.last ?? "") ?? 99
        #expect((45...66).contains(frames) && start < 0.1, "two seconds that begin at 0: \(numbers)")
        #expect(result.counters.out >= 130, "the output goes on")
    }

    @Test func nothingToWriteTo() throws {
        let bench = LiveWorkbench()
        let stream = try bench.add("test:ball", ["gst:fakesink"])
        let result = try bench.run(
            seconds: 1.2, actions: [(0.6, { stream.handle(.snapshot) }), (0.7, { stream.handle(.record) })])
        #expect(
            result.messages == [
                "a snapshot was asked for, but there is no snapshot: sink",
                "a recording was asked for, but there is no record: sink",
            ])
    }

    @Test func aStreamNeedsASinkThatGoesOn() throws {
        let shop = try Workshop(), bench = LiveWorkbench()
        try bench.add("test:ball", ["record:\(shop.path("r-%d.mkv"))"])
        #expect(throws: MediaError.self) { try bench.run(seconds: 1) }
    }
}
