#ifndef CGST_H
#define CGST_H

/* The one header through which Swift sees GStreamer: the library's own headers, and shims (prefix cgst_) for what
   Swift cannot import, a group a topic. */

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/pbutils/pbutils.h>
#include <gst/video/video.h>

/* Casts: the checked cast macros of GObject take a type and an expression, which Swift cannot call. */
static inline GstBin *cgst_bin(GstElement *element) { return GST_BIN(element); }
static inline GstAppSink *cgst_app_sink(GstElement *element) { return GST_APP_SINK(element); }
static inline GstAppSrc *cgst_app_src(GstElement *element) { return GST_APP_SRC(element); }
static inline GstElement *cgst_app_src_element(GstAppSrc *source) { return GST_ELEMENT(source); }
static inline GstDiscovererStreamInfo *cgst_stream_info(gpointer info) { return GST_DISCOVERER_STREAM_INFO(info); }

/* Clocks: a pipeline is a bin for which there is no Swift type. */
static inline void cgst_use_clock(GstElement *pipeline, GstClock *clock) {
    gst_pipeline_use_clock(GST_PIPELINE(pipeline), clock);
}

/* Properties: g_object_set is variadic. */
static inline void cgst_set_string(gpointer object, const char *name, const char *value) {
    g_object_set(object, name, value, NULL);
}
static inline void cgst_set_int(gpointer object, const char *name, gint value) {
    g_object_set(object, name, value, NULL);
}
static inline void cgst_set_caps(gpointer object, const char *name, const GstCaps *value) {
    g_object_set(object, name, value, NULL);
}

/* Names of an enumerated property's values: GParamSpecEnum is reached through cast macros. NULL past the last one. */
static inline const char *cgst_enum_nick(gpointer object, const char *name, guint index) {
    GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(object), name);
    if (spec == NULL || !G_IS_PARAM_SPEC_ENUM(spec)) return NULL;
    GEnumClass *values = G_PARAM_SPEC_ENUM(spec)->enum_class;
    return index < values->n_values ? values->values[index].value_nick : NULL;
}

/* Messages: the type is a macro over a struct that Swift sees as incomplete parts. */
static inline GstMessageType cgst_message_type(const GstMessage *message) { return GST_MESSAGE_TYPE(message); }

/* Timing of buffers: macros that are lvalues. */
static inline GstClockTime cgst_buffer_pts(const GstBuffer *buffer) { return GST_BUFFER_PTS(buffer); }
static inline GstClockTime cgst_buffer_duration(const GstBuffer *buffer) { return GST_BUFFER_DURATION(buffer); }
static inline void cgst_buffer_set_timing(GstBuffer *buffer, GstClockTime pts, GstClockTime duration) {
    GST_BUFFER_PTS(buffer) = pts;
    GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION(buffer) = duration;
}

/* Mapped frames: planes and strides are C arrays behind macros. */
static inline void *cgst_frame_pixels(const GstVideoFrame *frame) { return GST_VIDEO_FRAME_PLANE_DATA(frame, 0); }
static inline gint cgst_frame_stride(const GstVideoFrame *frame) { return GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0); }
static inline gint cgst_frame_width(const GstVideoFrame *frame) { return GST_VIDEO_FRAME_WIDTH(frame); }
static inline gint cgst_frame_height(const GstVideoFrame *frame) { return GST_VIDEO_FRAME_HEIGHT(frame); }

/* Whether caps are of pictures of this size. In C, because lending a Swift string for a field's name may allocate. */
static inline gboolean cgst_caps_have_size(const GstCaps *caps, gint width, gint height) {
    const GstStructure *fields = gst_caps_get_structure(caps, 0);
    gint w = 0, h = 0;
    return gst_structure_get_int(fields, "width", &w) && gst_structure_get_int(fields, "height", &h) && w == width &&
           h == height;
}

/* The size in bytes of a picture: a macro over a nested struct. */
static inline gsize cgst_video_info_bytes(const GstVideoInfo *info) { return GST_VIDEO_INFO_SIZE(info); }

/* Demuxers that gave up in silence: decodebin swallows the error of one that fails while it is being connected. True
   when some demuxer has no streams and no longer reads; meaningful once a pipeline has had time to start. */
gboolean cgst_has_idle_demuxer(GstElement *pipeline);

#endif
