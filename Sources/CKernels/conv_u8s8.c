/* Walks the tiles of an integer convolution; the tiles themselves are kernels. */
#include "kernels.h"

static size_t size_of(movie_element kind) { return kind == MOVIE_F32 ? sizeof(float) : 1; }

/* Where the next position lies: its column, row and picture, and what it reads and writes there. */
typedef struct {
    size_t column, row, picture;
    const uint8_t *input;
    char *output;
    const char *residual;
} movie_cursor;

/* Finds the memory of the cursor's position; needed at the beginning of every row alone. */
static void locate(const movie_conv *c, movie_cursor *at, size_t channel) {
    at->input = c->input + at->picture * c->in_picture + at->row * c->in_row + at->column * c->in_step;
    at->output = (char *)c->output +
                 (at->picture * c->out_picture + at->row * c->out_row + at->column * c->out_step + channel) *
                     size_of(c->out_kind);
    at->residual = at->output; /* never read without a residual, but steps must not leave from nowhere */
    if (c->residual)
        at->residual = (const char *)c->residual + (at->picture * c->residual_picture + at->row * c->residual_row +
                                                    at->column * c->residual_step + channel) *
                                                       size_of(c->residual_kind);
}

/* Points the tile at its positions and leaves the cursor behind them. */
static void place(const movie_conv *c, movie_conv_tile *t, movie_cursor *at, size_t tile, size_t channel) {
    size_t in_step = c->in_step, out_step = c->out_step * size_of(c->out_kind), width = c->width;
    size_t residual_step = c->residual ? c->residual_step * size_of(c->residual_kind) : 0;
    movie_cursor next = *at;
    for (size_t p = 0; p < t->positions; p++) {
        t->rows[p] = next.input;
        t->out[p] = next.output;
        t->residual[p] = next.residual;
        if (++next.column < width) {
            next.input += in_step;
            next.output += out_step;
            next.residual += residual_step;
            continue;
        }
        next.column = 0;
        if (++next.row == c->area / width) {
            next.row = 0;
            next.picture++;
        }
        locate(c, &next, channel);
    }
    *at = next;
    for (size_t p = t->positions; p < tile; p++) t->rows[p] = t->rows[0];
}

/* What runs the tiles of a convolution, and what all its tiles share. */
typedef struct {
    void (*run)(const movie_conv_tile *);
    size_t positions;
    movie_conv_tile tile;
} movie_conv_walk;

static movie_conv_walk walk_of(const movie_conv *c) {
    size_t kind = c->panel_channels / 16 - 1;
    return (movie_conv_walk){
        .run = kind == 0   ? movie_kernels.conv_tile_16
               : kind == 1 ? movie_kernels.conv_tile_32
               : kind == 2 ? movie_kernels.conv_tile_48
                           : movie_kernels.conv_tile_64,
        .positions = movie_kernels.conv_positions[kind],
        .tile = {
            .taps = c->taps,
            .tap_count = c->tap_count,
            .depth = c->depth,
            .residual_scale = c->residual_scale,
            .low = c->low,
            .residual_kind = c->residual ? (uint8_t)c->residual_kind : MOVIE_NONE,
            .out_kind = (uint8_t)c->out_kind,
        },
    };
}

/* Points the tile at a panel's weights; returns its first channel. */
static size_t choose_panel(const movie_conv *c, movie_conv_tile *t, size_t panel) {
    size_t channel = panel * c->panel_channels;
    t->weights = c->weights + panel * c->tap_count * c->depth * c->panel_channels;
    t->start = c->start + channel;
    t->scale = c->scale + channel;
    t->bias = c->bias + channel;
    t->channels = c->channels - channel < c->panel_channels ? c->channels - channel : c->panel_channels;
    return channel;
}

void movie_conv_u8s8(const movie_conv *c, size_t first, size_t last, size_t first_panel, size_t last_panel) {
    movie_conv_walk w = walk_of(c);
    for (size_t panel = first_panel; panel < last_panel; panel++) {
        size_t channel = choose_panel(c, &w.tile, panel), inside = first % c->area;
        movie_cursor at = {inside % c->width, inside / c->width, first / c->area, NULL, NULL, NULL};
        locate(c, &at, channel);
        for (size_t position = first; position < last; position += w.positions) {
            w.tile.positions = last - position < w.positions ? last - position : w.positions;
            place(c, &w.tile, &at, w.positions, channel);
            w.run(&w.tile);
        }
    }
}

/* Points the tile at listed positions; those of a row that lie behind each other are stepped through. */
static void gather(const movie_conv *c, movie_conv_tile *t, size_t picture, const movie_position *list,
                   size_t channel) {
    size_t in_step = c->in_step, out_step = c->out_step * size_of(c->out_kind);
    size_t residual_step = c->residual ? c->residual_step * size_of(c->residual_kind) : 0;
    movie_cursor at = {0, 0, picture, NULL, NULL, NULL};
    for (size_t p = 0; p < t->positions; p++) {
        if (p > 0 && list[p].row == at.row && list[p].column == at.column + 1) {
            at.input += in_step;
            at.output += out_step;
            at.residual += residual_step;
            at.column++;
        } else {
            at.row = list[p].row;
            at.column = list[p].column;
            locate(c, &at, channel);
        }
        t->rows[p] = at.input;
        t->out[p] = at.output;
        t->residual[p] = at.residual;
    }
}

void movie_conv_u8s8_at(const movie_conv *c, size_t picture, const movie_position *list, size_t count,
                        size_t first_panel, size_t last_panel) {
    movie_conv_walk w = walk_of(c);
    movie_conv_tile *t = &w.tile;
    for (size_t panel = first_panel; panel < last_panel; panel++) {
        size_t channel = choose_panel(c, t, panel);
        for (size_t first = 0; first < count; first += w.positions) {
            t->positions = count - first < w.positions ? count - first : w.positions;
            gather(c, t, picture, list + first, channel);
            for (size_t p = t->positions; p < w.positions; p++) t->rows[p] = t->rows[0];
            w.run(t);
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
