import CGstMovie
import Frames

extension FrameLayout {
    /// The layout that caps describe; nil for a format that this element does not take.
    init?(_ info: GstVideoInfo) {
        guard let format = PixelFormat(withUnsafePointer(to: info) { gstmovie_format($0) }) else { return nil }
        self.init(
            size: FrameSize(width: Int(info.width), height: Int(info.height)), format: format,
            encoding: YUVEncoding(info))
    }

    /// The pixels of a mapped frame, to be read.
    func view(_ frame: UnsafePointer<GstVideoFrame>) -> FrameView? {
        mutableView(frame)?.readable
    }

    /// The pixels of a mapped frame, to be written.
    func mutableView(_ frame: UnsafePointer<GstVideoFrame>) -> MutableFrameView? {
        guard let first = gstmovie_plane(frame, 0) else { return nil }
        let strides = (gstmovie_stride(frame, 0), gstmovie_stride(frame, 1), gstmovie_stride(frame, 2))
        return mutableView(
            planes: (first, gstmovie_plane(frame, 1), gstmovie_plane(frame, 2)),
            strides: (Int(strides.0), Int(strides.1), Int(strides.2)))
    }
}

extension PixelFormat {
    fileprivate init?(_ format: GstVideoFormat) {
        switch format {
        case GST_VIDEO_FORMAT_RGB: self = .rgb
        case GST_VIDEO_FORMAT_BGR: self = .bgr
        case GST_VIDEO_FORMAT_RGBx: self = .rgbx
        case GST_VIDEO_FORMAT_BGRx: self = .bgrx
        case GST_VIDEO_FORMAT_RGBA: self = .rgba
        case GST_VIDEO_FORMAT_I420: self = .i420
        case GST_VIDEO_FORMAT_NV12: self = .nv12
        case GST_VIDEO_FORMAT_YUY2: self = .yuy2
        default: return nil
        }
    }
}

extension YUVEncoding {
    /// The encoding of the caps' colorimetry; BT.601 where it says nothing.
    fileprivate init(_ info: GstVideoInfo) {
        let (matrix, isFullRange) = withUnsafePointer(to: info) {
            (gstmovie_matrix($0), gstmovie_is_full_range($0) != 0)
        }
        var red = 0.0, blue = 0.0
        guard matrix != GST_VIDEO_COLOR_MATRIX_RGB, gst_video_color_matrix_get_Kr_Kb(matrix, &red, &blue) != 0 else {
            self.init(red: 0.299, blue: 0.114, isFullRange: isFullRange)
            return
        }
        self.init(red: red, blue: blue, isFullRange: isFullRange)
    }
}
