import CGst
import Frames

/// The pixels of a buffer, reachable while this value lives.
struct MappedFrame: ~Copyable {
    private var frame: GstVideoFrame

    /// Maps the RGB picture in `buffer`, laid out as `info` says unless the buffer itself says otherwise.
    init(
        _ buffer: UnsafeMutablePointer<GstBuffer>, info: inout GstVideoInfo, flags: GstMapFlags
    ) throws(MediaError) {
        frame = GstVideoFrame()
        guard gst_video_frame_map(&frame, &info, buffer, flags) != 0 else {
            throw MediaError("a frame's pixels cannot be reached (gst_video_frame_map failed).")
        }
    }

    deinit {
        var frame = frame
        gst_video_frame_unmap(&frame)
    }

    private func pixels() throws(MediaError) -> UnsafeMutableRawPointer {
        guard let pixels = withUnsafePointer(to: frame, { cgst_frame_pixels($0) }) else {
            throw MediaError("a frame has no pixels.")
        }
        return pixels
    }

    private var stride: Int { withUnsafePointer(to: frame) { Int(cgst_frame_stride($0)) } }

    private var size: FrameSize {
        withUnsafePointer(to: frame) {
            FrameSize(width: Int(cgst_frame_width($0)), height: Int(cgst_frame_height($0)))
        }
    }

    /// The picture to read; valid while the frame is mapped.
    func view() throws(MediaError) -> FrameView {
        FrameView(base: try pixels(), size: size, stride: stride)
    }

    /// The picture to write; valid while the frame is mapped, which must have been for writing.
    func mutableView() throws(MediaError) -> MutableFrameView {
        MutableFrameView(base: try pixels(), size: size, stride: stride)
    }
}
