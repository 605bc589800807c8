import CGst
import Frames

/// Finds the frame in the middle of a video file: of n frames the one with n / 2 before it, rounded down.
///
/// Containers lie about lengths, and sound may be longer than the picture, so the file is decoded: once to count its frames,
/// again up to the middle.
struct MiddleFrame {
    let path: String
    let layout: (orientation: Int, isInterlaced: Bool)
    let isCancelled: () -> Bool

    private static let stallSeconds = 60.0
    private static let countingSize = FrameSize(width: 16, height: 16)

    /// Gives the middle frame, scaled to `size`, to `body`. Returns its number; nil when cancelled.
    ///
    /// Throws a sentence for a file without frames or one that cannot be decoded, and what `body` throws.
    func read(size: FrameSize, _ body: (FrameView) throws -> Void) throws -> Int? {
        var count = 0
        guard
            try decode(
                size: Self.countingSize,
                { _ in
                    count += 1; return true
                })
        else { return nil }
        guard count > 0 else { throw VideoProbe.noFrames(path) }
        let middle = count / 2
        var index = 0
        let isWhole = try decode(size: size) { sample in
            defer { index += 1 }
            guard index == middle else { return true }
            try Self.withView(of: sample, path, body)
            return false
        }
        if !isWhole { return nil }
        guard index > middle else { throw MediaError("'\(path)' gave \(count) frames and then only \(index).") }
        return middle
    }

    /// Gives all frames to `body` until it returns false; false when cancelled.
    private func decode(size: FrameSize, _ body: (borrowing Sample) throws -> Bool) throws -> Bool {
        let decoder = try FileDecoder(path: path, layout: layout, size: size)
        try decoder.pipeline.set(GST_STATE_PLAYING)
        while let sample = try decoder.nextFrame(seconds: Self.stallSeconds, isCancelled: isCancelled) {
            guard try body(sample) else { return true }
        }
        return !isCancelled()
    }

    private static func withView(
        of sample: borrowing Sample, _ path: String, _ body: (FrameView) throws -> Void
    ) throws {
        var format = GstVideoInfo()
        guard let buffer = sample.buffer, sample.caps?.withRaw({ gst_video_info_from_caps(&format, $0) }) == 1 else {
            throw MediaError("a frame of '\(path)' came without pixels.")
        }
        let frame = try MappedFrame(buffer, info: &format, flags: GST_MAP_READ)
        try body(frame.view())
    }
}
