/* Attention on the integer tiles: queries against keys, then the softmax's levels against values. */
#include "kernels.h"

static size_t up(size_t n, size_t step) { return (n + step - 1) / step * step; }
static size_t keys_padded(const movie_attention_shape *s) { return up(s->keys, s->key_panel); }
static size_t width_padded(const movie_attention_shape *s) { return up(s->width, s->width_panel); }
static size_t depth_keys(const movie_attention_shape *s) { return up(s->width, 4); }  /* bytes of a query */
static size_t depth_values(const movie_attention_shape *s) { return up(s->keys, 4); } /* bytes of a row of levels */

/* Packed: scales, biases (zeros), starts, then the weights. */
typedef struct {
    float *scale, *bias;
    int32_t *start;
    int8_t *weights;
} movie_side;

static movie_side side(void *memory, size_t outputs) {
    float *scale = memory;
    return (movie_side){scale, scale + outputs, (int32_t *)(scale + 2 * outputs), (int8_t *)(scale + 3 * outputs)};
}

static size_t side_bytes(size_t outputs, size_t depth) { return up(outputs * 12 + outputs * depth, 64); }

size_t movie_attention_keys_bytes(const movie_attention_shape *s) { return side_bytes(keys_padded(s), depth_keys(s)); }
size_t movie_attention_values_bytes(const movie_attention_shape *s) {
    return side_bytes(width_padded(s), depth_values(s));
}

static float largest(const float *x, size_t n, size_t step) {
    float top = 0;
    for (size_t i = 0; i < n; i++) {
        float a = x[i * step] < 0 ? -x[i * step] : x[i * step];
        top = a > top ? a : top;
    }
    return top;
}

/* Nearest whole number of v in -127...127, halves to even: the low bits of v + 1.5 * 2^23. */
static int8_t rounded(float v) {
    float shifted = v + 12582912.0f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return (int8_t)bits;
}

void movie_attention_pack_keys(void *packed, const movie_attention_shape *s, const float *keys, size_t ld) {
    size_t outputs = keys_padded(s), depth = depth_keys(s), panel = s->key_panel;
    movie_side k = side(packed, outputs);
    memset(packed, 0, side_bytes(outputs, depth));
    for (size_t key = 0; key < s->keys; key++) {
        const float *row = keys + key * ld;
        float top = largest(row, s->width, 1), scale = top > 0 ? top / 127.0f : 1.0f, inverse = 1.0f / scale;
        int8_t *to = k.weights + key / panel * panel * depth + key % panel * 4;
        int32_t sum = 0;
        for (size_t c = 0; c < s->width; c++) {
            int8_t q = rounded(row[c] * inverse);
            to[c / 4 * 4 * panel + c % 4] = q;
            sum += q;
        }
        k.scale[key] = scale;
        k.start[key] = -128 * sum;
    }
}

void movie_attention_pack_values(void *packed, const movie_attention_shape *s, const float *values, size_t ld) {
    size_t outputs = width_padded(s), depth = depth_values(s), panel = s->width_panel;
    movie_side v = side(packed, outputs);
    memset(packed, 0, side_bytes(outputs, depth));
    float inverse[512];
    for (size_t first = 0; first < s->width; first += 512) {
        size_t last = first + 512 < s->width ? first + 512 : s->width;
        for (size_t c = first; c < last; c++) inverse[c - first] = 0;
        for (size_t key = 0; key < s->keys; key++)
            for (size_t c = first; c < last; c++) {
                float x = values[key * ld + c], a = x < 0 ? -x : x;
                inverse[c - first] = a > inverse[c - first] ? a : inverse[c - first];
            }
        for (size_t c = first; c < last; c++) {
            float top = inverse[c - first];
            v.scale[c] = top > 0 ? top / 127.0f : 1.0f;
            inverse[c - first] = 1.0f / v.scale[c];
        }
        for (size_t key = 0; key < s->keys; key++)
            for (size_t c = first; c < last; c++)
                v.weights[c / panel * panel * depth + (key / 4 * panel + c % panel) * 4 + key % 4] =
                    rounded(values[key * ld + c] * inverse[c - first]);
    }
}

size_t movie_attention_scratch(const movie_attention_shape *s, size_t rows, size_t parts) {
    size_t bytes = rows * (depth_keys(s) + parts * depth_values(s)) + 128;
    return 2 * rows + rows * (parts * keys_padded(s) + width_padded(s)) + bytes / 4 + 16;
}

/* A product of `rows` rows of levels with packed weights, which is added to `output` where `adds`. */
static void multiply(const uint8_t *input, size_t in_step, size_t depth, const void *packed, size_t channels,
                     size_t panel, float *output, size_t out_step, size_t rows, int adds) {
    static const ptrdiff_t tap = 0;
    size_t padded = up(channels, panel);
    movie_side b = side((void *)packed, padded);
    movie_conv c = {
        .width = rows, .area = rows, .input = input, .in_step = in_step, .taps = &tap, .tap_count = 1, .depth = depth,
        .weights = b.weights, .start = b.start, .scale = b.scale, .bias = b.bias, .channels = channels,
        .panel_channels = panel, .output = output, .out_step = out_step, .low = -INFINITY, .out_kind = MOVIE_F32,
        .residual = adds ? output : NULL, .residual_step = out_step, .residual_scale = 1.0f, .residual_kind = MOVIE_F32,
    };
    movie_conv_u8s8(&c, 0, rows, 0, padded / panel);
}

void movie_attention_u8(float *y, size_t y_ld, const float *queries, size_t ld, size_t rows,
                        const movie_attention_part *parts, size_t count, const movie_attention_shape *s, float scale,
                        float *scratch) {
    size_t score_ld = keys_padded(s), mixed_ld = width_padded(s), depth = depth_keys(s), row = depth_values(s);
    float *row_scales = scratch, *inverse_sums = scratch + rows, *scores = scratch + up(2 * rows, 16);
    float *mixed = scores + rows * count * score_ld, shifts[MOVIE_ATTENTION_PARTS];
    uint8_t *levels = (uint8_t *)(mixed + rows * mixed_ld), *weights = levels + up(rows * depth, 64);
    movie_quantize_rows_u8(levels, depth, row_scales, queries, ld, rows, s->width, scale);
    for (size_t p = 0; p < count; p++) {
        shifts[p] = parts[p].shift;
        multiply(levels, depth, depth, parts[p].keys, s->keys, s->key_panel, scores + p * score_ld, count * score_ld,
                 rows, 0);
    }
    movie_softmax_u8(weights, row, inverse_sums, scores, score_ld, rows, s->keys, count, row_scales, shifts);
    for (size_t p = 0; p < count; p++)
        multiply(weights + p * row, count * row, row, parts[p].values, s->width, s->width_panel, mixed, mixed_ld, rows,
                 p > 0);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < s->width; i++) y[r * y_ld + i] = mixed[r * mixed_ld + i] * inverse_sums[r];
}
