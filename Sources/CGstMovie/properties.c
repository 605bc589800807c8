#include "private.h"

/* The properties: one declaration each, which is also what gst-inspect-1.0 shows. Values live in Swift. */

static GType fallback_type(void) {
    static const GEnumValue values[] = {
        {GSTMOVIE_FALLBACK_HOLD, "The last edited frame again", "hold"},
        {GSTMOVIE_FALLBACK_PASSTHROUGH, "The frame as it came, not edited", "passthrough"},
        {GSTMOVIE_FALLBACK_DROP, "No frame", "drop"},
        {0, NULL, NULL},
    };
    static gsize type = 0;
    if (g_once_init_enter(&type)) g_once_init_leave(&type, g_enum_register_static("GstMovieFallback", values));
    return (GType)type;
}

static GType anchor_type(void) {
    static const GEnumValue values[] = {
        {GSTMOVIE_ANCHOR_MODEL, "Rolling where the model says so, else none", "model"},
        {GSTMOVIE_ANCHOR_NONE, "Each frame is edited by itself", "none"},
        {GSTMOVIE_ANCHOR_ROLLING, "Frames attend to one of their scene, renewed from time to time", "rolling"},
        {0, NULL, NULL},
    };
    static gsize type = 0;
    if (g_once_init_enter(&type)) g_once_init_leave(&type, g_enum_register_static("GstMovieAnchor", values));
    return (GType)type;
}

/* GObject keeps the array, so it is never freed. */
static GEnumValue *preset_values(void) {
    guint count = 0;
    while (gstmovie_swift_preset_nick(count) != NULL) count++;
    GEnumValue *values = g_new0(GEnumValue, count + 1);
    for (guint index = 0; index < count; index++) {
        values[index].value = (gint)index;
        values[index].value_nick = gstmovie_swift_preset_nick(index);
        values[index].value_name = gstmovie_swift_preset_prompt(index);
    }
    return values;
}

static GType preset_type(void) {
    static gsize type = 0;
    if (g_once_init_enter(&type)) g_once_init_leave(&type, g_enum_register_static("GstMoviePreset", preset_values()));
    return (GType)type;
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
    void *body = ((GstMovieEdit *)object)->body;
    if (G_VALUE_HOLDS_STRING(value))
        gstmovie_swift_set_string(body, id, g_value_get_string(value));
    else if (G_VALUE_HOLDS_DOUBLE(value))
        gstmovie_swift_set_double(body, id, g_value_get_double(value));
    else if (G_VALUE_HOLDS_UINT(value))
        gstmovie_swift_set_number(body, id, g_value_get_uint(value));
    else if (G_VALUE_HOLDS_UINT64(value))
        gstmovie_swift_set_number(body, id, g_value_get_uint64(value));
    else if (G_VALUE_HOLDS_ENUM(value))
        gstmovie_swift_set_number(body, id, (guint64)g_value_get_enum(value));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

static void get_stats(void *body, GValue *value) {
    GstStructure *stats = gst_structure_new_empty("movie-stats");
    gstmovie_swift_fill_stats(body, stats);
    g_value_take_boxed(value, stats);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
    void *body = ((GstMovieEdit *)object)->body;
    if (G_VALUE_HOLDS_STRING(value))
        g_value_take_string(value, gstmovie_swift_get_string(body, id));
    else if (G_VALUE_HOLDS_DOUBLE(value))
        g_value_set_double(value, gstmovie_swift_get_double(body, id));
    else if (G_VALUE_HOLDS_UINT(value))
        g_value_set_uint(value, (guint)gstmovie_swift_get_number(body, id));
    else if (G_VALUE_HOLDS_UINT64(value))
        g_value_set_uint64(value, gstmovie_swift_get_number(body, id));
    else if (G_VALUE_HOLDS_ENUM(value))
        g_value_set_enum(value, (gint)gstmovie_swift_get_number(body, id));
    else if (id == GSTMOVIE_STATS)
        get_stats(body, value);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

/* When a property may change. */
enum {
    READY = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY,
    PLAYING = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING,
    CONTROLLED = PLAYING | GST_PARAM_CONTROLLABLE,
    READ_ONLY = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS,
};

static void install_edit_properties(GObjectClass *class) {
    g_object_class_install_property(
        class, GSTMOVIE_MODEL,
        g_param_spec_string("model", "Model",
                            "Folder of the model, in the layout of the diffusers library. Unset: $MOVIED_MODEL, else the "
                            "bundled nano (Models/nano beside or above this plugin, the program or the working directory, "
                            "or /usr/share/movied/Models/nano)",
                            NULL, READY));
    g_object_class_install_property(
        class, GSTMOVIE_PROMPT,
        g_param_spec_string("prompt", "Prompt",
                            "What to change, for example \"make it a pencil drawing\". Unset or empty: the preset's", NULL,
                            PLAYING));
    g_object_class_install_property(
        class, GSTMOVIE_PRESET,
        g_param_spec_enum("preset", "Preset", "A prompt that the bundled model knows well; used while prompt is unset",
                          preset_type(), 0, PLAYING));
    g_object_class_install_property(
        class, GSTMOVIE_GUIDANCE_SCALE,
        g_param_spec_double("guidance-scale", "Guidance scale",
                            "How strongly the edit follows the prompt; 0: the model's default. Brought into the model's "
                            "range, with a warning, where outside (nano: 2 to 14, default 7.5)",
                            0, 100, 0, CONTROLLED));
    g_object_class_install_property(
        class, GSTMOVIE_IMAGE_GUIDANCE_SCALE,
        g_param_spec_double("image-guidance-scale", "Image guidance scale",
                            "How closely the edit stays to the source; 0: the model's default. Brought into the model's "
                            "range, with a warning, where outside (nano: 1 to 3, default 1.5)",
                            0, 100, 0, CONTROLLED));
    g_object_class_install_property(
        class, GSTMOVIE_STRENGTH,
        g_param_spec_double("strength", "Strength", "Share of the edit in the output; the rest is the source", 0, 1, 1,
                            CONTROLLED));
    g_object_class_install_property(
        class, GSTMOVIE_SEED,
        g_param_spec_uint64("seed", "Seed", "Chooses the noise that every frame starts from", 0, G_MAXUINT64, 0, PLAYING));
    g_object_class_install_property(
        class, GSTMOVIE_ANCHOR,
        g_param_spec_enum("anchor", "Anchor", "The frame that the others attend to, which holds them together",
                          anchor_type(), GSTMOVIE_ANCHOR_MODEL, PLAYING));
    g_object_class_install_property(
        class, GSTMOVIE_STABILITY,
        g_param_spec_double("stability", "Stability",
                            "How much flicker is taken out where the source stands still: 0 none, 1 the most", 0, 1,
                            GSTMOVIE_USUAL_STABILITY, CONTROLLED));
}

static void install_speed_properties(GObjectClass *class) {
    g_object_class_install_property(
        class, GSTMOVIE_LATENCY_BUDGET,
        g_param_spec_uint("latency-budget", "Latency budget",
                          "Milliseconds that a frame of a live stream may spend here, which the latency query answers; a "
                          "frame that would take longer gets the fallback. 0: what an edit takes, measured, and a frame's "
                          "duration. Other streams have every frame edited",
                          0, 10000, 0, PLAYING));
    g_object_class_install_property(
        class, GSTMOVIE_CPU_BUDGET,
        g_param_spec_uint("cpu-budget", "CPU budget",
                          "Percent of all processors' time that edits may take. Beyond it live frames get the fallback, and "
                          "others wait",
                          1, 100, 100, PLAYING));
    g_object_class_install_property(
        class, GSTMOVIE_THREADS,
        g_param_spec_uint("threads", "Threads",
                          "Threads to compute with, shared by all elements of the process that name the same number. 0: one "
                          "for each processor",
                          0, 256, 0, READY));
    g_object_class_install_property(
        class, GSTMOVIE_FALLBACK,
        g_param_spec_enum("fallback", "Fallback", "What a late frame of a live stream becomes", fallback_type(),
                          GSTMOVIE_FALLBACK_HOLD, PLAYING));
}

void gstmovie_install_properties(GObjectClass *class) {
    class->set_property = set_property;
    class->get_property = get_property;
    install_edit_properties(class);
    install_speed_properties(class);
    g_object_class_install_property(
        class, GSTMOVIE_STATS,
        g_param_spec_boxed("stats", "Statistics",
                           "Frames since the element left READY: in, edited, reused, propagated, held, passthrough, late, "
                           "dropped; the rung of the last one; latency-p50, -p95 and -p99 of the last 512, in nanoseconds, "
                           "from arrival to departure",
                           GST_TYPE_STRUCTURE, READ_ONLY));
    gst_type_mark_as_plugin_api(preset_type(), 0);
    gst_type_mark_as_plugin_api(fallback_type(), 0);
    gst_type_mark_as_plugin_api(anchor_type(), 0);
}
