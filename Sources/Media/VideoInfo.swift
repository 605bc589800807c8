import Frames

/// What is known about a video file before it is decoded.
public struct VideoInfo: Sendable {
    /// Size of the picture as it is shown, in pixels: after rotation, before the pixel aspect ratio.
    public let size: FrameSize
    /// Frames a second; nil when the file says that they vary or does not say.
    public let framerate: Framerate?
    /// Length in nanoseconds; nil when the file does not say.
    public let duration: Int64?
    /// Media type and fields of the first audio stream as GStreamer writes caps; nil when there is none.
    public let audioFormat: String?
    /// Whether the decoder must turn the stored picture to show it upright.
    public var isRotated: Bool { orientation != 0 }
    /// Whether the file has an audio stream.
    public var hasAudio: Bool { audioFormat != nil }
    /// Frames that the file should have, from duration and rate; nil when either is unknown.
    public var estimatedFrames: Int? {
        guard let framerate, let duration else { return nil }
        return Int((Double(duration) / 1e9 * framerate.framesPerSecond).rounded())
    }

    /// The `GstVideoOrientationMethod` that shows the picture upright; 0 changes nothing.
    let orientation: Int
    /// Whether the frames are two fields each.
    let isInterlaced: Bool
}
