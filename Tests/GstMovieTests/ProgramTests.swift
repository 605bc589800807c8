import Foundation
import TestSupport
import Testing

/// The plugin as a file, in programs that know nothing of it.
@Suite(.serialized, .enabled(if: Programs.has("movieedit"), "gst-launch-1.0 is not installed"))
struct ProgramTests {
    private static let source = "videotestsrc num-buffers=5 ! video/x-raw,width=64,height=64"

    @Test func inspectDocumentsEveryProperty() throws {
        let text = try Programs.run("gst-inspect-1.0 movieedit").output
        for part in [
            "Filter/Effect/Video", "prompt ", "model ", "preset ", "guidance-scale", "image-guidance-scale", "strength",
            "seed", "anchor", "stability", "latency-budget", "cpu-budget", "threads", "fallback", "stats",
            "Range: 0 - 10000 Default: 0",
            "Range: 1 - 100 Default: 100", "controllable", "van-gogh",
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test func warningsAreSilent() throws {
        for line in [
            "\(Self.source) ! movieedit ! fakesink",
            "\(Self.source),format=NV12 ! queue ! movieedit ! videoconvert ! fakesink",
            "videotestsrc is-live=true num-buffers=5 ! video/x-raw,width=64,height=64 ! movieedit ! fakesink sync=true",
        ] {
            let result = try Programs.launch(
                line, ["GST_DEBUG": "*:WARN", "G_DEBUG": "fatal-warnings", "GST_DEBUG_NO_COLOR": "1"])
            #expect(result.status == 0 && result.errors.isEmpty && result.output.isEmpty, "\(line): \(result.errors)")
        }
    }

    @Test func nothingLeaks() throws {
        let tracer = ["GST_TRACERS": "leaks", "GST_DEBUG": "GST_TRACER:7", "GST_DEBUG_NO_COLOR": "1"]
        for line in [
            "\(Self.source) ! movieedit ! fakesink",
            "\(Self.source) ! tee name=t t. ! queue ! movieedit ! fakesink t. ! queue ! fakesink",
            "\(Self.source) ! movieedit model=/nowhere ! fakesink",
        ] {
            let result = try Programs.launch(line, tracer)
            #expect(!result.errors.contains("object-alive, type-name=(string)Gst"), "\(line): \(result.errors)")
        }
    }

    @Test func noSwiftRuntimeIsNeeded() throws {
        let text = try Programs.run("ldd \"$GST_PLUGIN_PATH/libgstmovie.so\"").output
        #expect(text.contains("libgstreamer") && !text.contains("libswift") && !text.contains("Foundation"), "\(text)")
    }

    @Test(
        .enabled(
            if: Programs.hasFFmpeg && Command(inPath: "gst-play-1.0") != nil, "ffmpeg or gst-play-1.0 is not installed")
    )
    func playersTakeItAsASink() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("movieedit-\(getpid())-play").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let result = try Programs.run(
            """
            ffmpeg -v error -f lavfi -i testsrc=s=96x64:r=25:d=0.4 -f lavfi -i sine=d=0.4 -c:v libx264 -c:a aac \(folder)/in.mp4
            exec gst-play-1.0 --no-interactive --audiosink=fakesink \
                --videosink='movieedit ! videoconvert ! y4menc ! filesink location=\(folder)/out.y4m' \(folder)/in.mp4
            """)
        #expect(result.output.contains("Reached end of play list"), "\(result.output) \(result.errors)")
        #expect(try Programs.frames(in: "\(folder)/out.y4m").video == 10)
    }

    @Test(arguments: [
        ("movieedit model=/nowhere", "there is no model folder at /nowhere"),
        ("movieedit preset=nothing", "could not set property \"preset\""),
        ("movieedit fallback=nothing", "could not set property \"fallback\""),
        ("movieedit prompt", "erroneous pipeline"), ("movieedit anchorage=rolling", "no property \"anchorage\""),
    ])
    func wrongValuesAreErrors(_ element: String, _ expected: String) throws {
        let result = try Programs.launch("\(Self.source) ! \(element) ! fakesink")
        #expect(result.status != 0 && (result.errors + result.output).contains(expected), "\(result.errors)")
    }

    @Test(arguments: [
        "strength=7", "threads=-1", "cpu-budget=0", "cpu-budget=300", "latency-budget=20000", "guidance-scale=1000",
    ])
    func numbersOutsideTheRangeAreRefusedWithAWarning(_ property: String) throws {
        let result = try Programs.launch("\(Self.source) ! movieedit \(property) ! fakesink")
        let text = result.errors + result.output
        #expect(text.contains("out of range") || text.contains("could not set property"), "\(text)")
    }

    @Test(arguments: [
        "width=65,height=64", "width=64,height=63", "width=64,height=64,format=GRAY8", "width=1,height=32",
    ])
    func unfitCapsAreErrors(_ caps: String) throws {
        let result = try Programs.launch("videotestsrc num-buffers=1 ! video/x-raw,\(caps) ! movieedit ! fakesink")
        #expect(result.status != 0 && (result.errors + result.output).contains("could not link"), "\(result.errors)")
    }

    /// In a process of its own, so that its memory can be measured.
    @Test(.enabled(if: Programs.hasPython("Gst"), "Python's bindings of GStreamer are not installed"))
    func aHundredCyclesLeaveNothingBehind() throws {
        let program = """
            import gi
            gi.require_version("Gst", "1.0")
            from gi.repository import Gst
            Gst.init(None)
            def resident():
                return int(open("/proc/self/statm").read().split()[1]) * 4
            def threads():
                return sum(line.startswith("Threads:") and int(line.split()[1]) for line in open("/proc/self/status"))
            pipeline = Gst.parse_launch("\(Self.source) ! movieedit threads=3 ! fakesink")
            before = threads()
            for cycle in range(100):
                pipeline.set_state(Gst.State.PLAYING if cycle % 10 == 0 else Gst.State.PAUSED)
                assert pipeline.get_state(20 * Gst.SECOND)[0] == Gst.StateChangeReturn.SUCCESS
                pipeline.set_state(Gst.State.NULL)
                if cycle == 40:
                    kib = resident()
            print("grown", resident() - kib, "threads", threads() - before)
            """
        let folder = TemporaryFolder()
        let result = try Programs.run("/usr/bin/python3 '\(folder.write("program.py", Array(program.utf8)))'")
        let numbers = result.output.split(separator: " ").compactMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        try #require(numbers.count == 2, "\(result.output) \(result.errors)")
        #expect(numbers[0] < 1024, "KiB that 60 cycles leave; sixty plans would be many times that")
        #expect(numbers[1] <= 4, "GStreamer keeps idle threads of its own; two a cycle would be 200")
    }

    @Test(.enabled(if: Programs.hasPython("Gst"), "Python's bindings of GStreamer are not installed"))
    func python() throws {
        let program = """
            import gi
            gi.require_version("Gst", "1.0")
            from gi.repository import Gst
            Gst.init(None)
            pipeline = Gst.parse_launch("\(Self.source) ! movieedit name=edit prompt=one ! fakesink")
            edit = pipeline.get_by_name("edit")
            edit.set_property("guidance-scale", 5.0)
            pipeline.set_state(Gst.State.PLAYING)
            pipeline.get_bus().timed_pop_filtered(20 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
            edit.set_property("prompt", "two")
            print(edit.get_property("stats").to_string())
            pipeline.set_state(Gst.State.NULL)
            """
        let folder = TemporaryFolder()
        let path = folder.write("program.py", Array(program.utf8))
        let result = try Programs.run("/usr/bin/python3 '\(path)'")
        #expect(result.output.contains("edited=(guint64)5"), "\(result.output) \(result.errors)")
    }
}

/// The library for C and for what calls C.
@Suite(.serialized) struct EmbeddingTests {
    private let folder = TemporaryFolder()

    private func picture() -> String {
        let pixels = (0..<96 * 64 * 3).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 96) }
        return folder.write("in.ppm", Array("P6\n96 64\n255\n".utf8) + pixels)
    }

    private var library: String { Command(built: "libmovie.so").path }

    private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.file(name))) }

    private static let hasCompiler = Command(inPath: "cc") != nil
    private static let hasPython = Command(inPath: "python3") != nil

    @Test(.enabled(if: hasCompiler && hasPython, "cc or python3 is not installed"))
    func examplesInCAndPythonAgree() throws {
        let input = picture(), program = folder.file("edit_ppm")
        let built = try Programs.run(
            "cc -std=c11 -Wall -Wextra -Werror Examples/edit_ppm.c -ISources/CMovie/include '\(library)' -o '\(program)'"
        )
        try #require(built.status == 0, "\(built.errors)")
        let environment = [
            "LIBMOVIE": library, "LD_LIBRARY_PATH": URL(fileURLWithPath: library).deletingLastPathComponent().path,
        ]
        for (command, output) in [("'\(program)'", "c.ppm"), ("Examples/edit_ppm.py", "python.ppm")] {
            let result = try Programs.run("\(command) '\(input)' '\(folder.file(output))' 'make it night'", environment)
            #expect(result.status == 0 && result.errors.isEmpty, "\(command): \(result.errors)")
        }
        #expect(try bytes("c.ppm") == bytes("python.ppm") && bytes("c.ppm") != bytes("in.ppm"))
        let failed = try Programs.run("'\(program)' '\(input)' x.ppm ' '", environment)
        #expect(failed.status == 1 && failed.errors.contains("the prompt is empty"))
        let missing = try Programs.run(
            "'\(program)' '\(input)' x.ppm x", environment.merging(["MOVIED_MODEL": "/nowhere"]) { $1 })
        #expect(missing.status == 1 && missing.errors.contains("there is no model folder at /nowhere"))
    }

    @Test(.enabled(if: hasCompiler, "cc is not installed"))
    func theHeaderIsCPlusPlusToo() throws {
        let file = folder.write(
            "x.cpp", Array("#include \"movie.h\"\nint main() { return movie_version() == nullptr; }\n".utf8))
        let result = try Programs.run(
            "c++ -Wall -Werror -ISources/CMovie/include '\(file)' '\(library)' -o '\(folder.file("x"))'")
        #expect(result.status == 0, "\(result.errors)")
    }
}
