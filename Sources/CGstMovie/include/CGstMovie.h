#ifndef CGSTMOVIE_H
#define CGSTMOVIE_H
/* The element `movieedit` as GObject sees it. What it does is Swift: the functions below named gstmovie_swift_ are
   declared here and implemented in the target GstMovie. The others are what Swift calls. */

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>
#include <gst/video/gstvideofilter.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

#ifdef __clang__
#pragma clang assume_nonnull begin
#else
#define _Nullable
#endif

/* Properties, in the order gst-inspect-1.0 lists them. */
typedef enum {
    GSTMOVIE_PROP_0,
    GSTMOVIE_MODEL,
    GSTMOVIE_PROMPT,
    GSTMOVIE_PRESET,
    GSTMOVIE_GUIDANCE_SCALE,
    GSTMOVIE_IMAGE_GUIDANCE_SCALE,
    GSTMOVIE_STRENGTH,
    GSTMOVIE_SEED,
    GSTMOVIE_ANCHOR,
    GSTMOVIE_STABILITY,
    GSTMOVIE_LATENCY_BUDGET,
    GSTMOVIE_CPU_BUDGET,
    GSTMOVIE_THREADS,
    GSTMOVIE_FALLBACK,
    GSTMOVIE_STATS,
} GstMovieProperty;

/* What a late frame of a live stream becomes. */
typedef enum {
    GSTMOVIE_FALLBACK_HOLD,
    GSTMOVIE_FALLBACK_PASSTHROUGH,
    GSTMOVIE_FALLBACK_DROP,
} GstMovieFallback;

/* The frame that the others attend to. */
typedef enum {
    GSTMOVIE_ANCHOR_MODEL,
    GSTMOVIE_ANCHOR_NONE,
    GSTMOVIE_ANCHOR_ROLLING,
} GstMovieAnchor;

/* The default of `stability`; equal to EditSettings.usualStability. */
#define GSTMOVIE_USUAL_STABILITY 0.5

/* When a frame comes, in running time; GST_CLOCK_TIME_NONE where there is no clock or no timestamp. */
typedef struct {
    GstClockTime running_time; /* of the frame */
    GstClockTime now;          /* by the pipeline's clock */
    GstClockTime duration;     /* of the frame */
    GstClockTime pts;
} GstMovieTiming;

/* Bodies, in Swift. `self` is what create returned; element outlives it and is not owned. */
void *gstmovie_swift_create(GstElement *element);
void gstmovie_swift_destroy(void *self);
void gstmovie_swift_set_string(void *self, guint property, const char *_Nullable value);
void gstmovie_swift_set_double(void *self, guint property, double value);
void gstmovie_swift_set_number(void *self, guint property, guint64 value);
char *_Nullable gstmovie_swift_get_string(void *self, guint property); /* to be freed with g_free; NULL for unset */
double gstmovie_swift_get_double(void *self, guint property);
guint64 gstmovie_swift_get_number(void *self, guint property);
void gstmovie_swift_fill_stats(void *self, GstStructure *stats);
gboolean gstmovie_swift_start(void *self);
void gstmovie_swift_stop(void *self);
/* To be called before a change of state or a flush that waits for the frame in work. */
void gstmovie_swift_unblock(void *self);
gboolean gstmovie_swift_set_info(void *self, const GstVideoInfo *info);
/* `output` may be `input`. */
GstFlowReturn gstmovie_swift_edit(void *self, const GstVideoFrame *input, const GstVideoFrame *output,
                                  const GstMovieTiming *timing);
/* A frame that the base class skipped because of quality of service. */
void gstmovie_swift_skipped(void *self);
/* A sink reports: frames before `earliest` (running time, GST_CLOCK_TIME_NONE for never) come too late. */
void gstmovie_swift_set_earliest(void *self, GstClockTime earliest);
/* Flush or a new stream: what was shown before is not to be shown again. */
void gstmovie_swift_flush(void *self);
/* Upstream's answer to a latency query; returns what this element adds, 0 unless live. */
GstClockTime gstmovie_swift_latency(void *self, gboolean is_live, GstClockTime upstream);

/* For Swift. */

typedef enum { GSTMOVIE_NO_MODEL, GSTMOVIE_BAD_SETTINGS, GSTMOVIE_BAD_FORMAT, GSTMOVIE_EDIT_FAILED } GstMovieTrouble;
/* Posts an error or a warning on the bus: `message` is a sentence for people. */
void gstmovie_post_error(GstElement *element, GstMovieTrouble trouble, const char *message);
void gstmovie_post_warning(GstElement *element, GstMovieTrouble trouble, const char *message);
/* Asks the pipeline to query latencies again. */
void gstmovie_post_latency(GstElement *element);
/* Reports a frame that was not edited, and how the stream fares. `jitter`: how late, in ns; `proportion`: time needed
   over time there is. */
void gstmovie_post_qos(GstElement *element, gboolean is_live, const GstMovieTiming *timing, gint64 jitter,
                       double proportion, guint64 processed, guint64 dropped);
/* Tells upstream that frames come faster than they can be edited. */
void gstmovie_send_qos(GstElement *element, const GstMovieTiming *timing, gint64 jitter, double proportion);
/* Whether upstream is live, and its least latency; FALSE when it does not know. */
gboolean gstmovie_query_upstream(GstElement *element, gboolean *is_live, GstClockTime *latency);
/* Path of the library or program that this code is in; NULL when unknown. */
const char *_Nullable gstmovie_library_path(void);
/* What gst_structure_set takes variadic. */
void gstmovie_stat(GstStructure *stats, const char *name, guint64 value);
void gstmovie_stat_text(GstStructure *stats, const char *name, const char *value);
/* Lines of the log, GST_DEBUG=movie:LEVEL. */
void gstmovie_log_info(GstElement *element, const char *message);

/* Mapped frames: planes and strides are behind macros. */
static inline void *_Nullable gstmovie_plane(const GstVideoFrame *frame, guint plane) {
    return plane < GST_VIDEO_FRAME_N_PLANES(frame) ? GST_VIDEO_FRAME_PLANE_DATA(frame, plane) : NULL;
}
static inline gint gstmovie_stride(const GstVideoFrame *frame, guint plane) {
    return plane < GST_VIDEO_FRAME_N_PLANES(frame) ? GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane) : 0;
}
static inline GstVideoFormat gstmovie_format(const GstVideoInfo *info) { return GST_VIDEO_INFO_FORMAT(info); }
static inline gboolean gstmovie_is_full_range(const GstVideoInfo *info) {
    return info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
}
static inline GstVideoColorMatrix gstmovie_matrix(const GstVideoInfo *info) { return info->colorimetry.matrix; }

/* The type of the element, and the plugin that has it. */
GType gst_movie_edit_get_type(void);
const GstPluginDesc *gst_plugin_movie_get_desc(void);
/* The nick (as written in a pipeline) and the prompt of a preset; NULL past the last one. Both live for ever. */
const char *_Nullable gstmovie_swift_preset_nick(guint index);
const char *_Nullable gstmovie_swift_preset_prompt(guint index);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

G_END_DECLS
#endif
