import Foundation
import TestSupport
import Testing

/// Every recipe of Pipelines/, with test sources and sinks.
@Suite(
    .serialized,
    .enabled(if: Programs.has("movieedit", "x264enc", "opusenc", "compositor"), "gst-launch-1.0 or plugins are missing")
)
struct RecipeTests {
    private let folder = TemporaryFolder()

    private func run(_ recipe: String, _ environment: [String: String] = [:]) throws {
        let result = try Programs.run("exec Pipelines/\(recipe)", environment)
        #expect(result.status == 0, "\(result.output) \(result.errors)")
        #expect(
            !result.output.contains("WARNING") && !result.errors.contains("ERROR"), "\(result.output) \(result.errors)")
    }

    /// A short clip with sound.
    private func clip() throws -> String {
        let path = folder.file("clip.mp4")
        let made = try Programs.run(
            "ffmpeg -v error -y -f lavfi -i testsrc=s=96x64:r=25:d=0.4 -f lavfi -i sine=d=0.4 -c:v libx264 -c:a aac "
                + "-pix_fmt yuv420p '\(path)'")
        try #require(made.status == 0, "\(made.errors)")
        return path
    }

    @Test func noRecipeIsForgotten() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(repository)/Pipelines").filter {
            $0 != "common.sh"
        }
        let text = try String(contentsOfFile: #filePath, encoding: .utf8)
        #expect(names.count >= 12)
        for name in names {
            #expect(text.contains("\"\(name)") || text.contains("Pipelines/\(name)"), "no test runs \(name)")
            #expect(FileManager.default.isExecutableFile(atPath: "\(repository)/Pipelines/\(name)"))
        }
    }

    @Test func window() throws { try run("webcam-to-window") }

    @Test func aCompositorHasBothPictures() throws {
        let sink = "videoconvert ! video/x-raw,format=RGB ! filesink location=\(folder.file("raw"))"
        for (recipe, width) in [("side-by-side", 192), ("two-prompts", 192), ("picture-in-picture", 96)] {
            try run(recipe, ["SINK": sink, "SOURCE": Programs.liveSource(frames: 3)])
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("raw"))).count
            #expect(bytes > 0 && bytes % (width * 64 * 3) == 0, "\(recipe)")
        }
    }

    @Test func mjpegCamera() throws {
        let source =
            "videotestsrc is-live=true num-buffers=8 ! video/x-raw,width=320,height=240,framerate=30/1 ! jpegenc"
        try run("mjpeg-webcam-to-loopback", ["SOURCE": source, "CAPTURE": "320x240"])
    }

    @Test(.enabled(if: Programs.hasFFmpeg, "ffmpeg and ffprobe are not installed"))
    func filesKeepEveryFrame() throws {
        let clip = try clip(), output = folder.file("out.mkv")
        try run("file-to-file '\(clip)' '\(output)'")
        let frames = try Programs.frames(in: output)
        #expect(frames.video == 10 && frames.audio > 10)
    }

    @Test(.enabled(if: Programs.hasFFmpeg, "ffmpeg and ffprobe are not installed"))
    func filesPlayWithSound() throws {
        try run("file-to-window '\(try clip())'", ["AUDIO_SINK": "fakesink"])
    }

    @Test(.enabled(if: Programs.hasFFmpeg, "ffmpeg and ffprobe are not installed"))
    func recordings() throws {
        let output = folder.file("out.mkv")
        try run("record-while-viewing '\(output)'")
        #expect((1...10).contains(try Programs.frames(in: output).video))
        try run("sound-and-picture '\(output)'", ["AUDIO_SOURCE": "audiotestsrc is-live=true num-buffers=15"])
        let frames = try Programs.frames(in: output)
        #expect((1...10).contains(frames.video) && frames.audio > 5)
    }

    @Test(.enabled(if: Programs.has("hlssink2"), "gstreamer1.0-plugins-bad is not installed"))
    func hlsFolder() throws {
        try run("hls '\(folder.file("live"))'")
        let playlist = try String(contentsOfFile: folder.file("live/playlist.m3u8"), encoding: .utf8)
        #expect(playlist.contains("segment00000.ts") && playlist.contains("#EXT-X-ENDLIST"))
    }

    @Test(
        .enabled(
            if: Programs.has("rtspclientsink", "avdec_h264") && Programs.hasPython("GstRtspServer"),
            "gstreamer1.0-rtsp or Python's bindings of gst-rtsp-server are not installed"))
    func rtspInAndOut() throws {
        let result = try Programs.run(
            """
            server=$(mktemp); /usr/bin/python3 Tests/GstMovieTests/Tools/rtsp_server.py 5 >"$server" & pid=$!
            for _ in {1..100}; do grep -q port "$server" && break; sleep 0.1; done
            address=rtsp://127.0.0.1:$(sed -n 's/port //p' "$server")
            SOURCE= INPUT=$address/camera OUTPUT=$address/edited Pipelines/rtsp-to-rtsp >/dev/null 2>&1 &
            wait $pid; cat "$server"; rm "$server"
            """)
        #expect(result.output.contains("frames 5"), "\(result.output) \(result.errors)")
    }

    @Test(
        .enabled(
            if: Programs.has("webrtcbin", "nicesink", "vp8enc") && Programs.hasPython("GstWebRTC", "GstSdp"),
            "gstreamer1.0-nice or Python's bindings of GStreamer's WebRTC are not installed"))
    func webrtcViewer() throws {
        let result = try Programs.run(
            """
            page=$(mktemp); Pipelines/webrtc 0 >"$page" &
            trap "kill -KILL $!" EXIT
            for _ in {1..100}; do grep -q open "$page" && break; sleep 0.1; done
            /usr/bin/python3 Tests/GstMovieTests/Tools/webrtc_viewer.py "$(sed -n 's/open //p' "$page")" 5; rm "$page"
            """, ["SOURCE": Programs.liveSource(frames: 600)])
        #expect(result.output.contains("frames 5 96x64"), "\(result.output) \(result.errors)")
    }

    @Test func recipesOfMovied() throws {
        // `movied run` goes on until somebody stops it.
        for recipe in ["test-pattern-to-window", "webcam-to-loopback"] {
            let stopped = try Programs.run(
                "timeout --preserve-status -s INT 1.5 Pipelines/\(recipe)",
                recipe == "webcam-to-loopback" ? ["SOURCE": "test:ball", "SINK": "gst:fakesink"] : [:])
            #expect(stopped.status == 0, "\(recipe): \(stopped.errors)")
        }
        if Programs.hasFFmpeg { try run("file-with-sound '\(try clip())' '\(folder.file("out.mp4"))' --quiet") }
    }

    @Test func aMissingArgumentIsSaid() throws {
        for recipe in ["file-to-file", "file-to-window", "record-while-viewing", "sound-and-picture", "hls"] {
            let result = try Programs.run("exec Pipelines/\(recipe)")
            #expect(result.status == 64 && result.errors.contains("Pipelines/\(recipe) "), "\(result.errors)")
        }
    }
}
