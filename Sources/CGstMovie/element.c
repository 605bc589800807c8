/* GST_PLUGIN_DEFINE asks for it. */
#define PACKAGE "movied"

#include "private.h"

/* The class: vfuncs of the base classes, each a few lines that end in Swift. */

GST_DEBUG_CATEGORY(gstmovie_debug);
#define GST_CAT_DEFAULT gstmovie_debug

#define GSTMOVIE_CAPS                                                                                                  \
    "video/x-raw, format = (string) { I420, NV12, YUY2, RGB, BGR, RGBx, BGRx, RGBA }, "                                \
    "width = (int) [ 2, 16384, 2 ], height = (int) [ 2, 16384, 2 ], framerate = (fraction) [ 0, max ]"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GSTMOVIE_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GSTMOVIE_CAPS));

G_DEFINE_TYPE(GstMovieEdit, gst_movie_edit, GST_TYPE_VIDEO_FILTER)
#define BODY(object) (((GstMovieEdit *)(object))->body)
#define PARENT GST_BASE_TRANSFORM_CLASS(gst_movie_edit_parent_class)

static gboolean start(GstBaseTransform *base) { return gstmovie_swift_start(BODY(base)); }

static gboolean stop(GstBaseTransform *base) {
    gstmovie_swift_stop(BODY(base));
    return TRUE;
}

static gboolean set_info(GstVideoFilter *filter, GstCaps *in_caps, GstVideoInfo *in, GstCaps *out_caps,
                         GstVideoInfo *out) {
    return gstmovie_swift_set_info(BODY(filter), in);
}

/* Where the buffer may be written, the edit replaces its pixels; otherwise the base class takes one from the pool. */
static GstFlowReturn prepare_output_buffer(GstBaseTransform *base, GstBuffer *input, GstBuffer **output) {
    if (!gst_base_transform_is_passthrough(base) && gst_buffer_is_writable(input)
        && gst_buffer_is_all_memory_writable(input)) {
        *output = input;
        return GST_FLOW_OK;
    }
    return PARENT->prepare_output_buffer(base, input, output);
}

static GstMovieTiming timing_of(GstBaseTransform *base, GstBuffer *buffer) {
    GstMovieTiming timing = {GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, GST_BUFFER_DURATION(buffer),
                             GST_BUFFER_PTS(buffer)};
    timing.running_time = gst_segment_to_running_time(&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    GstClock *clock = GST_STATE(base) == GST_STATE_PLAYING ? gst_element_get_clock(GST_ELEMENT(base)) : NULL;
    if (clock != NULL) {
        const GstClockTime now = gst_clock_get_time(clock), start = gst_element_get_base_time(GST_ELEMENT(base));
        timing.now = now > start ? now - start : 0;
        gst_object_unref(clock);
    }
    return timing;
}

/* Values of controlled properties at the frame's place in its stream. */
static void sync_values(GstBaseTransform *base, GstBuffer *buffer) {
    const GstClockTime place = gst_segment_to_stream_time(&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(place)) gst_object_sync_values(GST_OBJECT(base), place);
}

static GstFlowReturn unmappable(GstBaseTransform *base) {
    gstmovie_post_error(GST_ELEMENT(base), GSTMOVIE_EDIT_FAILED,
                        "a buffer cannot be mapped as the video its caps describe; see the element before this one.");
    return GST_FLOW_ERROR;
}

static GstFlowReturn edit_in_place(GstBaseTransform *base, GstBuffer *buffer, const GstMovieTiming *timing) {
    GstVideoFrame frame;
    if (!gst_video_frame_map(&frame, &GST_VIDEO_FILTER(base)->in_info, buffer,
                             GST_MAP_READWRITE | GST_VIDEO_FRAME_MAP_FLAG_NO_REF))
        return unmappable(base);
    const GstFlowReturn result = gstmovie_swift_edit(BODY(base), &frame, &frame, timing);
    gst_video_frame_unmap(&frame);
    return result;
}

static GstFlowReturn edit_into(GstBaseTransform *base, GstBuffer *input, GstBuffer *output,
                               const GstMovieTiming *timing) {
    GstVideoFrame from, to;
    if (!gst_video_frame_map(&from, &GST_VIDEO_FILTER(base)->in_info, input,
                             GST_MAP_READ | GST_VIDEO_FRAME_MAP_FLAG_NO_REF))
        return unmappable(base);
    if (!gst_video_frame_map(&to, &GST_VIDEO_FILTER(base)->out_info, output,
                             GST_MAP_READWRITE | GST_VIDEO_FRAME_MAP_FLAG_NO_REF)) {
        gst_video_frame_unmap(&from);
        return unmappable(base);
    }
    const GstFlowReturn result = gstmovie_swift_edit(BODY(base), &from, &to, timing);
    gst_video_frame_unmap(&to);
    gst_video_frame_unmap(&from);
    return result;
}

static GstFlowReturn transform(GstBaseTransform *base, GstBuffer *input, GstBuffer *output) {
    sync_values(base, input);
    const GstMovieTiming timing = timing_of(base, input);
    const GstFlowReturn result =
        input == output ? edit_in_place(base, output, &timing) : edit_into(base, input, output, &timing);
    return result == GST_FLOW_CUSTOM_SUCCESS ? GST_BASE_TRANSFORM_FLOW_DROPPED : result;
}

/* Never called: transform, which calls it, is ours. GstVideoFilter takes a class without it for one that works in place
   only. */
static GstFlowReturn transform_frame(GstVideoFilter *filter, GstVideoFrame *input, GstVideoFrame *output) {
    return GST_FLOW_NOT_SUPPORTED;
}

/* The base class skips frames that a sink reported late, when the property qos says so. */
static GstFlowReturn submit_input_buffer(GstBaseTransform *base, gboolean is_discont, GstBuffer *input) {
    const GstFlowReturn result = PARENT->submit_input_buffer(base, is_discont, input);
    if (result == GST_BASE_TRANSFORM_FLOW_DROPPED) gstmovie_swift_skipped(BODY(base));
    return result;
}

static gboolean sink_event(GstBaseTransform *base, GstEvent *event) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START) gstmovie_swift_unblock(BODY(base));
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP || GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START)
        gstmovie_swift_flush(BODY(base));
    return PARENT->sink_event(base, event);
}

static gboolean src_event(GstBaseTransform *base, GstEvent *event) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) {
        GstClockTimeDiff diff;
        GstClockTime timestamp;
        gst_event_parse_qos(event, NULL, NULL, &diff, &timestamp);
        GstClockTime earliest = GST_CLOCK_TIME_NONE;
        if (GST_CLOCK_TIME_IS_VALID(timestamp) && diff > 0) earliest = timestamp + (GstClockTime)diff;
        gstmovie_swift_set_earliest(BODY(base), earliest);
    }
    return PARENT->src_event(base, event);
}

static gboolean query(GstBaseTransform *base, GstPadDirection direction, GstQuery *query) {
    if (!PARENT->query(base, direction, query)) return FALSE;
    if (direction == GST_PAD_SRC && GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
        gboolean is_live;
        GstClockTime least, most;
        gst_query_parse_latency(query, &is_live, &least, &most);
        const GstClockTime own = gstmovie_swift_latency(BODY(base), is_live, least);
        if (GST_CLOCK_TIME_IS_VALID(most)) most += own;
        gst_query_set_latency(query, is_live, least + own, most);
    }
    return TRUE;
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange change) {
    if (change == GST_STATE_CHANGE_PAUSED_TO_READY) gstmovie_swift_unblock(BODY(element));
    return GST_ELEMENT_CLASS(gst_movie_edit_parent_class)->change_state(element, change);
}

static void finalize(GObject *object) {
    gstmovie_swift_destroy(BODY(object));
    G_OBJECT_CLASS(gst_movie_edit_parent_class)->finalize(object);
}

static void gst_movie_edit_class_init(GstMovieEditClass *class) {
    GObjectClass *object = G_OBJECT_CLASS(class);
    GstElementClass *element = GST_ELEMENT_CLASS(class);
    GstBaseTransformClass *base = GST_BASE_TRANSFORM_CLASS(class);
    object->finalize = finalize;
    element->change_state = change_state;
    gstmovie_install_properties(object);
    gst_element_class_set_static_metadata(element, "Video editor by prompt", "Filter/Effect/Video",
                                          "Edits every frame as a prompt says, with a small diffusion model on the CPU",
                                          "The movied authors");
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    base->start = start;
    base->stop = stop;
    base->prepare_output_buffer = prepare_output_buffer;
    base->transform = transform;
    base->transform_ip = NULL;
    base->submit_input_buffer = submit_input_buffer;
    base->sink_event = sink_event;
    base->src_event = src_event;
    base->query = query;
    GST_VIDEO_FILTER_CLASS(class)->set_info = set_info;
    GST_VIDEO_FILTER_CLASS(class)->transform_frame = transform_frame;
}

static void gst_movie_edit_init(GstMovieEdit *self) {
    self->body = gstmovie_swift_create(GST_ELEMENT(self));
    /* Every frame is edited unless somebody says that late ones may go. */
    gst_base_transform_set_qos_enabled(GST_BASE_TRANSFORM(self), FALSE);
    gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), FALSE);
}

static gboolean plugin_init(GstPlugin *plugin) {
    GST_DEBUG_CATEGORY_INIT(gstmovie_debug, "movie", 0, "video editor by prompt");
    return gst_element_register(plugin, "movieedit", GST_RANK_NONE, gst_movie_edit_get_type());
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, movie, "Edits live video by prompt", plugin_init, "0.1.0",
                  "Apache 2.0", "movied", "Unknown package origin")
