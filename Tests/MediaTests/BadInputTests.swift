import Foundation
import Frames
import Testing

@testable import Media

struct BadInputTests {
    /// The sentence that a probe of `path` throws.
    private func sentence(_ path: String) -> String {
        do {
            _ = try VideoProbe.probe(path: path)
            return "no error"
        } catch {
            return error.message
        }
    }

    @Test func noSuchFile() throws {
        let path = try Workshop().path("none.mp4")
        #expect(sentence(path) == "'\(path)' does not exist; check the path.")
    }

    @Test func folder() throws {
        let shop = try Workshop()
        #expect(sentence(shop.folder) == "'\(shop.folder)' is a folder; give the path of a video file.")
    }

    @Test(.enabled(if: getuid() != 0, "root may read every file"))
    func unreadable() throws {
        let path = try Workshop().write("secret.mp4", "x")
        chmod(path, 0)
        #expect(sentence(path) == "'\(path)' cannot be read: Permission denied; check its permissions.")
    }

    @Test func empty() throws {
        let shop = try Workshop()
        let path = try shop.write("empty.mp4", "")
        #expect(sentence(path) == "'\(path)' is empty (0 bytes); give a video file.")
    }

    @Test func text() throws {
        let shop = try Workshop()
        let path = try shop.write("text.mp4", "This is a shopping list, not a video.\n")
        #expect(sentence(path) == "'\(path)' cannot be decoded: it is not a video that GStreamer knows.")
    }

    @Test func noise() throws {
        let shop = try Workshop()
        let path = shop.path("noise.mp4")
        let bytes = (0..<50_000).map { _ in UInt8.random(in: 0...255) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(sentence(path).hasPrefix("'\(path)' cannot be decoded: "))
    }
}

@Suite(.enabled(if: Tool.hasFFmpeg, "ffmpeg and ffprobe are not installed"))
struct BadVideoTests {
    private func sentence(_ path: String) -> String {
        do {
            _ = try VideoProbe.probe(path: path)
            return "no error"
        } catch {
            return error.message
        }
    }

    @Test(arguments: ["zero.mp4", "zero.mkv"])
    func noFrames(_ name: String) throws {
        let shop = try Workshop()
        let path = try shop.make(name, "-f lavfi -i testsrc2=s=320x240:r=30 -t 0 -c:v libx264")
        #expect(sentence(path).contains("no video frames"))
    }

    @Test func cutOff() throws {
        let shop = try Workshop()
        let whole = try shop.make("whole.mp4", "-f lavfi -i testsrc2=s=320x240:r=30:d=1 -c:v libx264")
        let path = shop.path("cut.mp4")
        try Data(contentsOf: URL(fileURLWithPath: whole)).prefix(10_000).write(to: URL(fileURLWithPath: path))
        #expect(sentence(path).hasPrefix("'\(path)' "))
    }

    @Test func onlySound() throws {
        let shop = try Workshop()
        let path = try shop.make("sound.mp4", "-f lavfi -i sine=d=1 -c:a aac")
        #expect(sentence(path) == "'\(path)' has only audio, no video stream; give a video file.")
    }

    @Test func stillPicture() throws {
        let shop = try Workshop()
        let path = try shop.make("still.png", "-f lavfi -i testsrc2=s=320x240 -frames:v 1")
        #expect(sentence(path) == "'\(path)' is a still picture; give a video file.")
    }

    @Test func oddSize() throws {
        let shop = try Workshop()
        let path = try shop.make(
            "odd.mp4", "-f lavfi -i testsrc2=s=400x300:r=30:d=0.2 -vf scale=321:240 -pix_fmt yuv444p -c:v libx264")
        let expected =
            "the picture of '\(path)' is 321x240, but width and height must be even; use --size 320x240."
        #expect(sentence(path) == expected)
    }

    @Test func smallSize() throws {
        let shop = try Workshop()
        let path = try shop.make("small.mp4", "-f lavfi -i testsrc2=s=62x48:r=30:d=0.2 -c:v libx264")
        let expected =
            "the picture of '\(path)' is 62x48, but width and height must be from 64 to 16384 pixels; use --size 64x64."
        #expect(sentence(path) == expected)
    }

    @Test(arguments: [FrameSize(width: 63, height: 64), FrameSize(width: 101, height: 100)])
    func badSizeAsked(_ size: FrameSize) throws {
        let shop = try Workshop()
        let path = try shop.make("clip.mp4", "-f lavfi -i testsrc2=s=160x120:r=30:d=0.2 -c:v libx264")
        let job = FileEditJob(input: path, output: shop.path("out.mp4"), size: size, editor: PassthroughEditor())
        #expect(throws: MediaError.self) { try job.run() }
        #expect(shop.files == ["clip.mp4"])
    }
}
