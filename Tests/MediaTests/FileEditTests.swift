import Frames
import Testing

@testable import Media

/// A clip to make and what its edit must look like.
struct Clip: Sendable, CustomTestStringConvertible {
    let name: String
    let recipe: String
    let output: String
    let size: FrameSize
    let frames: Int
    let rate: String
    let seconds: Double

    var testDescription: String { "\(name) to \(output)" }

    init(_ name: String, _ recipe: String, to output: String, _ size: (Int, Int), _ frames: Int, _ rate: String) {
        self.name = name
        self.recipe = recipe
        self.output = output
        self.size = FrameSize(width: size.0, height: size.1)
        self.frames = frames
        self.rate = rate
        let parts = rate.split(separator: "/").compactMap { Double($0) }
        seconds = Double(frames) * parts[1] / parts[0]
    }

    private static func lavfi(_ size: String, _ rate: String, _ rest: String = x264) -> String {
        "-f lavfi -i testsrc2=s=\(size):r=\(rate) \(rest)"
    }

    private static let x264 = "-c:v libx264 -preset ultrafast"

    static let all: [Clip] = [
        Clip("landscape.mp4", lavfi("640x480", "30"), to: "out.mp4", (640, 480), 30, "30/1"),
        Clip("portrait.mp4", lavfi("270x480", "30"), to: "out.mp4", (270, 480), 30, "30/1"),
        Clip("ntsc.mkv", lavfi("320x240", "30000/1001"), to: "out.mp4", (320, 240), 30, "30000/1001"),
        Clip("ntsc.mp4", lavfi("320x240", "30000/1001"), to: "out.mkv", (320, 240), 30, "30000/1001"),
        Clip("film.mkv", lavfi("320x240", "24000/1001"), to: "out.webm", (320, 240), 24, "24000/1001"),
        Clip("422.mp4", lavfi("320x180", "25", "-pix_fmt yuv422p \(x264)"), to: "out.mp4", (320, 180), 25, "25/1"),
        Clip("10.mp4", lavfi("320x180", "25", "-pix_fmt yuv420p10le \(x264)"), to: "out.mp4", (320, 180), 25, "25/1"),
        Clip("mjpeg.avi", lavfi("320x180", "50", "-c:v mjpeg"), to: "out.mp4", (320, 180), 50, "50/1"),
        Clip("b.mp4", lavfi("320x240", "60", "-c:v libx264 -bf 3"), to: "out.webm", (320, 240), 60, "60/1"),
        Clip("i.mp4", lavfi("320x240", "25", "-flags +ildct+ilme \(x264)"), to: "out.mp4", (320, 240), 25, "25/1"),
    ]
}

@Suite(.enabled(if: Tool.hasFFmpeg, "ffmpeg and ffprobe are not installed"))
struct FileEditTests {
    @Test(arguments: Clip.all)
    func keepsCountRateSizeAndDuration(_ clip: Clip) throws {
        let shop = try Workshop()
        let input = try shop.make(clip.name, clip.recipe + " -frames:v \(clip.frames)")
        let output = shop.path(clip.output)
        let summary = try FileEditJob(input: input, output: output, editor: PassthroughEditor()).run()
        #expect(summary.isComplete)
        #expect(summary.frames == clip.frames)
        let seen = try Measured(output)
        #expect(seen.frames == clip.frames)
        #expect(seen.video?.width == clip.size.width)
        #expect(seen.video?.height == clip.size.height)
        #expect(seen.video?.r_frame_rate == clip.rate)
        #expect(seen.video?.avg_frame_rate == clip.rate)
        #expect(abs(seen.seconds - clip.seconds) < 0.002)
        #expect(Double(seen.video?.start_time ?? "") == 0)
        #expect(shop.files == [clip.name, clip.output].sorted())
    }

    @Test func keepsTheTimesOfAVaryingRate() throws {
        let shop = try Workshop()
        let filter = "-vf select='not(mod(n,3))+lt(n,20)' -vsync vfr -c:v libx264 -preset ultrafast"
        let input = try shop.make("vfr.mkv", "-f lavfi -i testsrc2=s=320x240:r=30:d=2 \(filter)")
        for name in ["out.mp4", "out.mkv"] {
            _ = try FileEditJob(input: input, output: shop.path(name), editor: PassthroughEditor()).run()
            let before = Measured.times(input)
            let after = Measured.times(shop.path(name))
            #expect(before.count == after.count)
            #expect(zip(before, after).allSatisfy { abs($0 - $1) <= 0.0011 })
        }
    }

    @Test func keepsALateStart() throws {
        let shop = try Workshop()
        let inputs = "-f lavfi -i sine=d=2 -itsoffset 0.5 -f lavfi -i testsrc2=s=320x240:r=25:d=1"
        let input = try shop.make(
            "late.mp4", "\(inputs) -map 1:v -map 0:a -vsync passthrough -c:v libx264 -preset ultrafast -c:a aac")
        _ = try FileEditJob(input: input, output: shop.path("out.mp4"), editor: PassthroughEditor()).run()
        #expect(try Measured(input).video?.start_time == Measured(shop.path("out.mp4")).video?.start_time)
    }

    @Test func turnsARotatedVideoUpright() throws {
        let shop = try Workshop()
        let flat = try shop.make("flat.mp4", "-f lavfi -i testsrc2=s=320x240:r=25:d=0.4 -c:v libx264 -preset ultrafast")
        let input = try shop.make("turned.mp4", "-i \(flat) -c copy -metadata:s:v rotate=90")
        #expect(try VideoProbe.probe(path: input).isRotated)
        _ = try FileEditJob(input: input, output: shop.path("out.mp4"), editor: PassthroughEditor()).run()
        let seen = try Measured(shop.path("out.mp4"))
        #expect(seen.video?.width == 240)
        #expect(seen.video?.height == 320)
        #expect(Pictures.difference(Measured.pixels(input), Measured.pixels(shop.path("out.mp4"))) < 6)
    }

    @Test func keepsThePixelAspectRatio() throws {
        let shop = try Workshop()
        let input = try shop.make(
            "wide.mp4", "-f lavfi -i testsrc2=s=360x288:r=25:d=0.4 -vf setsar=64/45 -c:v libx264 -preset ultrafast")
        _ = try FileEditJob(input: input, output: shop.path("out.mp4"), editor: PassthroughEditor()).run()
        #expect(try Measured(shop.path("out.mp4")).video?.sample_aspect_ratio == "64:45")
    }

    @Test func scalesToTheSizeGiven() throws {
        let shop = try Workshop()
        let input = try shop.make(
            "odd.mkv", "-f lavfi -i testsrc2=s=400x300:r=25:d=0.4 -vf scale=321:241 -pix_fmt yuv444p -c:v libx264")
        let size = FrameSize(width: 128, height: 96)
        let editor = InvertingEditor()
        let summary = try FileEditJob(input: input, output: shop.path("out.mp4"), size: size, editor: editor).run()
        #expect(summary.size == size)
        #expect(editor.sizes == [size])
        #expect(try Measured(shop.path("out.mp4")).video?.width == 128)
    }

    /// 322 pixels are 966 bytes: rows are padded to 968, so a mistaken stride shears the picture.
    @Test func publishesTheEditedPicture() throws {
        let shop = try Workshop()
        let input = try shop.make(
            "clip.mp4", "-f lavfi -i testsrc2=s=322x242:r=25:d=0.4 -c:v libx264 -preset ultrafast -crf 12")
        let editor = InvertingEditor()
        _ = try FileEditJob(input: input, output: shop.path("out.mp4"), editor: editor).run()
        #expect(editor.sizes == [FrameSize(width: 322, height: 242)])
        #expect(editor.strides.allSatisfy { $0 >= 966 && $0.isMultiple(of: 4) })
        let before = Measured.pixels(input)
        let after = Measured.pixels(shop.path("out.mp4"))
        #expect(Pictures.difference(before.map { ~$0 }, after) < 6)
        #expect(Pictures.difference(before, after) > 60)
    }

    /// Frame n has the brightness 4 n + 30; sound that is longer than the picture moves no middle.
    @Test(arguments: [1, 2, 7, 24, 25], [".mp4", ".mkv"])
    func showsTheMiddleFrameFirst(_ frames: Int, _ format: String) throws {
        let shop = try Workshop()
        let picture = "-f lavfi -i color=black:s=128x96:r=25 -f lavfi -i sine=d=4"
        let input = try shop.make(
            "clip\(format)",
            "\(picture) -map 0:v -map 1:a -vf geq=lum=4*N+30:cb=128:cr=128 -frames:v \(frames) -c:v libx264 -bf 2 -qp 0 -c:a aac"
        )
        let spy = AnchorSpy()
        let summary = try FileEditJob(input: input, output: shop.path("out.mkv"), editor: spy).run()
        #expect(summary.frames == frames && spy.brightness.count == frames && summary.anchorFrame == frames / 2)
        try #require(spy.anchors.count == 1)
        #expect(spy.anchors[0].before == 0 && spy.anchors[0].brightness == spy.brightness[frames / 2])
        #expect(Set(spy.brightness).count == frames, "frames can be told apart")
        let start = try #require(spy.times[0])  // sound may begin earlier
        for (index, time) in spy.times.enumerated() { #expect(abs((time ?? -1) - start - Double(index) / 25) < 0.002) }
    }

    @Test func showsItOnlyToThoseWhoWantIt() throws {
        let shop = try Workshop()
        let input = try shop.make("clip.mp4", "-f lavfi -i testsrc2=s=160x120:r=25:d=0.2 -c:v libx264")
        let spy = AnchorSpy(wantsMiddleFrame: false)
        _ = try FileEditJob(input: input, output: shop.path("out.mp4"), editor: spy).run()
        #expect(spy.anchors.isEmpty && spy.brightness.count == 5)
    }

    @Test func tellsProgressOfEveryFrame() throws {
        let shop = try Workshop()
        let input = try shop.make("clip.mp4", "-f lavfi -i testsrc2=s=160x120:r=25:d=1 -c:v libx264 -preset ultrafast")
        var told: [FileEditProgress] = []
        _ = try FileEditJob(
            input: input, output: shop.path("out.mp4"), editor: PassthroughEditor(), progress: { told.append($0) }
        ).run()
        #expect(told.map(\.frames) == Array(1...25))
        #expect(told.allSatisfy { $0.estimatedFrames == 25 })
    }
}
