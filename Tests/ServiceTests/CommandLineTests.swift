import Foundation
import TestSupport
import Testing

/// The program as a person meets it: arguments, exit status, what it prints, what it leaves.
@Suite struct CommandLineTests {
    let movied = Command(built: "movied")
    let folder = TemporaryFolder()

    /// A short clip with sound, made by GStreamer; 96x64 at 25 frames a second.
    private func clip(_ name: String = "clip.mp4", frames: Int = 10) throws -> String {
        let gst = try #require(Command(inPath: "gst-launch-1.0"), "gst-launch-1.0 is needed (gstreamer1.0-tools)")
        let path = folder.file(name)
        let result = try gst.run([
            "-q", "videotestsrc", "num-buffers=\(frames)", "pattern=smpte", "!",
            "video/x-raw,width=96,height=64,framerate=25/1", "!", "x264enc", "!", "h264parse", "!", "mp4mux", "name=m",
            "!", "filesink", "location=\(path)", "audiotestsrc", "num-buffers=\(frames)", "samplesperbuffer=1764", "!",
            "audio/x-raw,rate=44100,channels=1", "!", "avenc_aac", "!", "aacparse", "!", "m.",
        ])
        try #require(result.status == 0, "\(result.errors)")
        return path
    }

    private func edit(_ arguments: String...) throws -> CommandResult { try movied.run(["edit"] + arguments) }

    /// Exit status 1, one sentence on standard error, no output file.
    private func expectRefusal(_ result: CommandResult, _ words: String..., output: String = "out.mp4") {
        #expect(result.status == 1)
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 1, "one sentence: \(result.errors)")
        for word in words { #expect(result.errors.contains(word), "\(word) in: \(result.errors)") }
        let left = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        #expect(!left.contains { $0.contains(output) || $0.hasSuffix(".partial") }, "left behind: \(left)")
    }

    @Test(arguments: [
        [], ["edit", "a.mp4"], ["edit", "a.mp4", "b.mp4"], ["edit", "a.mp4", "b.mp4", "--prompt", "x", "--size", "12"],
        ["edit", "a.mp4", "b.mp4", "--prompt", "x", "--threads", "0"], ["edit", "--nonsense"], ["model", "run", "d"],
        ["run", "--source", "test:ball", "--sink", "gst:fakesink", "--prompt", "x", "--rate", "0"],
        ["run", "--source", "test:ball", "--sink", "gst:fakesink"], ["run", "--sink", "gst:fakesink", "--prompt", "x"],
        ["run", "--config", "a.yaml", "--source", "test:ball"],
    ])
    func usageErrors(_ arguments: [String]) throws {
        let result = try movied.run(arguments)
        #expect(arguments.isEmpty ? result.output.contains("USAGE") : result.status == 64, "\(result)")
    }

    @Test(arguments: [
        (
            ["run", "--anchor", "middle"],
            "--anchor is 'middle'; a live stream has no middle frame: use rolling or none"
        ),
        (["run", "--anchor", "first"], "--anchor is 'first'; it must be one of none, rolling"),
        (["run", "--stability", "1.5"], "--stability is '1.5'; give a number from 0 (off) to 1 (the most)"),
        (
            ["run", "--anchor-max-age", "0"],
            "--anchor-max-age is '0'; give a time from 0.5 s to 3600 s, for example 10 s"
        ),
        (["edit", "--anchor", "last"], "--anchor is 'last'; it must be one of none, rolling, middle"),
    ])
    func anchorsAndStabilityAreChecked(_ arguments: [String], _ words: String) throws {
        let rest =
            arguments[0] == "run"
            ? ["--source", "test:ball", "--sink", "gst:fakesink", "--prompt", "x"]
            : ["a.mp4", "b.mp4", "--prompt", "x"]
        let result = try movied.run(arguments + rest)
        #expect(result.status == 64 && result.errors.contains(words), "\(result)")
    }

    /// Whatever the anchor, all frames are edited; without anchor and stabilizer, as without this option.
    @Test func editsWithAnchors() throws {
        let input = try clip(frames: 5)
        for anchor in ["none", "rolling", "middle"] {
            let output = folder.file("\(anchor).mkv")
            let result = try edit(input, output, "--prompt", "make it night", "--anchor", anchor, "--stability", "0")
            #expect(result.status == 0 && result.errors.contains("5 frames of 96x64"), "\(result.errors)")
            #expect(result.errors.contains("anchor: frame 2, counted from 0") == (anchor == "middle"))
        }
    }

    @Test func edits() throws {
        let input = try clip(), output = folder.file("out.mp4"), report = folder.file("report.json")
        let result = try edit(input, output, "--prompt", "make it a pencil drawing", "--report", report)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("10 frames of 96x64"))
        let json =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: report))) as? [String: Any]
        #expect(json?["frames"] as? Int == 10)
        #expect(
            (json?["stageMilliseconds"] as? [String: Double])?.keys.sorted()
                == ["compose", "decode", "denoise", "encode", "pre-process"])
        if let ffprobe = Command(inPath: "ffprobe") {
            let probe = try ffprobe.run([
                "-v", "error", "-count_packets", "-show_entries", "stream=codec_type,nb_read_packets", "-of", "csv=p=0",
                output,
            ])
            #expect(probe.output.contains("video,10") && probe.output.contains("audio,"), "\(probe.output)")
        }
    }

    @Test func refusesBadPrompts() throws {
        let input = try clip(), output = folder.file("out.mp4")
        expectRefusal(try edit(input, output, "--prompt", " "), "prompt is empty")
        expectRefusal(try edit(input, output, "--prompt", "x", "--guidance-scale", "99"), "99.0", "2.0 to 14.0")
        expectRefusal(try edit(input, output, "--prompt", "x", "--image-guidance-scale", "0"), "0.0", "1.0 to 3.0")
        expectRefusal(try edit(input, output, "--prompt", "x", "--guidance-scale", "nan"), "2.0 to 14.0")
    }

    @Test func cutsLongPrompts() throws {
        let input = try clip(frames: 2), output = folder.file("out.mp4")
        let prompt = String(repeating: "make it night ", count: 720)
        let result = try edit(input, output, "--prompt", prompt, "--quiet")
        #expect(result.status == 0)
        #expect(result.errors.contains("warning: the prompt is too long"))
    }

    @Test func refusesBadFiles() throws {
        let output = folder.file("out.mp4"), prompt = "make it night"
        let text = folder.write("text.mp4", Array("hello".utf8))
        expectRefusal(try edit(folder.file("none.mp4"), output, "--prompt", prompt), "none.mp4", "does not exist")
        expectRefusal(try edit(text, output, "--prompt", prompt), "text.mp4")
        expectRefusal(try edit(folder.path, output, "--prompt", prompt))
        let input = try clip()
        expectRefusal(try edit(input, folder.file("out.avi"), "--prompt", prompt), ".avi", ".mkv", output: "out.avi")
        expectRefusal(try edit(input, "/nowhere/out.mp4", "--prompt", prompt), "/nowhere/out.mp4")
        expectRefusal(try edit(input, output, "--prompt", prompt, "--size", "63x64"), "63x64")
        expectRefusal(try edit(input, output, "--prompt", prompt, "--size", "32x32"), "32x32", "64")
    }

    @Test func refusesBadModels() throws {
        let input = try clip(), output = folder.file("out.mp4")
        expectRefusal(try edit(input, output, "--prompt", "x", "--model", folder.file("none")), "no model folder")
        expectRefusal(try edit(input, output, "--prompt", "x", "--model", folder.path), "tokenizer")
        expectRefusal(try edit(input, output, "--prompt", "x", "--model", input), "is a file")
    }

    private let tinyModel = "\(packageFolder)/Tests/NetworksTests/Fixtures/whole-editor"

    @Test func quantizes() throws {
        let input = try clip(frames: 3), output = folder.file("int8")
        let arguments = [
            "model", "quantize", tinyModel, output, "--calibrate", input, "--size", "64x64", "--frames", "1",
        ]
        let result = try movied.run(arguments + ["--prompt", "make it night", "--target-psnr", "20"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("layers on integers") && result.errors.contains("dB against float"))
        let edited = try edit(input, folder.file("out.mp4"), "--prompt", "x", "--size", "64x64", "--model", output)
        #expect(edited.status == 0, "\(edited.errors)")
        let again = try movied.run(arguments + ["--prompt", "x"])
        #expect(again.status == 1 && again.errors.contains("is there already"))
    }

    @Test func refusesBadCalibrations() throws {
        let text = folder.write("text.mp4", Array("hello".utf8)), output = folder.file("int8")
        func quantize(_ arguments: String...) throws -> CommandResult {
            try movied.run(["model", "quantize", tinyModel, output] + arguments)
        }
        expectRefusal(try quantize("--calibrate", text, "--prompt", "x"), "text.mp4", output: "int8")
        expectRefusal(
            try quantize("--calibrate", folder.file("none.mp4"), "--prompt", "x"), "none.mp4", "does not exist",
            output: "int8")
        expectRefusal(try quantize("--calibrate", text), "prompts.txt", "--prompt", output: "int8")
        #expect(try quantize().status == 64)
        #expect(try quantize("--calibrate", text, "--frames", "0").status == 64)
        #expect(try quantize("--calibrate", text, "--target-psnr", "99").status == 64)
    }

    @Test func kernelsAreForced() throws {
        let shell = try #require(Command(inPath: "bash"))
        for level in ["scalar", ""] {
            #expect(try shell.run(["-c", "MOVIED_ISA=\(level) \(movied.path) model info"]).status == 0)
        }
        let unknown = try shell.run(["-c", "MOVIED_ISA=sse9 \(movied.path) model info"])
        #expect(unknown.status == 1 && unknown.errors.contains("MOVIED_ISA is 'sse9'; it must be scalar, avx2"))
    }

    /// A processor of 2008, emulated, runs the program: no instruction that it lacks.
    @Test(
        .enabled(
            if: Command(inPath: "qemu-x86_64-static") != nil, "qemu-x86_64-static is not in PATH (qemu-user-static)"))
    func runsOnOldProcessors() throws {
        let qemu = try #require(Command(inPath: "qemu-x86_64-static"))
        let fixture = "\(packageFolder)/Tests/NetworksTests/Fixtures/unet-guided"
        let program = Command(built: "movied").path
        // A machine may tell OpenBLAS its own processor; the emulated one is older.
        let result = try qemu.run(
            [
                "-cpu", "Nehalem", program, "model", "run", fixture, "--part", "unet", "--inputs",
                "\(fixture)/inputs.safetensors", "--output", folder.file("out.safetensors"),
            ], environment: ["OPENBLAS_CORETYPE": "Nehalem"])
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test func describesTheBundledModel() throws {
        let result = try movied.run(["model", "info"])
        #expect(result.status == 0)
        for word in ["unet", "vae", "text_encoder", "parameters", "GFLOP", "512x384"] {
            #expect(result.output.contains(word))
        }
    }

    @Test func runsOnePart() throws {
        let fixture = "\(packageFolder)/Tests/NetworksTests/Fixtures/unet-guided"
        let arguments = [
            "model", "run", fixture, "--part", "unet", "--inputs", "\(fixture)/inputs.safetensors", "--output",
            folder.file("out.safetensors"),
        ]
        #expect(try movied.run(arguments).status == 0)
        #expect(FileManager.default.fileExists(atPath: folder.file("out.safetensors")))
        let int8 = try movied.run(arguments + ["--precision", "int8"])
        #expect(int8.status == 1 && int8.errors.contains("not quantized"))
    }

    @Test func runsLiveUntilASignal() throws {
        let output = folder.file("live.mkv")
        let result = try movied.run(
            [
                "run", "--source", "test:ball", "--sink", "file:\(output)", "--prompt", "make it night", "--size",
                "128x96",
            ],
            stopAfter: 4, with: SIGINT)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains(" published of 128x96"))
        if let ffprobe = Command(inPath: "ffprobe") {
            let probe = try ffprobe.run([
                "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets",
                "-of", "csv=p=0", output,
            ])
            #expect((Int(probe.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 10, "\(probe.output)")
        }
    }

    @Test(arguments: [
        ("--framerate", "0", "--framerate is 0; it must be from 1 to 240 frames a second"),
        ("--framerate", "1000", "--framerate is 1000; it must be from 1 to 240 frames a second"),
        ("--framerate", "many", "--framerate is 'many'; give frames a second from 1 to 240"),
        (
            "--latency-budget", "20 ms",
            "--latency-budget is 20 ms; at 30 frames a second it must be from 34 ms (one frame)"
        ),
        ("--latency-budget", "11 s", "to 10000 ms"), ("--latency-budget", "soon", "give a time such as 100 ms"),
        ("--cpu-budget", "0%", "--cpu-budget is 0%; it must be from 1% to 100% of all processors"),
        ("--cpu-budget", "300%", "--cpu-budget is 300%; it must be from 1% to 100% of all processors"),
        ("--threads", "0", "--threads is 0; it must be from 1 to 256"),
        ("--fallback", "raw", "it must be one of hold, placeholder, passthrough"),
    ])
    func refusesBadRealTimeOptions(_ option: String, _ value: String, _ words: String) throws {
        var arguments = ["run", "--source", "test:ball", "--sink", "gst:fakesink", "--prompt", "x"]
        if option != "--framerate" { arguments += ["--framerate", "30"] }
        let result = try movied.run(arguments + [option, value])
        #expect(result.status == 64)
        #expect(result.errors.contains(words), "\(result.errors)")
    }

    /// Two streams and two sinks from a file, with a log of every frame.
    @Test func runsAConfiguration() throws {
        let text = """
            cpu: {threads: 1}
            streams:
              - {name: one, source: test:ball, sinks: [gst:fakesink, "file:\(folder.file("one.mkv"))"], size: 96x64,
                 prompt: make it night, framerate: 20, latency_budget: 200 ms}
              - {name: two, source: test:snow, sinks: gst:fakesink, size: 96x64, prompt: make it autumn, framerate: 10,
                 weight: 2, fallback: placeholder}
            """
        let file = folder.write("streams.yaml", Array(text.utf8)), log = folder.file("frames.csv")
        let result = try movied.run(
            ["run", "--config", file, "--frame-log", log, "--cpu-budget", "90%"], stopAfter: 4, with: SIGINT)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("one: ") && result.errors.contains("two: "))
        let rows = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: ",").map(String.init)
        }
        #expect(rows.first == ["stream", "number", "timestamp_ms", "published_ms", "rung", "age_ms", "reason"])
        let frames = rows.dropFirst().filter { $0.first == "one" }
        #expect(frames.count > 20 && frames.allSatisfy { $0.count == 7 })
        for (index, frame) in frames.enumerated() { #expect(Double(frame[2]) == Double(index * 50)) }
        #expect(frames.contains { $0[4] == "edited" && (Double($0[5]) ?? 0) > 0 })
        #expect(rows.contains { $0.first == "two" })
        #expect(FileManager.default.fileExists(atPath: folder.file("one.mkv")))
    }

    @Test func refusesBadSources() throws {
        func live(_ source: String, _ sink: String) throws -> CommandResult {
            try movied.run(["run", "--source", source, "--sink", sink, "--prompt", "x"])
        }
        #expect(try live("foo", "gst:fakesink").errors.contains("is not a source"))
        #expect(try live("test:ball", "foo").errors.contains("is not a sink"))
        #expect(try live("webcam:/dev/video77", "gst:fakesink").errors.contains("/dev/video77"))
        #expect(try live("test:ball", "loopback:/dev/video77").errors.contains("modprobe v4l2loopback"))
        #expect(try live("gst:nosuchelement", "gst:fakesink").status == 1)
    }
}

/// The package's root.
let packageFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
