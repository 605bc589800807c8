#ifndef MOVIE_CONV_U8S8_H
#define MOVIE_CONV_U8S8_H
#include <stddef.h>
#include <stdint.h>

/* Most output positions a tile computes at once, on any processor. */
enum { MOVIE_TILE_POSITIONS = 16 };

/* One tile: up to `positions` output positions by up to 64 output channels. For position p and channel c

       sum = start[c] + sum over taps t and depth d of rows[p][taps[t] + d] * weights[t, d, c]      (int32, exact)
       v = fma(sum, scale[c], bias[c])
       v = fma(residual[p][c], residual_scale, v)           if there is a residual
       v = v > low ? v : low
       out[p][c] = v, or its nearest 8-bit level, halves to even, at most 255

   in this order and rounding on every processor. Weights are packed [tap][depth / 4][panel channels][4]. */
typedef struct {
    const uint8_t *rows[MOVIE_TILE_POSITIONS];
    void *out[MOVIE_TILE_POSITIONS];
    const void *residual[MOVIE_TILE_POSITIONS];
    size_t positions;  /* that are stored; the rows behind them repeat a valid one */
    size_t channels;   /* that are stored; at most the panel's */
    const ptrdiff_t *taps;
    size_t tap_count;
    size_t depth;      /* bytes of a tap, a multiple of 4 */
    const int8_t *weights;
    const int32_t *start;
    const float *scale, *bias;
    float residual_scale;
    float low;
    uint8_t residual_kind; /* movie_element */
    uint8_t out_kind;      /* movie_element */
} movie_conv_tile;

#endif
