import Foundation
import TestSupport
import Testing

/// The benchmarks as a person meets them.
struct BenchmarkTests {
    let bench = Command(built: "movie-bench")
    let folder = TemporaryFolder()

    private func figures(_ path: String) throws -> [[String: Any]] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    }

    private func value(_ figures: [[String: Any]], _ work: String, _ name: String) -> Double {
        figures.first { $0["work"] as? String == work && $0["figure"] as? String == name }?["value"] as? Double ?? .nan
    }

    /// A slow model beside two quick ones: only our policy keeps the quick ones' edits coming.
    @Test func theSimulatorComparesPolicies() throws {
        let json = folder.file("figures.json")
        let result = try bench.run(["schedule", "--scenario", "three", "--seconds", "10", "--json", json])
        #expect(result.status == 0, "\(result.errors)")
        let figures = try figures(json)
        #expect(value(figures, "three movied fast", "edited") > 98)
        for policy in ["edf", "newest", "queue"] { #expect(value(figures, "three \(policy) fast", "edited") < 20) }
        for policy in ["movied", "edf", "newest", "queue"] {
            #expect(abs(value(figures, "three \(policy) slow", "fps out") - 30) < 0.2)
        }
        #expect(value(figures, "three movied fast", "age p99") < 67)
        #expect(value(figures, "three queue fast", "age p99") > 2000)
    }

    @Test func theSimulatorReplaysTraces() throws {
        let trace = folder.write("costs", Array("10\n12.5\n11\n".utf8)), json = folder.file("figures.json")
        let arguments = ["schedule", "--scenario", "one", "--policy", "movied", "--seconds", "5", "--json", json]
        #expect(try bench.run(arguments + ["--trace", trace]).status == 0)
        #expect(value(try figures(json), "one movied nano", "edited") > 98)
        let bad = folder.write("bad", Array("10\nslow\n".utf8))
        let result = try bench.run(arguments + ["--trace", bad])
        #expect(result.status != 0 && result.errors.contains("bad:2: 'slow' is not a positive number"))
    }

    /// A noisy still picture: the stabilizer takes flicker out and leaves sharpness, and says so; a file is measured alone.
    @Test func flickerIsMeasured() throws {
        let gst = try #require(Command(inPath: "gst-launch-1.0"), "gst-launch-1.0 is needed (gstreamer1.0-tools)")
        let clip = folder.file("still.mkv")
        let made = try gst.run([
            "-q", "videotestsrc", "num-buffers=8", "pattern=circular", "!", "video/x-raw,width=128,height=96", "!",
            "videoconvert", "!", "x264enc", "quantizer=1", "!", "h264parse", "!", "matroskamux", "!", "filesink",
            "location=\(clip)",
        ])
        try #require(made.status == 0, "\(made.errors)")
        let json = folder.file("flicker.json"), still = ["flicker", "--source", clip, "--size", "128x96"]
        let result = try bench.run(still + ["--noise", "6", "--anchors", "none", "middle", "--json", json])
        let data = try Data(contentsOf: URL(fileURLWithPath: json))
        let rows = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Double]])
        try #require(rows.count == 4, "\(result.errors)")
        for pair in [0, 2] {
            let plain = try #require(rows[pair]["flicker"]), stable = try #require(rows[pair + 1]["flicker"])
            #expect(rows[pair]["stability"] == 0 && rows[pair + 1]["stability"] == 0.5)
            #expect(plain > 0.05 && stable < 0.75 * plain, "\(rows)")
        }
        #expect(result.output.contains("motion compensated") && result.output.contains("of clean"))
        let alone = try bench.run(still + ["--edited", clip])
        #expect(alone.status == 0 && alone.output.contains("flicker 0.000 levels"), "\(alone)")
    }

    @Test(arguments: [
        (["schedule", "--seconds", "0"], "--seconds is 0.0; it must be from 1.0 to 3600.0"),
        (["schedule", "--cores", "0"], "--cores is 0.0"), (["schedule", "--streams", "1001"], "from 1.0 to 1000.0"),
        (["live", "--seconds", "1"], "--seconds is 1.0; it must be from 6 to 3600"),
        (["live", "--case", "x"], "invalid for '--case"),
        (["live", "--budget", "300"], "--budget is 300.0; it must be from 1 to 100"),
        (["flicker", "--source", "x", "--frames", "1"], "--frames is 1; it must be from 2 to 100000"),
        (["flicker", "--source", "x", "--noise", "51"], "--noise is 51.0; it must be from 0 to 50"),
        (["flicker", "--source", "x", "--stability", "2"], "--stability is 2.0; it must be from 0 to 1"),
    ])
    func refusesBadOptions(_ arguments: [String], _ words: String) throws {
        let result = try bench.run(arguments)
        #expect(result.status == 64 && result.errors.contains(words), "\(result.errors)")
    }

    @Test(.enabled(if: Command(inPath: "ffmpeg") != nil, "ffmpeg is not in PATH"))
    func carriedEditsAreComparedWithHeldOnes() throws {
        let ffmpeg = try #require(Command(inPath: "ffmpeg")), json = folder.file("figures.json")
        let moving = "mandelbrot=size=128x96:rate=25:end_scale=0.01",
            clips = ["source.mkv", "edited.mkv"].map(folder.file)
        for (clip, filter) in zip(clips, ["null", "negate"]) {
            let arguments = ["-y", "-f", "lavfi", "-i", moving, "-frames:v", "13", "-vf", filter, "-c:v", "ffv1"]
            #expect(try ffmpeg.run(arguments + ["-pix_fmt", "bgr0", clip]).status == 0)
        }
        let arguments = ["propagate", "--source", clips[0], "--size", "128x96", "--json", json, "--edited"]
        let result = try bench.run(arguments + [clips[1]])
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        let measured = try figures(json)
        #expect(value(measured, "edited", "carried, 9 on") > value(measured, "edited", "held, 9 on") + 10)
        #expect(value(measured, "edited", "carried, 1 on") > 40)
        #expect(try bench.run(["propagate"]).status != 0)
    }
}
