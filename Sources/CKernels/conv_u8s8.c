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

void movie_pack_s8(int8_t *packed, int32_t *sums, const int8_t *weights, size_t outputs, size_t taps, size_t inputs,
                   size_t depth, size_t panel_channels) {
    size_t panels = (outputs + panel_channels - 1) / panel_channels;
    memset(packed, 0, panels * panel_channels * taps * depth);
    for (size_t o = 0; o < panels * panel_channels; o++) {
        sums[o] = 0;
        if (o >= outputs) continue;
        int8_t *panel = packed + o / panel_channels * panel_channels * taps * depth;
        size_t c = o % panel_channels;
        for (size_t tap = 0; tap < taps; tap++) {
            const int8_t *from = weights + (o * taps + tap) * inputs;
            int8_t *to = panel + tap * depth * panel_channels + 4 * c;
            for (size_t i = 0; i < inputs; i++) {
                to[i / 4 * 4 * panel_channels + i % 4] = from[i];
                sums[o] += from[i];
            }
        }
    }
}
