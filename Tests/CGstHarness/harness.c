#include "CGstHarness.h"

#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>

static gpointer start(gpointer unused) {
    gst_init(NULL, NULL);
    const GstPluginDesc *plugin = gst_plugin_movie_get_desc();
    gst_plugin_register_static(plugin->major_version, plugin->minor_version, plugin->name, plugin->description,
                               plugin->plugin_init, plugin->version, plugin->license, plugin->source, plugin->package,
                               plugin->origin);
    return NULL;
}

void harness_start(void) {
    static GOnce once = G_ONCE_INIT;
    g_once(&once, start, NULL);
}

GstBuffer *harness_buffer(gsize size, guint8 fill, GstClockTime pts, GstClockTime duration) {
    harness_start();
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, size, NULL);
    gst_buffer_memset(buffer, 0, fill, size);
    GST_BUFFER_PTS(buffer) = pts;
    GST_BUFFER_DURATION(buffer) = duration;
    return buffer;
}

GstClockTime harness_pts(GstBuffer *buffer) { return GST_BUFFER_PTS(buffer); }
GstClockTime harness_duration(GstBuffer *buffer) { return GST_BUFFER_DURATION(buffer); }
guint64 harness_offset(GstBuffer *buffer) { return GST_BUFFER_OFFSET(buffer); }
void harness_set_offset(GstBuffer *buffer, guint64 offset) { GST_BUFFER_OFFSET(buffer) = offset; }
gboolean harness_has_flag(GstBuffer *buffer, GstBufferFlags flag) { return GST_BUFFER_FLAG_IS_SET(buffer, flag); }
void harness_set_flag(GstBuffer *buffer, GstBufferFlags flag) { GST_BUFFER_FLAG_SET(buffer, flag); }

void harness_add_meta(GstBuffer *buffer, GstClockTime timestamp) {
    GstCaps *caps = gst_caps_new_empty_simple("timestamp/x-test");
    gst_buffer_add_reference_timestamp_meta(buffer, caps, timestamp, GST_CLOCK_TIME_NONE);
    gst_caps_unref(caps);
}

GstClockTime harness_meta(GstBuffer *buffer) {
    GstReferenceTimestampMeta *meta = gst_buffer_get_reference_timestamp_meta(buffer, NULL);
    return meta != NULL ? meta->timestamp : GST_CLOCK_TIME_NONE;
}

void harness_add_strides(GstBuffer *buffer, GstVideoFormat format, guint width, guint height, guint planes,
                         const gsize *offsets, const gint *strides) {
    gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, format, width, height, planes, (gsize *)offsets,
                                   (gint *)strides);
}

GstFlowReturn harness_push(GstHarness *harness, GstBuffer *buffer) { return gst_harness_push(harness, buffer); }

gboolean harness_query_latency(GstHarness *harness, gboolean *is_live, GstClockTime *least, GstClockTime *most) {
    GstQuery *query = gst_query_new_latency();
    const gboolean known = gst_pad_peer_query(harness->sinkpad, query);
    if (known) gst_query_parse_latency(query, is_live, least, most);
    gst_query_unref(query);
    return known;
}

void harness_set_upstream_latency(GstHarness *harness, GstClockTime latency) {
    gst_harness_set_upstream_latency(harness, latency);
}

static gboolean answer_offline(GstPad *pad, GstObject *parent, GstQuery *query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return gst_pad_query_default(pad, parent, query);
    gst_query_set_latency(query, FALSE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
}

void harness_be_offline(GstHarness *harness) { gst_pad_set_query_function(harness->srcpad, answer_offline); }

gboolean harness_push_gap(GstHarness *harness, GstClockTime time, GstClockTime duration) {
    return gst_harness_push_event(harness, gst_event_new_gap(time, duration));
}

gboolean harness_push_flush(GstHarness *harness) {
    return gst_harness_push_event(harness, gst_event_new_flush_start())
           && gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE));
}

gboolean harness_push_segment(GstHarness *harness, GstClockTime start) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = segment.time = start;
    return gst_harness_push_event(harness, gst_event_new_segment(&segment));
}

gboolean harness_push_eos(GstHarness *harness) { return gst_harness_push_event(harness, gst_event_new_eos()); }

gboolean harness_push_qos(GstHarness *harness, GstClockTimeDiff diff, GstClockTime timestamp) {
    return gst_harness_push_upstream_event(harness, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, diff, timestamp));
}

static const char *name_and_unref(GstEvent *event) {
    const char *name = event != NULL ? GST_EVENT_TYPE_NAME(event) : NULL;
    if (event != NULL) gst_event_unref(event);
    return name;
}

const char *harness_pull_event(GstHarness *harness) { return name_and_unref(gst_harness_try_pull_event(harness)); }
const char *harness_pull_upstream_event(GstHarness *harness) {
    return name_and_unref(gst_harness_try_pull_upstream_event(harness));
}

gboolean harness_proposes_video_meta(GstHarness *harness) {
    GstCaps *caps = gst_pad_get_current_caps(harness->srcpad);
    GstQuery *query = gst_query_new_allocation(caps, TRUE);
    const gboolean answered = gst_pad_peer_query(harness->srcpad, query);
    const gboolean proposed =
        answered && gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    gst_query_unref(query);
    gst_caps_unref(caps);
    return proposed;
}

gboolean harness_is_pooled(GstBuffer *buffer) { return buffer->pool != NULL; }

void harness_set_string(gpointer object, const char *name, const char *value) { g_object_set(object, name, value, NULL); }
void harness_set_double(gpointer object, const char *name, double value) { g_object_set(object, name, value, NULL); }
void harness_set_uint(gpointer object, const char *name, guint value) { g_object_set(object, name, value, NULL); }
void harness_set_uint64(gpointer object, const char *name, guint64 value) { g_object_set(object, name, value, NULL); }
void harness_set_text(gpointer object, const char *name, const char *value) {
    gst_util_set_object_arg(G_OBJECT(object), name, value);
}

guint64 harness_stat(gpointer object, const char *name) {
    GstStructure *stats = NULL;
    guint64 value = G_MAXUINT64;
    g_object_get(object, "stats", &stats, NULL);
    gst_structure_get_uint64(stats, name, &value);
    gst_structure_free(stats);
    return value;
}

char *harness_stat_text(gpointer object, const char *name) {
    GstStructure *stats = NULL;
    g_object_get(object, "stats", &stats, NULL);
    char *text = g_strdup(gst_structure_get_string(stats, name));
    gst_structure_free(stats);
    return text;
}

void harness_control(GstObject *object, const char *name, double from, double to, GstClockTime end) {
    GstControlSource *source = gst_interpolation_control_source_new();
    g_object_set(source, "mode", GST_INTERPOLATION_MODE_LINEAR, NULL);
    gst_object_add_control_binding(object, gst_direct_control_binding_new_absolute(object, name, source));
    gst_timed_value_control_source_set(GST_TIMED_VALUE_CONTROL_SOURCE(source), 0, from);
    gst_timed_value_control_source_set(GST_TIMED_VALUE_CONTROL_SOURCE(source), end, to);
    gst_object_unref(source);
}

GstBus *harness_bus(GstElement *element) {
    GstBus *bus = gst_element_get_bus(element);
    if (bus == NULL) {
        bus = gst_bus_new();
        gst_element_set_bus(element, bus);
    }
    return bus;
}

char *harness_message(GstBus *bus, GstMessageType types, GstClockTime timeout) {
    GstMessage *message = gst_bus_timed_pop_filtered(bus, timeout, types);
    if (message == NULL) return NULL;
    GError *error = NULL;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) gst_message_parse_error(message, &error, NULL);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) gst_message_parse_warning(message, &error, NULL);
    char *text = error != NULL ? g_strdup_printf("%s %d: %s", g_quark_to_string(error->domain), error->code, error->message)
                               : g_strdup(GST_MESSAGE_TYPE_NAME(message));
    g_clear_error(&error);
    gst_message_unref(message);
    return text;
}
