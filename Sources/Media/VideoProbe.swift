import CGst
import Frames

/// Looks into a video file: what it holds, and whether it can be edited.
public enum VideoProbe {
    private static let patience = 10.0

    /// Describes the video at `path`, which must have frames of even sides of at least 64 pixels.
    ///
    /// Throws a sentence for a path that is no readable file, a file that is no video, has no frames, only audio, or a
    /// size that cannot be edited as it is. Returns or throws within about 20 seconds, whatever the file does.
    public static func probe(path: String) throws(MediaError) -> VideoInfo {
        let info = try inspect(path: path)
        let advice = "use --size \(info.size.nearestAllowed)"
        try info.size.validate(as: "the picture of '\(path)'", advice: advice)
        return info
    }

    /// As `probe`, but the video may have any size: for those who scale it.
    public static func inspect(path: String) throws(MediaError) -> VideoInfo {
        try InputFile.check(path)
        let frame = try firstFrame(path: path)
        // A frame came, so there is a video, whatever the discoverer says of a sound track without any sound in it.
        let layout = try StreamLayout.read(path: path, seconds: Int(patience)) ?? StreamLayout()
        if layout.isStillPicture { throw MediaError("'\(path)' is a still picture; give a video file.") }
        return VideoInfo(
            size: layout.isOnItsSide ? FrameSize(width: frame.size.height, height: frame.size.width) : frame.size,
            framerate: frame.framerate, duration: frame.duration ?? layout.duration, audioFormat: layout.audioFormat,
            orientation: layout.orientation, isInterlaced: layout.isInterlaced)
    }

    static func noFrames(_ path: String) -> MediaError {
        MediaError("'\(path)' has no video frames; give a video with at least one.")
    }

    private typealias Frame = (size: FrameSize, framerate: Framerate?, duration: Int64?)

    /// Size, rate and length as the first decoded frame tells them.
    private static func firstFrame(path: String) throws(MediaError) -> Frame {
        let decoder = try FileDecoder(path: path, layout: (orientation: 0, isInterlaced: false), size: nil)
        do throws(MediaError) {
            guard let caps = try decoder.firstFormat(seconds: patience), let size = caps.size else {
                throw noFrames(path)
            }
            return (size, caps.framerate, decoder.pipeline.duration)
        } catch {
            throw try explain(error, path: path)
        }
    }

    /// A better sentence than the decoder's, where the list of streams allows one.
    private static func explain(_ error: MediaError, path: String) throws(MediaError) -> MediaError {
        guard let layout = try StreamLayout.read(path: path, seconds: 2), !layout.hasVideo, layout.audioFormat != nil
        else { return error }
        return MediaError("'\(path)' has only audio, no video stream; give a video file.")
    }
}
