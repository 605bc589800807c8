import Foundation
import Frames
import Testing

@testable import Media

@Suite(.enabled(if: Tool.hasFFmpeg, "ffmpeg and ffprobe are not installed"))
struct OutputTests {
    private func clip(_ shop: Workshop, seconds: Double = 1) throws -> String {
        try shop.make("clip.mp4", "-f lavfi -i testsrc2=s=320x240:r=30:d=\(seconds) -c:v libx264 -preset ultrafast")
    }

    private func sentence(_ job: FileEditJob) -> String {
        do {
            _ = try job.run()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: ["out.gif", "out", "out.mp4.txt"])
    func otherExtensions(_ name: String) throws {
        let shop = try Workshop()
        let job = FileEditJob(input: try clip(shop), output: shop.path(name), editor: PassthroughEditor())
        #expect(sentence(job).hasSuffix("; allowed are .mp4, .mkv and .webm."))
    }

    @Test func theInputItself() throws {
        let shop = try Workshop()
        let input = try clip(shop)
        symlink(input, shop.path("link.mp4"))
        for output in [input, shop.path("link.mp4")] {
            let job = FileEditJob(input: input, output: output, editor: PassthroughEditor())
            #expect(sentence(job) == "the output '\(output)' is the input itself; give another path.")
        }
    }

    @Test func noSuchFolder() throws {
        let shop = try Workshop()
        let output = shop.path("nowhere/out.mp4")
        let job = FileEditJob(input: try clip(shop), output: output, editor: PassthroughEditor())
        #expect(sentence(job) == "'\(output)' cannot be written: No such file or directory; check its folder.")
    }

    @Test func aFolder() throws {
        let shop = try Workshop()
        let output = shop.path("out.mp4")
        mkdir(output, 0o755)
        let job = FileEditJob(input: try clip(shop), output: output, editor: PassthroughEditor())
        #expect(sentence(job) == "the output '\(output)' is a folder; give the path of a file.")
    }

    @Test func aCancelledJobLeavesNothing() throws {
        let shop = try Workshop()
        var frames = 0
        let job = FileEditJob(
            input: try clip(shop), output: shop.path("out.mp4"), editor: PassthroughEditor(),
            progress: { frames = $0.frames }, isCancelled: { frames >= 5 })
        let summary = try job.run()
        #expect(!summary.isComplete)
        #expect(summary.frames == 5)
        #expect(shop.files == ["clip.mp4"])
    }

    @Test func aFailedEditIsRethrownAndLeavesAnOlderOutputAlone() throws {
        let shop = try Workshop()
        let output = try shop.write("out.mp4", "older")
        let job = FileEditJob(input: try clip(shop), output: output, editor: FailingEditor(after: 7))
        #expect(throws: FailingEditor.Failure(frame: 7)) { try job.run() }
        #expect(try String(contentsOfFile: output, encoding: .utf8) == "older")
        #expect(shop.files == ["clip.mp4", "out.mp4"])
    }

    @Test func anOlderOutputIsReplaced() throws {
        let shop = try Workshop()
        let output = try shop.write("out.mkv", "older")
        _ = try FileEditJob(input: try clip(shop), output: output, editor: PassthroughEditor()).run()
        #expect(try Measured(output).frames == 30)
    }

    @Test(.enabled(if: TinyDisk.isAvailable, "mounting a small tmpfs needs root"), arguments: ["mp4", "mkv", "webm"])
    func aFullDisk(_ ending: String) throws {
        let shop = try Workshop()
        let noise = "-f lavfi -i testsrc2=s=320x240:r=30:d=2 -vf noise=alls=60:allf=t -c:v libx264 -preset ultrafast"
        let input = try shop.make("clip.mp4", noise)
        // 16 KB fill up while frames are written, or, smaller than a write buffer, only at the very end.
        for kilobytes in [16, 256] {
            let disk = try TinyDisk(kilobytes: kilobytes)
            let output = disk.folder + "/out." + ending
            let job = FileEditJob(input: input, output: output, editor: PassthroughEditor())
            let expected =
                "'\(output)' cannot be written: the disk is full; free some space or write to another folder."
            #expect(sentence(job) == expected)
            #expect(disk.files.isEmpty)
        }
    }

    /// One frame fits into the write buffer, so that the disk is found full only when the file is finished.
    @Test(.enabled(if: TinyDisk.isAvailable, "mounting a small tmpfs needs root"))
    func aDiskFullAtTheEnd() throws {
        let shop = try Workshop()
        let input = try shop.make(
            "clip.mp4", "-f lavfi -i testsrc2=s=320x240:r=30 -vf noise=alls=60:allf=t -frames:v 1 -c:v libx264")
        let disk = try TinyDisk(kilobytes: 8)
        let output = disk.folder + "/out.mp4"
        let job = FileEditJob(input: input, output: output, editor: PassthroughEditor())
        #expect(sentence(job).contains("the disk is full"))
        #expect(disk.files.isEmpty)
    }
}
