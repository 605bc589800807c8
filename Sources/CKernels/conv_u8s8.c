/* Walks the tiles of an integer convolution; the tiles themselves are kernels. */
#include "kernels.h"

/* Where the positions of a picture stack lie, advanced one by one. */
typedef struct {
    size_t column, row, picture;
} movie_cursor;

static movie_cursor cursor_at(const movie_conv *c, size_t position) {
    size_t inside = position % c->area;
    return (movie_cursor){inside % c->width, inside / c->width, position / c->area};
}

static void advance(const movie_conv *c, movie_cursor *at) {
    if (++at->column < c->width) return;
    at->column = 0;
    if (++at->row < c->area / c->width) return;
    at->row = 0;
    at->picture++;
}

static size_t size_of(movie_element kind) { return kind == MOVIE_F32 ? sizeof(float) : 1; }

/* Points the tile at its positions, from channel `channel` on, and leaves the cursor behind them. */
static void place(const movie_conv *c, movie_conv_tile *t, movie_cursor *at, size_t tile, size_t channel) {
    size_t out_size = size_of(c->out_kind), residual_size = size_of(c->residual_kind);
    char *output = (char *)c->output + channel * out_size;
    const char *residual = c->residual ? (const char *)c->residual + channel * residual_size : NULL;
    for (size_t p = 0; p < t->positions; p++) {
        t->rows[p] = c->input + at->picture * c->in_picture + at->row * c->in_row + at->column * c->in_step;
        t->out[p] = output + (at->picture * c->out_picture + at->row * c->out_row + at->column * c->out_step) * out_size;
        if (residual)
            t->residual[p] = residual + (at->picture * c->residual_picture + at->row * c->residual_row +
                                         at->column * c->residual_step) * residual_size;
        advance(c, at);
    }
    for (size_t p = t->positions; p < tile; p++) t->rows[p] = t->rows[0];
}

void movie_conv_u8s8(const movie_conv *c, size_t first, size_t last, size_t first_panel, size_t last_panel) {
    size_t kind = c->panel_channels / 16 - 1, tile = movie_kernels.conv_positions[kind];
    void (*run)(const movie_conv_tile *) =
        kind == 0   ? movie_kernels.conv_tile_16
        : kind == 1 ? movie_kernels.conv_tile_32
        : kind == 2 ? movie_kernels.conv_tile_48
                    : movie_kernels.conv_tile_64;
    size_t panel_bytes = c->tap_count * c->depth * c->panel_channels;
    movie_conv_tile t = {
        .taps = c->taps,
        .tap_count = c->tap_count,
        .depth = c->depth,
        .residual_scale = c->residual_scale,
        .low = c->low,
        .residual_kind = c->residual ? (uint8_t)c->residual_kind : MOVIE_NONE,
        .out_kind = (uint8_t)c->out_kind,
    };
    for (size_t panel = first_panel; panel < last_panel; panel++) {
        size_t channel = panel * c->panel_channels;
        t.weights = c->weights + panel * panel_bytes;
        t.start = c->start + channel;
        t.scale = c->scale + channel;
        t.bias = c->bias + channel;
        t.channels = c->channels - channel < c->panel_channels ? c->channels - channel : c->panel_channels;
        movie_cursor at = cursor_at(c, first);
        for (size_t position = first; position < last; position += tile) {
            t.positions = last - position < tile ? last - position : tile;
            place(c, &t, &at, tile, channel);
            run(&t);
        }
    }
}

/* Four neighbouring inputs of one output and tap; zeros behind the last input. */
static inline uint32_t four(const int8_t *from, size_t step, size_t count) {
    uint8_t bytes[4] = {0};
    if (count >= 4)
        for (size_t i = 0; i < 4; i++) bytes[i] = (uint8_t)from[i * step];
    else
        for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)from[i * step];
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

void movie_pack_s8(int8_t *packed, int32_t *sums, const movie_s8_weights *w, size_t depth, size_t panel_channels) {
    size_t panels = (w->outputs + panel_channels - 1) / panel_channels, tap_bytes = depth * panel_channels;
    memset(sums, 0, panels * panel_channels * sizeof *sums);
    for (size_t panel = 0; panel < panels; panel++, packed += w->taps * tap_bytes) {
        size_t first = panel * panel_channels;
        size_t count = w->outputs - first < panel_channels ? w->outputs - first : panel_channels;
        const int8_t *block = w->weights + first * w->output_step;
        if (count < panel_channels) memset(packed, 0, w->taps * tap_bytes);
        /* Taps innermost: in the order of checkpoints they lie next to each other. */
        for (size_t d = 0; d < depth; d += 4)
            for (size_t c = 0; c < count; c++) {
                const int8_t *from = block + c * w->output_step + d * w->input_step;
                int8_t *to = packed + d * panel_channels + 4 * c;
                int32_t sum = 0;
                for (size_t tap = 0; tap < w->taps; tap++) {
                    uint32_t word = four(from + tap * w->tap_step, w->input_step, w->inputs - d);
                    memcpy(to + tap * tap_bytes, &word, 4);
                    sum += (int8_t)word + (int8_t)(word >> 8) + (int8_t)(word >> 16) + (int8_t)(word >> 24);
                }
                sums[first + c] += sum;
            }
    }
}
