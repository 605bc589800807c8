#include "CKernelChecks.h"

#include <stdio.h>
#include <stdlib.h>

#include "kernels.h"

static uint64_t state;
static uint32_t next(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}
static size_t between(size_t low, size_t high) { return low + next() % (high - low + 1); }
static float number(void) { return ((float)(int32_t)(next() & 0xffff) - 32768.0f) / 4096.0f; }

enum { GUARD = 64 };

/* Memory with guards: `bytes` in the middle. */
typedef struct {
    uint8_t *memory;
    size_t bytes;
} area;

static area made(size_t bytes) {
    area a = {malloc(bytes + 2 * GUARD), bytes};
    memset(a.memory, 0xA5, bytes + 2 * GUARD);
    return a;
}
static void *inside(area a) { return a.memory + GUARD; }
static float *floats(size_t count) {
    float *x = malloc((count + 1) * sizeof *x);
    for (size_t i = 0; i < count; i++) x[i] = number();
    return x;
}
static uint8_t *bytes(size_t count) {
    uint8_t *x = malloc(count + 1);
    for (size_t i = 0; i < count; i++) x[i] = next() % 4 == 0 ? (uint8_t)(next() % 2 * 255) : (uint8_t)next();
    return x;
}

/* Compares and frees what the reference and the kernel wrote. */
static int verdict(area reference, area result) {
    int outcome = 0;
    for (size_t i = 0; i < GUARD; i++)
        if (result.memory[i] != 0xA5 || result.memory[GUARD + result.bytes + i] != 0xA5) outcome = 2;
    if (!outcome && memcmp(inside(reference), inside(result), result.bytes) != 0) outcome = 1;
    free(reference.memory);
    free(result.memory);
    return outcome;
}

typedef movie_kernel_table table;

/* Runs CALL with `t` the scalar and the tested table and `y` the memory written to; both begin with the same content. */
#define BOTH(BYTES, START, CALL)                        \
    area results[2];                                    \
    const table *tables[2] = {reference, tested};       \
    for (int which = 0; which < 2; which++) {           \
        results[which] = made(BYTES);                   \
        const table *t = tables[which];                 \
        void *y = inside(results[which]);               \
        if (START) memcpy(y, START, BYTES);             \
        CALL;                                           \
    }                                                   \
    int outcome = verdict(results[0], results[1])

#define CHECK(name) static int check_##name(const table *reference, const table *tested)

CHECK(epilogue_f32) {
    size_t rows = between(1, 5), columns = between(1, 70), ld = columns;
    float *x = floats(rows * ld), *bias = floats(columns), *residual = floats(rows * columns);
    movie_activation act = (movie_activation)between(0, 6);
    int after = (int)between(0, 1);
    const float *b = next() % 3 ? bias : NULL, *r = next() % 3 ? residual : NULL;
    BOTH(rows * ld * 4, x, t->epilogue_f32(y, rows, columns, ld, b, r, columns, act, after));
    free(x), free(bias), free(residual);
    return outcome;
}
CHECK(activate_f32) {
    size_t n = between(1, 200);
    float *x = floats(n);
    x[0] = 90.0f * number();
    movie_activation act = (movie_activation)between(0, 6);
    BOTH(n * 4, (void *)NULL, t->activate_f32(y, x, n, act));
    free(x);
    return outcome;
}
CHECK(add_f32) {
    size_t n = between(1, 200);
    float *a = floats(n), *b = floats(n);
    BOTH(n * 4, (void *)NULL, t->add_f32(y, a, b, n));
    free(a), free(b);
    return outcome;
}
CHECK(affine_f32) {
    size_t n = between(1, 200);
    float *x = floats(n), scale = number(), shift = number();
    BOTH(n * 4, (void *)NULL, t->affine_f32(y, x, n, scale, shift));
    free(x);
    return outcome;
}
CHECK(channel_affine_f32) {
    size_t rows = between(1, 5), channels = between(1, 70);
    float *x = floats(rows * channels), *scale = floats(channels), *shift = floats(channels);
    movie_activation act = (movie_activation)between(0, 6);
    BOTH(rows * channels * 4, (void *)NULL, t->channel_affine_f32(y, x, rows, channels, scale, shift, act));
    free(x), free(scale), free(shift);
    return outcome;
}
CHECK(geglu_f32) {
    size_t rows = between(1, 5), columns = between(1, 70);
    float *x = floats(2 * rows * columns);
    BOTH(rows * columns * 4, (void *)NULL, t->geglu_f32(y, x, rows, columns));
    free(x);
    return outcome;
}
CHECK(channel_sums_f32) {
    size_t rows = between(1, 150), channels = between(1, 300);
    float *x = floats(rows * channels);
    double *zeros = calloc(2 * channels, 8);
    BOTH(2 * channels * 8, zeros, t->channel_sums_f32(x, rows, channels, y, (double *)y + channels));
    free(x), free(zeros);
    return outcome;
}
CHECK(layer_norm_f32) {
    size_t rows = between(1, 5), channels = between(1, 100);
    float *x = floats(rows * channels), *gamma = floats(channels), *beta = floats(channels);
    BOTH(rows * channels * 4, (void *)NULL, t->layer_norm_f32(y, x, rows, channels, gamma, beta, 1e-5f));
    free(x), free(gamma), free(beta);
    return outcome;
}
CHECK(softmax_f32) {
    size_t rows = between(1, 5), columns = between(1, 100), ld = columns + between(0, 3);
    float *x = floats(rows * ld);
    ptrdiff_t causal = (ptrdiff_t)between(0, 4) - 1;
    BOTH(rows * ld * 4, x, t->softmax_f32(y, rows, columns, ld, 0.7f, causal));
    free(x);
    return outcome;
}
CHECK(patches_f32) {
    movie_patches s = {between(3, 9), between(3, 9), between(1, 9), 3, between(1, 2), 1, 1, 0};
    s.out_width = (s.width + 2 - 3) / s.stride + 1;
    size_t positions = ((s.height + 2 - 3) / s.stride + 1) * s.out_width, row = 9 * s.channels;
    size_t first = between(0, positions - 1), last = between(first + 1, positions);
    float *x = floats(s.height * s.width * s.channels);
    BOTH((last - first) * row * 4, (void *)NULL, t->patches_f32(y, x, &s, first, last));
    free(x);
    return outcome;
}
CHECK(resize_nearest_f32) {
    size_t h = between(1, 9), w = between(1, 9), oh = between(1, 19), ow = between(1, 19), c = between(1, 9);
    float *x = floats(h * w * c);
    BOTH(oh * ow * c * 4, (void *)NULL, t->resize_nearest_f32(y, x, h, w, oh, ow, c, 0, oh));
    free(x);
    return outcome;
}
CHECK(unshuffle_f32) {
    size_t h = between(1, 5), w = between(1, 9), c = between(1, 5), block = between(1, 4);
    size_t n = h * w * c * block * block;
    float *x = floats(n);
    BOTH(n * 4, (void *)NULL, t->unshuffle_f32(y, x, h, w, c, block));
    free(x);
    return outcome;
}
CHECK(shuffle_f32) {
    size_t h = between(1, 5), w = between(1, 9), c = between(1, 5), block = between(1, 4);
    size_t n = h * w * c * block * block;
    float *x = floats(n);
    BOTH(n * 4, (void *)NULL, t->shuffle_f32(y, x, h, w, c, block));
    free(x);
    return outcome;
}
CHECK(pixels_to_f32) {
    size_t n = between(1, 200);
    uint8_t *x = bytes(n);
    BOTH(n * 4, (void *)NULL, t->pixels_to_f32(y, x, n));
    free(x);
    return outcome;
}
CHECK(pixels_from_f32) {
    size_t n = between(1, 200);
    float *x = floats(n);
    x[0] = next() % 2 ? NAN : INFINITY;
    BOTH(n, (void *)NULL, t->pixels_from_f32(y, x, n));
    free(x);
    return outcome;
}
CHECK(quantize_u8) {
    size_t rows = between(1, 5), channels = between(1, 70), ld = channels + between(0, 5);
    float *x = floats(rows * channels), inverse = (float)between(1, 60), zero = (float)between(0, 255);
    x[0] = next() % 2 ? NAN : -INFINITY;
    BOTH(rows * ld, (void *)NULL, t->quantize_u8(y, ld, x, rows, channels, inverse, zero));
    free(x);
    return outcome;
}
CHECK(dequantize_u8) {
    size_t rows = between(1, 5), channels = between(1, 70), ld = channels + between(0, 5);
    uint8_t *x = bytes(rows * ld);
    float zero = (float)between(0, 255);
    BOTH(rows * channels * 4, (void *)NULL, t->dequantize_u8(y, x, ld, rows, channels, 0.037f, zero));
    free(x);
    return outcome;
}
CHECK(channel_affine_u8) {
    size_t rows = between(1, 5), channels = between(1, 70), ld = channels + between(0, 5);
    float *x = floats(rows * channels), *scale = floats(channels), *shift = floats(channels);
    float zero = (float)between(0, 255);
    movie_activation act = (movie_activation)between(0, 6);
    BOTH(rows * ld, (void *)NULL, t->channel_affine_u8(y, ld, x, rows, channels, scale, shift, act, 9.1f, zero));
    free(x), free(scale), free(shift);
    return outcome;
}
CHECK(layer_norm_u8) {
    size_t rows = between(1, 5), channels = between(1, 100), ld = channels + between(0, 5);
    float *x = floats(rows * channels), *gamma = floats(channels), *beta = floats(channels);
    float zero = (float)between(0, 255);
    BOTH(rows * ld, (void *)NULL, t->layer_norm_u8(y, ld, x, rows, channels, gamma, beta, 1e-5f, 9.1f, zero));
    free(x), free(gamma), free(beta);
    return outcome;
}
CHECK(geglu_u8) {
    size_t rows = between(1, 5), columns = between(1, 70), ld = columns + between(0, 5);
    float *x = floats(2 * rows * columns), zero = (float)between(0, 255);
    BOTH(rows * ld, (void *)NULL, t->geglu_u8(y, ld, x, rows, columns, 3.3f, zero));
    free(x);
    return outcome;
}
CHECK(unshuffle_rgb_u8) {
    size_t width = between(1, 40), block = between(1, 4), ld = 3 * block * block + between(0, 3);
    size_t row = width * block * 3 + between(0, 5);
    uint8_t *x = bytes(row * block);
    BOTH(width * ld, (void *)NULL, t->unshuffle_rgb_u8(y, ld, x, row, width, block));
    free(x);
    return outcome;
}
CHECK(shuffle_rgb_u8) {
    size_t width = between(1, 40), block = between(1, 4), ld = 3 * block * block + between(0, 3);
    size_t row = width * block * 3 + between(0, 5);
    uint8_t *x = bytes(width * ld);
    BOTH(row * block, (void *)NULL, t->shuffle_rgb_u8(y, row, x, ld, width, block));
    free(x);
    return outcome;
}
CHECK(quantize_rows_u8) {
    size_t rows = between(1, 5), columns = between(1, 100), ld = columns + between(0, 5);
    size_t y_ld = columns + between(0, 5), all = rows * y_ld;
    float *x = floats(rows * ld);
    if (next() % 3 == 0) memset(x, 0, columns * sizeof *x);
    size_t scales = (all + 3) / 4 * 4;
    BOTH(scales + rows * 4, (void *)NULL,
         t->quantize_rows_u8(y, y_ld, (float *)((char *)y + scales), x, ld, rows, columns, 0.3f));
    free(x);
    return outcome;
}
CHECK(softmax_u8) {
    size_t rows = between(1, 5), columns = between(1, 200), ld = columns + between(0, 5);
    size_t parts = between(1, MOVIE_ATTENTION_PARTS), y_ld = columns + between(0, 5), all = rows * parts * y_ld;
    float *x = floats(rows * parts * ld), *scales = floats(rows), *shifts = floats(parts);
    for (size_t i = 0; i < rows; i++) scales[i] = scales[i] < 0 ? -scales[i] : scales[i];
    for (size_t i = 0; i < parts; i++) shifts[i] = next() % 2 ? 0.0f : shifts[i];
    size_t sums = (all + 3) / 4 * 4;
    BOTH(sums + rows * 4, (void *)NULL,
         t->softmax_u8(y, y_ld, (float *)((char *)y + sums), x, ld, rows, columns, parts, scales, shifts));
    free(x), free(scales), free(shifts);
    return outcome;
}

/* A tile of random shape; extreme bytes and weights are frequent, so that a saturating product would show. */
static int check_tile(const table *reference, const table *tested, size_t panel) {
    size_t kind = panel / 16 - 1, positions = between(1, tested->conv_positions[kind]), taps = between(1, 9);
    size_t depth = 4 * between(1, 40), channels = between(1, panel), stride = channels + between(0, 9);
    uint8_t *input = bytes(MOVIE_TILE_POSITIONS * depth + taps * depth);
    int8_t *weights = malloc(taps * depth * panel);
    for (size_t i = 0; i < taps * depth * panel; i++)
        weights[i] = next() % 3 == 0 ? (next() % 2 ? 127 : -127) : (int8_t)(next() % 255 - 127);
    int32_t start[64];
    for (size_t i = 0; i < 64; i++) start[i] = (int32_t)next() % 100000;
    ptrdiff_t offsets[9];
    for (size_t i = 0; i < taps; i++) offsets[i] = (ptrdiff_t)(i * depth);
    float *scale = floats(64), *bias = floats(64), *residual = floats(MOVIE_TILE_POSITIONS * 64);
    uint8_t *levels = bytes(MOVIE_TILE_POSITIONS * 64);
    for (size_t i = 0; i < 64; i++) scale[i] *= next() % 4 ? 1e-4f : 1.0f;
    movie_conv_tile tile = {
        .positions = positions, .channels = channels, .taps = offsets, .tap_count = taps, .depth = depth,
        .weights = weights, .start = start, .scale = scale, .bias = bias, .residual_scale = number(),
        .residual_kind = (uint8_t)between(0, 2), .out_kind = (uint8_t)between(1, 2),
    };
    tile.low = tile.out_kind == MOVIE_U8 ? (float)between(0, 30) : (next() % 2 ? 0.0f : -INFINITY);
    size_t size = tile.out_kind == MOVIE_U8 ? 1 : 4;
    BOTH(positions * stride * size, (void *)NULL, {
        for (size_t p = 0; p < MOVIE_TILE_POSITIONS; p++) {
            size_t at = p < positions ? p : 0;
            tile.rows[p] = input + at * depth;
            tile.out[p] = (char *)y + at * stride * size;
            tile.residual[p] = tile.residual_kind == MOVIE_U8 ? (void *)(levels + at * 64) : (void *)(residual + at * 64);
        }
        if (panel == 16) t->conv_tile_16(&tile);
        if (panel == 32) t->conv_tile_32(&tile);
        if (panel == 48) t->conv_tile_48(&tile);
        if (panel == 64) t->conv_tile_64(&tile);
    });
    free(input), free(weights), free(scale), free(bias), free(residual), free(levels);
    return outcome;
}
CHECK(conv_tile_16) { return check_tile(reference, tested, 16); }
CHECK(conv_tile_32) { return check_tile(reference, tested, 32); }
CHECK(conv_tile_48) { return check_tile(reference, tested, 48); }
CHECK(conv_tile_64) { return check_tile(reference, tested, 64); }

/* A picture of any format in one piece of memory, and how many bytes it takes. */
static size_t picture(movie_picture *p, uint8_t *memory) {
    p->format = (movie_pixels)between(0, 7);
    p->width = 2 * between(1, 70);
    p->height = 2 * between(1, 3);
    size_t packed = p->format <= MOVIE_PIXELS_BGR ? 3 : p->format <= MOVIE_PIXELS_RGBA ? 4 : 1;
    if (p->format == MOVIE_PIXELS_YUY2) packed = 2;
    p->strides[0] = p->width * packed + between(0, 7);
    p->strides[1] = p->strides[2] = p->width + between(0, 7);
    for (int plane = 0; plane < 3; plane++)
        p->planes[plane] = memory + (plane ? p->strides[0] * p->height + (size_t)(plane - 1) * p->strides[1] * p->height : 0);
    movie_yuv_init(&p->yuv, 0.299, 0.114, (int)between(0, 1));
    return (p->strides[0] + 2 * p->strides[1]) * p->height;
}
enum { PICTURE = 1 << 14 };
CHECK(rgb_from_rows) {
    uint8_t *memory = bytes(PICTURE);
    movie_picture p;
    picture(&p, memory);
    size_t stride = 3 * p.width + between(0, 5);
    BOTH(stride * p.height, (void *)NULL, t->rgb_from_rows(y, stride, &p, 0, p.height));
    free(memory);
    return outcome;
}
CHECK(rgb_to_rows) {
    uint8_t *rgb = bytes(PICTURE);
    movie_picture p;
    uint8_t *none = bytes(1);
    size_t count = picture(&p, none), stride = 3 * p.width;
    size_t offsets[3] = {0, p.strides[0] * p.height, (p.strides[0] + p.strides[1]) * p.height};
    BOTH(count, (void *)NULL, {
        for (int plane = 0; plane < 3; plane++) p.planes[plane] = (uint8_t *)y + offsets[plane];
        t->rgb_to_rows(&p, rgb, stride, 0, p.height);
    });
    free(rgb), free(none);
    return outcome;
}
CHECK(blend_u8) {
    size_t n = between(1, 200);
    uint8_t *to = bytes(n), *from = bytes(n);
    unsigned weight = (unsigned)between(0, 256);
    BOTH(n, to, t->blend_u8(y, from, n, weight));
    free(to), free(from);
    return outcome;
}

/* Sums of brightness of cells, as luma_cells_u16 makes them. */
static uint16_t *cells(size_t n) {
    uint16_t *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (uint16_t)between(0, 4080);
    return x;
}
CHECK(luma_cells_u16) {
    size_t count = between(1, 150), stride = count * 12 + between(0, 7);
    uint8_t *x = bytes(stride * 4);
    BOTH(count * 2, (void *)NULL, t->luma_cells_u16(y, x, stride, count));
    free(x);
    return outcome;
}
CHECK(cell_change_u16) {
    size_t n = between(1, 150);
    uint16_t *a = cells(3 * n), *b = cells(3 * n);
    BOTH(n * 2, (void *)NULL, t->cell_change_u16(y, a, a + n, a + 2 * n, b, b + n, b + 2 * n, n));
    free(a), free(b);
    return outcome;
}
CHECK(cell_weights_u8) {
    size_t n = between(1, 150);
    uint16_t *a = cells(3 * n);
    float high = (float)between(1, 4080), slope = (float)between(1, 9) / 64.0f, most = (float)between(0, 255);
    BOTH(n, (void *)NULL, t->cell_weights_u8(y, a, a + n, a + 2 * n, n, high, slope, most));
    free(a);
    return outcome;
}
CHECK(cell_follow_u16) {
    size_t n = between(1, 150);
    uint16_t *now = cells(n), *then = cells(n);
    uint8_t *weight = bytes(n);
    BOTH(n * 2, then, t->cell_follow_u16(y, now, weight, n));
    free(now), free(then), free(weight);
    return outcome;
}
CHECK(spread_weights_u8) {
    size_t n = between(1, 150);
    uint8_t *near = bytes(n), *far = bytes(n);
    unsigned share = (unsigned)between(0, 8);
    BOTH(n * 12, (void *)NULL, t->spread_weights_u8(y, near, far, share, n));
    free(near), free(far);
    return outcome;
}
CHECK(stabilize_u8) {
    size_t n = between(1, 300);
    uint8_t *last = bytes(n), *edited = bytes(n), *weight = bytes(n);
    int keeps = (int)between(0, 1);
    BOTH(n, last, t->stabilize_u8(y, edited, weight, n, keeps));
    free(last), free(edited), free(weight);
    return outcome;
}

CHECK(change_u8) {
    size_t blocks = between(1, 80), rows = between(1, 2), cells = (blocks + 1) / 2, stride = 12 * blocks + between(0, 9);
    uint8_t *rgb = bytes(4 * rows * stride), *old = bytes(6 * rows * blocks);
    uint16_t *then = malloc(6 * rows * blocks);
    for (size_t i = 0; i < 3 * rows * blocks; i++) then[i] = (uint16_t)(16 * old[i]);
    size_t drifts = (2 * cells + 3) / 4 * 4, sums = drifts + 4 * cells;
    BOTH(sums + 6 * rows * blocks, NULL, {
        uint8_t *out = y;
        t->change_u8((uint16_t *)out, (int32_t *)(out + drifts), (uint16_t *)(out + sums), then, rgb, stride, blocks,
                     rows);
    });
    free(rgb), free(old), free(then);
    return outcome;
}

/* A plane with its border, of noise and smooth parts, in memory that is freed by its first byte. */
static movie_plane plane(size_t width, size_t height, uint8_t **memory) {
    movie_plane p = {NULL, width, height, width + 2 * MOVIE_BORDER + between(0, 5)};
    size_t count = p.stride * (height + 2 * MOVIE_BORDER);
    *memory = bytes(count);
    for (size_t i = 0; i < count; i++)
        if (i / 16 % 3) (*memory)[i] = (uint8_t)(i % p.stride * 5 + i / p.stride * 3);
    p.pixels = *memory + MOVIE_BORDER * p.stride + MOVIE_BORDER;
    return p;
}
static movie_plane bordered(uint8_t *pixels, size_t width, size_t height) {
    movie_plane p = {pixels, width, height, width + 2 * MOVIE_BORDER};
    return p;
}
/* Vectors of the patches of a plane, in memory at `numbers` of 4 * count floats. */
static movie_vectors vectors(float *numbers, size_t width, size_t height) {
    movie_vectors v = {.columns = (width + 3) / 4, .rows = (height + 3) / 4};
    size_t count = v.columns * v.rows;
    v.u = numbers, v.v = numbers + count, v.error = numbers + 2 * count, v.texture = numbers + 3 * count;
    return v;
}
static float *vector_numbers(size_t width, size_t height) {
    size_t count = ((width + 3) / 4) * ((height + 3) / 4);
    float *x = floats(4 * count);
    for (size_t i = 0; i < count; i++) x[i] *= 2, x[2 * count + i] *= x[2 * count + i];
    return x;
}
/* 0 or 1 each. */
static uint8_t *marks(size_t n) {
    uint8_t *x = bytes(n);
    for (size_t i = 0; i < n; i++) x[i] &= 1;
    return x;
}
/* Like a pair of `width` x `height` pixels, with its last column and row. */
static uint8_t *pair_bytes(size_t width, size_t height) { return bytes(8 * (width + 1) * (height + 1)); }
static int16_t *dense(size_t width, size_t height) {
    int16_t *v = malloc(4 * width * height);
    for (size_t i = 0; i < 2 * width * height; i++) v[i] = (int16_t)((int)between(0, 600) - 300);
    return v;
}
/* Interpolated places of `count` pixels among `limit` coarser ones, in memory of its own. */
typedef struct {
    int32_t left[160], right[160];
    float part[160];
} place_memory;
static movie_places places(place_memory *m, size_t count, size_t limit, float scale) {
    for (size_t i = 0; i < count; i++) {
        float at = ((float)i + 0.5f) * scale - 0.5f, last = (float)(limit - 1);
        at = at < 0 ? 0 : at > last ? last : at;
        m->left[i] = (int32_t)at;
        m->right[i] = m->left[i] + 1 < (int32_t)limit ? m->left[i] + 1 : m->left[i];
        m->part[i] = at - (float)m->left[i];
    }
    movie_places p = {m->left, m->right, m->part};
    return p;
}
CHECK(motion_scale) {
    size_t width = between(2, 90), height = between(2, 20), out_width = between(1, 90), out_height = between(1, 20);
    size_t stride = 3 * width + between(0, 5), count = between(1, 2);
    uint8_t *x = bytes(stride * height);
    int32_t first[2][90];
    uint16_t weights[2][180];
    for (size_t i = 0; i < 90; i++) {
        first[0][i] = (int32_t)between(0, width - count), first[1][i] = (int32_t)between(0, height - count);
        for (int axis = 0; axis < 2; axis++) {
            uint16_t part = count == 1 ? 4096 : (uint16_t)between(0, 4096);
            weights[axis][i * count] = part;
            if (count == 2) weights[axis][i * count + 1] = (uint16_t)(4096 - part);
        }
    }
    movie_taps across = {first[0], weights[0], out_width, count}, down = {first[1], weights[1], out_height, count};
    uint32_t *sums = malloc(3 * width * 4 + 4);
    BOTH(3 * out_width * out_height, (void *)NULL,
         t->motion_scale(y, 3 * out_width, x, stride, width, &across, &down, sums, 0, out_height));
    free(x), free(sums);
    return outcome;
}
CHECK(motion_luma) {
    size_t width = between(1, 90), height = between(1, 5), stride = 3 * width + between(0, 5);
    uint8_t *rgb = bytes(stride * height);
    size_t row = width + 2 * MOVIE_BORDER;
    BOTH(row * height, (void *)NULL, {
        movie_plane p = bordered((uint8_t *)y + MOVIE_BORDER, width, height);
        t->motion_luma(&p, rgb, stride, 0, height);
    });
    free(rgb);
    return outcome;
}
CHECK(motion_halve) {
    uint8_t *memory;
    size_t width = between(1, 50), height = between(1, 5), row = width + 2 * MOVIE_BORDER;
    movie_plane from = plane(2 * width + between(0, 1), 2 * height + between(0, 1), &memory);
    BOTH(row * height, (void *)NULL, {
        movie_plane p = bordered((uint8_t *)y + MOVIE_BORDER, width, height);
        t->motion_halve(&p, &from, 0, height);
    });
    free(memory);
    return outcome;
}
CHECK(motion_border) {
    size_t width = between(1, 50), height = between(1, 5), row = width + 2 * MOVIE_BORDER;
    size_t count = row * (height + 2 * MOVIE_BORDER);
    uint8_t *start = bytes(count);
    BOTH(count, start, {
        movie_plane p = bordered((uint8_t *)y + MOVIE_BORDER * (row + 1), width, height);
        t->motion_border(&p);
    });
    free(start);
    return outcome;
}
CHECK(motion_search) {
    size_t width = between(8, 60), height = between(8, 40);
    uint8_t *memory[2];
    movie_plane now = plane(width, height, &memory[0]), then = plane(width, height, &memory[1]);
    float *coarse = vector_numbers(width / 2, height / 2), *guess = vector_numbers(width, height);
    movie_vectors c = vectors(coarse, width / 2, height / 2), g = vectors(guess, width, height);
    size_t patches = ((width + 3) / 4) * ((height + 3) / 4), count = patches * 16;
    uint8_t *wanted = next() % 2 ? marks(patches) : NULL;
    movie_search s = {.now = &now, .then = &then, .coarse = next() % 2 ? &c : NULL, .guess = next() % 2 ? &g : NULL,
                      .guess_scale = next() % 2 ? 1.0f : 0.5f, .noise = next() % 2 ? 3.0f : 0.0f,
                      .steps = (int)between(0, 8), .neighbours = (int)between(0, 1), .wanted = wanted};
    BOTH(count, (void *)NULL, {
        movie_vectors result = vectors(y, width, height);
        s.result = &result;
        t->motion_search(&s, 0, result.rows);
    });
    free(memory[0]), free(memory[1]), free(coarse), free(guess), free(wanted);
    return outcome;
}
CHECK(motion_chain) {
    size_t width = between(1, 60), height = between(1, 40);
    float *onto = vector_numbers(width, height), *by = vector_numbers(width, height);
    movie_vectors a = vectors(onto, width, height), b = vectors(by, width, height);
    BOTH(a.columns * a.rows * 16, (void *)NULL, {
        movie_vectors sum = vectors(y, width, height);
        t->motion_chain(&sum, &a, &b, 0, a.rows);
    });
    free(onto), free(by);
    return outcome;
}
CHECK(motion_densify) {
    size_t width = between(1, 60), height = between(1, 40);
    uint8_t *memory[2];
    movie_plane now = plane(width, height, &memory[0]), then = plane(width, height, &memory[1]);
    float *numbers = vector_numbers(width, height), *scratch = floats(12 * (width + 8));
    movie_vectors v = vectors(numbers, width, height);
    BOTH(4 * width * height, (void *)NULL, t->motion_densify(y, &v, &now, &then, scratch, 0, v.rows));
    free(memory[0]), free(memory[1]), free(numbers), free(scratch);
    return outcome;
}
CHECK(motion_pair) {
    size_t width = between(1, 60), height = between(1, 5), stride = 3 * width + between(0, 5);
    uint8_t *source = bytes(stride * height), *edit = bytes(stride * height);
    BOTH(8 * (width + 1) * (height + 1), (void *)NULL,
         t->motion_pair(y, source, stride, edit, stride, width, height, 0, height));
    free(source), free(edit);
    return outcome;
}
CHECK(motion_warp) {
    size_t width = between(1, 60), height = between(1, 20);
    uint8_t *from = pair_bytes(width, height);
    int16_t *v = dense(width, height);
    BOTH(8 * (width + 1) * (height + 1), (void *)NULL, t->motion_warp(y, from, v, width, height, 0, height));
    free(from), free(v);
    return outcome;
}
CHECK(motion_warp_rgb) {
    size_t width = between(1, 60), height = between(1, 20), stride = 3 * width + between(0, 5);
    uint8_t *from = bytes(stride * height);
    int16_t *v = dense(width, height);
    BOTH(stride * height, (void *)NULL, t->motion_warp_rgb(y, stride, from, stride, v, width, height, 0, height));
    free(from), free(v);
    return outcome;
}
CHECK(motion_cells) {
    size_t width = between(1, 60), height = between(1, 40), stride = 3 * width + between(0, 5);
    size_t rows = (height + 15) / 16, sums = (width + 15) / 16 * rows * MOVIE_CELL_SUMS * 4;
    uint8_t *pairs = pair_bytes(width, height), *now = bytes(stride * height);
    BOTH(sums + (width + 1) / 2 * ((height + 1) / 2) * 2, (void *)NULL,
         t->motion_cells(y, (uint16_t *)((char *)y + sums), pairs, now, stride, width, height, 0, rows));
    free(pairs), free(now);
    return outcome;
}
/* Sums of cells as they are, from pixels. */
static int32_t *cell_sums_of(size_t width, size_t height, uint8_t *pairs, uint8_t *now, uint16_t *errors) {
    size_t rows = (height + 15) / 16;
    int32_t *sums = malloc((width + 15) / 16 * rows * MOVIE_CELL_SUMS * 4);
    movie_kernels_of(MOVIE_ISA_SCALAR)->motion_cells(sums, errors, pairs, now, 3 * width, width, height, 0, rows);
    return sums;
}
CHECK(motion_fit) {
    size_t width = between(1, 60), height = between(1, 40), columns = (width + 15) / 16, rows = (height + 15) / 16;
    uint8_t *pairs = pair_bytes(width, height), *now = bytes(3 * width * height);
    if (next() % 2) memset(pairs, 77, 8 * (width + 1) * (height + 1));
    uint16_t *errors = malloc(2 * width * height);
    int32_t *sums = cell_sums_of(width, height, pairs, now, errors);
    BOTH(columns * rows * MOVIE_FIT * 4, (void *)NULL, t->motion_fit(y, sums, columns, rows, 0, rows));
    free(pairs), free(now), free(errors), free(sums);
    return outcome;
}
/* A carry of random pictures; its memory is freed by carry_end. */
typedef struct {
    movie_carry carry;
    place_memory across;
    uint8_t *pairs, *now;
    uint16_t *errors;
    int32_t *sums;
    float *fits, *weights, *scratch;
} carry_case;
static void carry_begin(carry_case *k) {
    size_t width = between(1, 150), height = between(1, 40), columns = (width + 15) / 16, rows = (height + 15) / 16;
    k->pairs = pair_bytes(width, height), k->now = bytes(3 * width * height);
    k->errors = malloc(2 * width * height);
    k->sums = cell_sums_of(width, height, k->pairs, k->now, k->errors);
    k->fits = floats(columns * rows * MOVIE_FIT), k->scratch = floats(30 * width + 64);
    k->weights = floats(MOVIE_TRUST_STEPS * MOVIE_ERROR_STEPS * 2);
    movie_kernels_of(MOVIE_ISA_SCALAR)->motion_fit(k->fits, k->sums, columns, rows, 0, rows);
    movie_carry c = {.width = width, .height = height, .columns = columns, .rows = rows,
                     .across = places(&k->across, width, columns, 1.0f / 16), .pairs = k->pairs, .now = k->now,
                     .now_stride = 3 * width, .fits = k->fits, .errors = k->errors, .weights = k->weights,
                     .error_scale = 2};
    k->carry = c;
}
static void carry_end(carry_case *k) {
    free(k->pairs), free(k->now), free(k->errors), free(k->sums), free(k->fits), free(k->weights), free(k->scratch);
}
CHECK(motion_compose) {
    carry_case k;
    carry_begin(&k);
    BOTH(3 * k.carry.width * k.carry.height, (void *)NULL, {
        k.carry.result = y;
        for (size_t band = 0; band <= k.carry.rows; band++) t->motion_compose(&k.carry, k.scratch, band);
    });
    carry_end(&k);
    return outcome;
}
CHECK(motion_learn) {
    carry_case k;
    carry_begin(&k);
    size_t count = MOVIE_TRUST_STEPS * MOVIE_ERROR_STEPS * MOVIE_LEARN_SUMS;
    uint8_t *edited = bytes(3 * k.carry.width * k.carry.height);
    double *zeros = calloc(count, 8);
    BOTH(count * 8, zeros, t->motion_learn(&k.carry, edited, 3 * k.carry.width, y, k.scratch));
    free(edited), free(zeros);
    carry_end(&k);
    return outcome;
}
CHECK(motion_enlarge) {
    size_t width = between(1, 60), height = between(1, 40), columns = (width + 15) / 16, rows = (height + 15) / 16;
    size_t out_width = between(1, 150), out_height = between(1, 60);
    uint8_t *edit = bytes(3 * width * height), *small = bytes(3 * width * height), *frame = bytes(3 * out_width * out_height);
    float *fits = floats(columns * rows * MOVIE_FIT), *scratch = floats(24 * out_width + 22 * width + 64);
    place_memory m[6];
    float sx = (float)width / (float)out_width, sy = (float)height / (float)out_height;
    movie_enlarge e = {
        .width = width, .height = height, .columns = columns, .rows = rows, .edit = edit, .small = small,
        .edit_stride = 3 * width, .small_stride = 3 * width, .fits = fits, .frame = frame,
        .frame_stride = 3 * out_width, .output_stride = 3 * out_width, .out_width = out_width, .out_height = out_height,
        .across = places(&m[0], out_width, width, sx), .down = places(&m[1], out_height, height, sy),
        .cells_across = places(&m[2], out_width, columns, sx / 16), .cells_down = places(&m[3], out_height, rows, sy / 16),
        .edit_cells_across = places(&m[4], width, columns, 1.0f / 16),
        .edit_cells_down = places(&m[5], height, rows, 1.0f / 16),
    };
    BOTH(3 * out_width * out_height, (void *)NULL, {
        e.output = y;
        t->motion_enlarge(&e, scratch, 0, out_height);
    });
    free(edit), free(small), free(frame), free(fits), free(scratch);
    return outcome;
}
CHECK(motion_residuals) {
    size_t width = between(8, 60), height = between(8, 40);
    uint8_t *memory[2];
    movie_plane now = plane(width, height, &memory[0]), then = plane(width, height, &memory[1]);
    float *numbers = vector_numbers(width / 2, height / 2);
    movie_vectors v = vectors(numbers, width / 2, height / 2);
    uint32_t zeros[256] = {0};
    BOTH(sizeof zeros, zeros, t->motion_residuals(y, &v, 2, &now, &then));
    free(memory[0]), free(memory[1]), free(numbers);
    return outcome;
}

/* Cells of 2 x 2 pixels of planes of half size. */
CHECK(cell_moves) {
    size_t columns = between(1, 30), rows = between(1, 12), n = columns * rows;
    size_t width = 2 * columns + between(0, 1), height = 2 * rows + between(0, 1);
    uint8_t *memory[2], *wanted = marks(n);
    movie_plane now = plane(width, height, &memory[0]), then = plane(width, height, &memory[1]);
    float *numbers = vector_numbers(width, height);
    movie_vectors v = vectors(numbers, width, height);
    movie_cell_motion m = {.now = &now, .then = &then, .vectors = &v, .wanted = wanted, .columns = columns, .rows = rows};
    BOTH(n * 8, (void *)NULL, {
        m.moves = y;
        m.left = (uint16_t *)y + 2 * n;
        m.peak = m.left + n;
        t->cell_moves(&m, 0, rows);
    });
    free(memory[0]), free(memory[1]), free(wanted), free(numbers);
    return outcome;
}
CHECK(cell_choose) {
    size_t n = between(1, 150);
    uint8_t *start = bytes(5 * n + 1), *moved = bytes(n), *wanted = marks(n);
    uint16_t *peak = cells(n);
    for (size_t i = 0; i < n; i++) start[4 * n + i] = next() % 2 ? start[4 * n + i] : 0;
    float high = (float)between(1, 4080), slope = 1.0f / (float)between(1, 999);
    BOTH(5 * n, start, t->cell_choose((uint8_t *)y + 4 * n, y, moved, wanted, peak, n, high, slope));
    free(start), free(moved), free(wanted), free(peak);
    return outcome;
}
CHECK(cell_carry) {
    size_t columns = between(1, 12), rows = between(1, 6), width = 4 * columns + between(0, 3);
    size_t height = 4 * rows + between(0, 3), stride = 3 * width + between(0, 3), row = between(0, (uint32_t)rows - 1);
    uint8_t *from = bytes(stride * height), *start = bytes(stride * height), *weight = bytes(columns * rows);
    uint8_t *edited = bytes(stride * height);
    int farthest = (int)between(0, 60);
    int16_t *moves = dense(columns, rows);
    for (size_t i = 0; i < columns * rows; i++) {
        if (next() % 2) weight[i] = 0;
        if (next() % 3 == 0) moves[2 * i] = moves[2 * i + 1] = 0;
    }
    BOTH(stride * height, start, t->cell_carry(y, from, edited, stride, width, height, moves, weight, columns, row, farthest));
    free(from), free(start), free(weight), free(edited), free(moves);
    return outcome;
}

/* It writes nothing: that it runs is all there is to check. */
CHECK(peak_u8s8) {
    reference->peak_u8s8(10);
    tested->peak_u8s8(10);
    return 0;
}

typedef struct {
    const char *name;
    int (*run)(const table *reference, const table *tested);
} check;

static const check checks[] = {
#define MOVIE_KERNEL(name, parameters, arguments) {#name, check_##name},
#include "kernels.inc"
#undef MOVIE_KERNEL
};

int movie_check_count(void) { return (int)(sizeof checks / sizeof *checks); }
const char *movie_check_name(int kernel) { return checks[kernel].name; }

int movie_check_run(int kernel, int isa) {
    const table *reference = movie_kernels_of(MOVIE_ISA_SCALAR), *tested = movie_kernels_of((movie_isa)isa);
    if (!tested || isa > (int)movie_isa_best()) return -1;
    state = 20260u + (uint64_t)kernel;
    for (int round = 0; round < 200; round++) {
        int outcome = checks[kernel].run(reference, tested);
        if (outcome) return outcome;
    }
    return 0;
}

#ifdef MOVIE_CHECKS_MAIN
int main(void) {
    int failed = 0, run = 0;
    printf("best: %s\n", movie_isa_name(movie_isa_best()));
    for (int isa = 0; isa < MOVIE_ISA_COUNT; isa++)
        for (int kernel = 0; kernel < movie_check_count(); kernel++) {
            int outcome = movie_check_run(kernel, isa);
            if (outcome < 0) continue;
            run++;
            if (outcome == 0) continue;
            failed++;
            printf("%s %s: %s\n", movie_check_name(kernel), movie_isa_name((movie_isa)isa),
                   outcome == 2 ? "wrote outside its memory" : "differs from scalar");
        }
    printf("%d kernel checks agree, %d do not\n", run - failed, failed);
    return failed != 0;
}
#endif
