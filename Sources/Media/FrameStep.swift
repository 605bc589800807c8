import CGst
import Frames

/// Edits samples of one fixed format into buffers of a pool.
struct FrameStep: ~Copyable {
    private let editor: any FrameEditor
    private let pool: FramePool
    private var info: GstVideoInfo

    /// Gets ready for pictures in the format of `caps`, which must be RGB. The editor has been prepared by the caller.
    init(editor: any FrameEditor, caps: Caps) throws(MediaError) {
        var info = GstVideoInfo()
        guard caps.withRaw({ gst_video_info_from_caps(&info, $0) }) != 0 else {
            throw MediaError("the format \(caps.text) is not a picture.")
        }
        let pool = try FramePool(caps: caps, info: info)
        self.editor = editor
        self.info = info
        self.pool = pool
    }

    /// The edited picture of `sample`, without timestamps; the caller owns the reference. Rethrows what the editor throws.
    mutating func edit(_ sample: borrowing Sample) throws -> UnsafeMutablePointer<GstBuffer> {
        guard let input = sample.buffer else { throw MediaError("a frame came without pixels.") }
        let output = try pool.acquire()
        do {
            try edit(input, into: output)
        } catch {
            gst_buffer_unref(output)
            throw error
        }
        return output
    }

    private mutating func edit(
        _ input: UnsafeMutablePointer<GstBuffer>, into output: UnsafeMutablePointer<GstBuffer>
    ) throws {
        let source = try MappedFrame(input, info: &info, flags: GST_MAP_READ)
        let target = try MappedFrame(output, info: &info, flags: GST_MAP_WRITE)
        try editor.edit(source.view(), into: target.mutableView())
    }
}
