#ifndef CGSTHARNESS_H
#define CGSTHARNESS_H
/* GStreamer as the tests of the element see it: gstcheck's harness with its test clock, and shims for macros and for
   variadic functions. */

#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include "CGstMovie.h"

#ifdef __clang__
#pragma clang assume_nonnull begin
#endif

/* Starts GStreamer and makes the element known under its name, as the plugin does. */
void harness_start(void);

/* A buffer of `size` bytes that hold `fill`; times may be GST_CLOCK_TIME_NONE. */
GstBuffer *harness_buffer(gsize size, guint8 fill, GstClockTime pts, GstClockTime duration);
GstClockTime harness_pts(GstBuffer *buffer);
GstClockTime harness_duration(GstBuffer *buffer);
guint64 harness_offset(GstBuffer *buffer);
void harness_set_offset(GstBuffer *buffer, guint64 offset);
gboolean harness_has_flag(GstBuffer *buffer, GstBufferFlags flag);
void harness_set_flag(GstBuffer *buffer, GstBufferFlags flag);
/* Adds a meta that stays with the picture, and looks for it. */
void harness_add_meta(GstBuffer *buffer, GstClockTime timestamp);
GstClockTime harness_meta(GstBuffer *buffer);
/* Adds GstVideoMeta with these offsets and strides for I420, or for a packed format with one plane. */
void harness_add_strides(GstBuffer *buffer, GstVideoFormat format, guint width, guint height, guint planes,
                         const gsize *offsets, const gint *strides);

/* Adds a meta of video metrics and pushes; the reference passes to the harness. */
GstFlowReturn harness_push(GstHarness *harness, GstBuffer *buffer);
/* Asks downstream's end for latency; FALSE when the element does not answer. */
gboolean harness_query_latency(GstHarness *harness, gboolean *is_live, GstClockTime *least, GstClockTime *most);
void harness_set_upstream_latency(GstHarness *harness, GstClockTime latency);
/* Makes the source of the harness answer that it is not live. */
void harness_be_offline(GstHarness *harness);
gboolean harness_push_gap(GstHarness *harness, GstClockTime time, GstClockTime duration);
gboolean harness_push_flush(GstHarness *harness);
gboolean harness_push_segment(GstHarness *harness, GstClockTime start);
gboolean harness_push_eos(GstHarness *harness);
/* Tells the element what a sink tells: a frame of running time `timestamp` was `diff` late. */
gboolean harness_push_qos(GstHarness *harness, GstClockTimeDiff diff, GstClockTime timestamp);
/* The next event that arrived downstream or upstream, its type's name; NULL for none. Static. */
const char *_Nullable harness_pull_event(GstHarness *harness);
const char *_Nullable harness_pull_upstream_event(GstHarness *harness);
/* What a pool that the element proposes to upstream looks like: TRUE when GstVideoMeta is allowed. */
gboolean harness_proposes_video_meta(GstHarness *harness);
/* Whether a buffer came from a pool. */
gboolean harness_is_pooled(GstBuffer *buffer);

void harness_set_string(gpointer object, const char *name, const char *_Nullable value);
void harness_set_double(gpointer object, const char *name, double value);
void harness_set_uint(gpointer object, const char *name, guint value);
void harness_set_uint64(gpointer object, const char *name, guint64 value);
/* By nick, for choices. */
void harness_set_text(gpointer object, const char *name, const char *value);
guint64 harness_stat(gpointer object, const char *name);
/* To be freed with g_free. */
char *harness_stat_text(gpointer object, const char *name);
/* Lets a property go from `from` to `to` between two moments. */
void harness_control(GstObject *object, const char *name, double from, double to, GstClockTime end);

/* The bus of a pipeline or of a harness's element, made when it has none. */
GstBus *harness_bus(GstElement *element);
/* Waits for a message of these types; its text ("domain code: sentence"), to be freed with g_free, or NULL. */
char *_Nullable harness_message(GstBus *bus, GstMessageType types, GstClockTime timeout);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif
#endif
