#define _GNU_SOURCE
#include <dlfcn.h>

#include "private.h"

/* What Swift tells the pipeline: messages, events, log lines. */

#define GST_CAT_DEFAULT gstmovie_debug

void gstmovie_post_error(GstElement *element, GstMovieTrouble trouble, const char *message) {
    switch (trouble) {
    case GSTMOVIE_NO_MODEL: GST_ELEMENT_ERROR(element, RESOURCE, NOT_FOUND, ("%s", message), (NULL)); break;
    case GSTMOVIE_BAD_SETTINGS: GST_ELEMENT_ERROR(element, LIBRARY, SETTINGS, ("%s", message), (NULL)); break;
    case GSTMOVIE_BAD_FORMAT: GST_ELEMENT_ERROR(element, STREAM, FORMAT, ("%s", message), (NULL)); break;
    case GSTMOVIE_EDIT_FAILED: GST_ELEMENT_ERROR(element, STREAM, FAILED, ("%s", message), (NULL)); break;
    }
}

void gstmovie_post_warning(GstElement *element, GstMovieTrouble trouble, const char *message) {
    if (trouble == GSTMOVIE_BAD_SETTINGS)
        GST_ELEMENT_WARNING(element, LIBRARY, SETTINGS, ("%s", message), (NULL));
    else
        GST_ELEMENT_WARNING(element, STREAM, FAILED, ("%s", message), (NULL));
}

void gstmovie_post_latency(GstElement *element) {
    gst_element_post_message(element, gst_message_new_latency(GST_OBJECT(element)));
}

void gstmovie_post_qos(GstElement *element, gboolean is_live, const GstMovieTiming *timing, gint64 jitter,
                       double proportion, guint64 processed, guint64 dropped) {
    GstSegment *segment = &GST_BASE_TRANSFORM(element)->segment;
    const GstClockTime stream_time = gst_segment_to_stream_time(segment, GST_FORMAT_TIME, timing->pts);
    GstMessage *message = gst_message_new_qos(GST_OBJECT(element), is_live, timing->running_time, stream_time, timing->pts,
                                              timing->duration);
    gst_message_set_qos_values(message, jitter, proportion, 1000000);
    gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, processed, dropped);
    gst_element_post_message(element, message);
}

void gstmovie_send_qos(GstElement *element, const GstMovieTiming *timing, gint64 jitter, double proportion) {
    gst_pad_push_event(GST_BASE_TRANSFORM_SINK_PAD(element),
                       gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, proportion, jitter, timing->running_time));
}

gboolean gstmovie_query_upstream(GstElement *element, gboolean *is_live, GstClockTime *latency) {
    GstQuery *query = gst_query_new_latency();
    const gboolean known = gst_pad_peer_query(GST_BASE_TRANSFORM_SINK_PAD(element), query);
    if (known) gst_query_parse_latency(query, is_live, latency, NULL);
    gst_query_unref(query);
    return known;
}

const char *gstmovie_library_path(void) {
    Dl_info info;
    return dladdr((void *)gstmovie_library_path, &info) != 0 ? info.dli_fname : NULL;
}

void gstmovie_stat(GstStructure *stats, const char *name, guint64 value) {
    gst_structure_set(stats, name, G_TYPE_UINT64, value, NULL);
}

void gstmovie_stat_text(GstStructure *stats, const char *name, const char *value) {
    gst_structure_set(stats, name, G_TYPE_STRING, value, NULL);
}

void gstmovie_log_info(GstElement *element, const char *message) { GST_INFO_OBJECT(element, "%s", message); }
