import Frames
import Testing

@testable import Media

@Suite(.enabled(if: Tool.hasFFmpeg, "ffmpeg and ffprobe are not installed"))
struct AudioTests {
    private static let picture = "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -f lavfi -i sine=d=2"

    /// A clip of two seconds with sound; returns its path and that of its edit.
    private func edit(_ shop: Workshop, _ name: String, codec: String, to output: String) throws -> (String, String) {
        let input = try shop.make(name, "\(Self.picture) -c:v libx264 -preset ultrafast -c:a \(codec)")
        _ = try FileEditJob(input: input, output: shop.path(output), editor: PassthroughEditor()).run()
        return (input, shop.path(output))
    }

    @Test(arguments: [
        ("in.mp4", "aac", "out.mp4"), ("in.mp4", "aac", "out.mkv"), ("in.mkv", "aac", "out.mp4"),
        ("in.ts", "aac", "out.mp4"), ("in.avi", "mp3", "out.mp4"), ("in.mkv", "libvorbis", "out.webm"),
        ("in.mkv", "libopus", "out.webm"), ("in.mkv", "libopus", "out.mp4"), ("in.mkv", "flac", "out.mkv"),
        ("in.mkv", "pcm_s16le", "out.mkv"),
    ])
    func copiesPacketsThatTheContainerTakes(name: String, codec: String, output: String) throws {
        let shop = try Workshop()
        let (input, edited) = try edit(shop, name, codec: codec, to: output)
        let before = try Measured(input)
        let after = try Measured(edited)
        #expect(after.frames == 50)
        #expect(after.audio?.codec_name == before.audio?.codec_name)
        let packets = Measured.soundPackets(input)
        let copied = Measured.soundPackets(edited)
        // The demuxer leaves out packets that an edit list hides: the encoder's priming, and a cut last one.
        #expect((packets.count - 2...packets.count).contains(copied.count))
        // A transport stream frames its AAC packets otherwise.
        if name != "in.ts" { #expect(copied.allSatisfy(Set(packets).contains)) }
        // Matroska counts a last, shorter FLAC packet in full.
        #expect(abs(after.seconds - before.seconds) < (codec == "flac" ? 0.11 : 0.05))
    }

    @Test(arguments: [
        ("in.mp4", "aac", "out.webm", "opus"), ("in.mkv", "libvorbis", "out.mp4", "aac"),
        ("in.mkv", "flac", "out.mp4", "aac"), ("in.mkv", "pcm_s16le", "out.webm", "opus"),
    ])
    func encodesWhatTheContainerDoesNotTake(name: String, codec: String, output: String, result: String) throws {
        let shop = try Workshop()
        let (_, edited) = try edit(shop, name, codec: codec, to: output)
        let after = try Measured(edited)
        #expect(after.frames == 50)
        #expect(after.audio?.codec_name == result)
        #expect(abs(after.seconds - 2) < 0.06)
    }

    @Test func keepsSoundThatIsLongerThanThePicture() throws {
        let shop = try Workshop()
        let inputs = "-f lavfi -i testsrc2=s=160x120:r=25:d=1 -f lavfi -i sine=d=3"
        let input = try shop.make("in.mp4", "\(inputs) -c:v libx264 -preset ultrafast -c:a aac")
        _ = try FileEditJob(input: input, output: shop.path("out.mp4"), editor: PassthroughEditor()).run()
        let seen = try Measured(shop.path("out.mp4"))
        #expect(seen.frames == 25)
        #expect(abs(seen.seconds - 3) < 0.03)
    }
}
