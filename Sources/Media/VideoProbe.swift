import CGst
import Frames

/// Looks into a video file: what it holds, and whether it can be edited.
public enum VideoProbe {
    private static let patience = 20

    /// Describes the video at `path`, which must have frames of even sides of at least 64 pixels.
    ///
    /// Throws a sentence for a path that is no readable file, a file that is no video, has no frames, only audio, or a
    /// size that cannot be edited as it is. Returns or throws within about 40 seconds, whatever the file does.
    public static func probe(path: String) throws(MediaError) -> VideoInfo {
        let info = try inspect(path: path)
        let advice = "use --size \(info.size.nearestAllowed)"
        try info.size.validate(as: "the picture of '\(path)'", advice: advice)
        return info
    }

    /// As `probe`, but the video may have any size: for those who scale it.
    public static func inspect(path: String) throws(MediaError) -> VideoInfo {
        try InputFile.check(path)
        guard let layout = try StreamLayout.read(path: path, seconds: patience) else {
            throw MediaError("'\(path)' is not a video that GStreamer can read; give a video file.")
        }
        try check(layout, path: path)
        let streams = (orientation: layout.orientation, isInterlaced: layout.isInterlaced)
        let decoder = try FileDecoder(path: path, layout: streams, size: nil)
        guard let sample = try decoder.firstFrame(seconds: Double(patience)), let caps = sample.caps,
            let size = caps.size
        else { throw noFrames(path) }
        return VideoInfo(
            size: size, framerate: caps.framerate, duration: decoder.pipeline.duration ?? layout.duration,
            audioFormat: layout.audioFormat, orientation: layout.orientation, isInterlaced: layout.isInterlaced)
    }

    static func noFrames(_ path: String) -> MediaError {
        MediaError("'\(path)' has no video frames; give a video with at least one.")
    }

    private static func check(_ layout: StreamLayout, path: String) throws(MediaError) {
        if layout.isStillPicture { throw MediaError("'\(path)' is a still picture; give a video file.") }
        if !layout.hasVideo, layout.audioFormat != nil {
            throw MediaError("'\(path)' has only audio, no video stream; give a video file.")
        }
    }
}
