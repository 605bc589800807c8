#ifndef CKERNELS_H
#define CKERNELS_H
/* Float micro-kernels. All matrices are row-major; `ld` counts floats from one row to the next.
   No kernel allocates, locks or keeps state. Layout of activations: [height, width, channels]. */

#include "CColour.h"

#include <stddef.h>
#include <stdint.h>

typedef enum {
    MOVIE_IDENTITY = 0,
    MOVIE_RELU,
    MOVIE_SILU,
    MOVIE_GELU,       /* exact: x * Phi(x) */
    MOVIE_QUICK_GELU, /* x * sigmoid(1.702 x) */
    MOVIE_MISH,
    MOVIE_TANH,
} movie_activation;

/* x[r, c] = act(x[r, c] + bias[c]) + residual[r, c]; bias and residual may be NULL. `after` != 0 applies the
   activation after the residual instead: act(x + bias + residual). */
void movie_epilogue_f32(float *x, size_t rows, size_t columns, size_t ld, const float *bias, const float *residual,
                        size_t residual_ld, movie_activation act, int after);

/* y = act(x), n numbers; x may be y. */
void movie_activate_f32(float *y, const float *x, size_t n, movie_activation act);
/* y = a + b. */
void movie_add_f32(float *y, const float *a, const float *b, size_t n);
/* y = x * scale + shift. */
void movie_affine_f32(float *y, const float *x, size_t n, float scale, float shift);
/* y[r, c] = act(x[r, c] * scale[c] + shift[c]). */
void movie_channel_affine_f32(float *y, const float *x, size_t rows, size_t channels, const float *scale,
                              const float *shift, movie_activation act);
/* y[r, c] = x[r, c] * gelu(x[r, columns + c]): GEGLU; x has 2 * columns, y has columns. */
void movie_geglu_f32(float *y, const float *x, size_t rows, size_t columns);

/* sums[c] += sum over rows of x[r, c], squares[c] += sum of squares. */
void movie_channel_sums_f32(const float *x, size_t rows, size_t channels, double *sums, double *squares);
/* Each row: (x - mean) / sqrt(variance + eps) * gamma + beta. */
void movie_layer_norm_f32(float *y, const float *x, size_t rows, size_t channels, const float *gamma, const float *beta,
                          float eps);
/* Each row of scores becomes softmax(scale * row). With causal >= 0, row r keeps the first causal + r + 1 columns. */
void movie_softmax_f32(float *scores, size_t rows, size_t columns, size_t ld, float scale, ptrdiff_t causal);

typedef struct {
    size_t height, width, channels; /* of the input */
    size_t kernel, stride;          /* square kernel */
    size_t pad_top, pad_left;       /* zeros outside the input */
    size_t out_width;
} movie_patches;

/* Rows of a matrix [output positions, kernel * kernel * channels] for the output positions first..<last, in the order
   (kernel row, kernel column, channel). */
void movie_patches_f32(float *matrix, const float *x, const movie_patches *shape, size_t first, size_t last);

/* Nearest-neighbour resize of one picture, as torch's interpolate(mode="nearest"): source row = floor(row * in / out). */
void movie_resize_nearest_f32(float *y, const float *x, size_t in_height, size_t in_width, size_t out_height,
                              size_t out_width, size_t channels, size_t first_row, size_t last_row);

/* Space to depth: [h * block, w * block, c] to [h, w, c * block * block], channel order of torch's pixel_unshuffle. */
void movie_unshuffle_f32(float *y, const float *x, size_t height, size_t width, size_t channels, size_t block);
/* The inverse, torch's pixel_shuffle: [h, w, c * block * block] to [h * block, w * block, c]. */
void movie_shuffle_f32(float *y, const float *x, size_t height, size_t width, size_t channels, size_t block);

/* 8-bit pixels to floats in -1...1 (v / 127.5 - 1) and back (rounded, clamped); n numbers. */
void movie_pixels_to_f32(float *y, const uint8_t *x, size_t n);
void movie_pixels_from_f32(uint8_t *y, const float *x, size_t n);

#endif
