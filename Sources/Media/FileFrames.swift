import CGst
import Frames

/// Reads the pictures of a video file.
public enum FileFrames {
    private static let stallSeconds = 60.0

    /// Gives every frame of the video at `path`, upright and scaled to `size`, to `body`, until it returns false.
    ///
    /// Throws a sentence for a file that is no video or cannot be decoded, and what `body` throws.
    public static func read(path: String, size: FrameSize, _ body: (FrameView) throws -> Bool) throws {
        let info = try VideoProbe.inspect(path: path)
        let layout = (orientation: info.orientation, isInterlaced: info.isInterlaced)
        let decoder = try FileDecoder(path: path, layout: layout, size: size)
        try decoder.pipeline.set(GST_STATE_PLAYING)
        while let sample = try decoder.nextFrame(seconds: stallSeconds, isCancelled: { false }) {
            var format = GstVideoInfo()
            guard let buffer = sample.buffer, sample.caps?.withRaw({ gst_video_info_from_caps(&format, $0) }) == 1
            else {
                throw MediaError("a frame of '\(path)' came without pixels.")
            }
            let frame = try MappedFrame(buffer, info: &format, flags: GST_MAP_READ)
            guard try body(frame.view()) else { return }
        }
    }
}
