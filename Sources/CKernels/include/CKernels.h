#ifndef CKERNELS_H
#define CKERNELS_H
/* Micro-kernels. All matrices are row-major; `ld` counts elements from one row to the next. No kernel allocates, locks or
   keeps state. Layout of activations: [height, width, channels]. Each kernel is compiled for several generations of
   processors (kernels.inc lists them); the table of dispatch.c holds the best that this machine has. */

#include "CColour.h"
#include "CMotion.h"

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

/* Generations of processors, ascending. */
typedef enum { MOVIE_ISA_SCALAR = 0, MOVIE_ISA_AVX2, MOVIE_ISA_AVX512VNNI, MOVIE_ISA_COUNT } movie_isa;

/* The best this processor has; the one in use; its name as MOVIED_ISA takes it; NULL for an unknown number. */
movie_isa movie_isa_best(void);
movie_isa movie_isa_current(void);
const char *movie_isa_name(movie_isa isa);
/* Switches all kernels, for tests and MOVIED_ISA. Returns 0, or -1 when the processor lacks it. Not while kernels run. */
int movie_isa_select(movie_isa isa);

/* What an integer convolution reads or writes beside its input. */
typedef enum { MOVIE_NONE = 0, MOVIE_U8, MOVIE_F32 } movie_element;

/* An integer convolution over bordered 8-bit pictures: the input has its zero padding around it in memory, filled with
   its zero point. Steps and offsets count bytes for the input, elements for output and residual. */
typedef struct {
    size_t width, area;                              /* output positions of a row and of a picture */
    const uint8_t *input;                            /* what the first tap reads for position (0, 0) */
    size_t in_step, in_row, in_picture;              /* from one output position, row, picture to the next */
    const ptrdiff_t *taps;                           /* offsets from there */
    size_t tap_count, depth;                         /* taps, and bytes of each: a multiple of 4 */
    const int8_t *weights;                           /* [panel][tap][depth / 4][panel_channels][4] */
    const int32_t *start;                            /* [panels * panel_channels] */
    const float *scale, *bias;                       /* the same */
    size_t channels, panel_channels;                 /* outputs; 16, 32, 48 or 64 */
    void *output;                                    /* position (0, 0) */
    size_t out_step, out_row, out_picture;
    const void *residual;                            /* position (0, 0); NULL without */
    size_t residual_step, residual_row, residual_picture;
    float residual_scale;
    float low;                                       /* at least 0 for an 8-bit output */
    movie_element residual_kind, out_kind;
} movie_conv;

/* Computes output positions first..<last (counted through all pictures) for the panels first_panel..<last_panel. */
void movie_conv_u8s8(const movie_conv *c, size_t first, size_t last, size_t first_panel, size_t last_panel);

/* A place in a picture. */
typedef struct {
    uint16_t row, column;
} movie_position;

/* The same for `count` listed output positions of one picture, in any order. */
void movie_conv_u8s8_at(const movie_conv *c, size_t picture, const movie_position *list, size_t count,
                        size_t first_panel, size_t last_panel);

/* int8 weights in any order: steps count bytes from one output, tap and input to the next. */
typedef struct {
    const int8_t *weights;
    size_t outputs, taps, inputs;
    size_t output_step, tap_step, input_step;
} movie_s8_weights;

/* Packs weights for `movie_conv_u8s8`; `depth`: the inputs rounded up to 4. Writes panels * panel_channels * taps * depth
   bytes, and for every channel of every panel the sum of its weights. */
void movie_pack_s8(int8_t *packed, int32_t *sums, const movie_s8_weights *w, size_t depth, size_t panel_channels);

/* 8-bit levels, q = clamp(round(x * inverse + zero), 0, 255), halves to even. `ld`: bytes from one position of the levels
   to the next; the floats are packed. */
void movie_quantize_u8(uint8_t *y, size_t ld, const float *x, size_t rows, size_t channels, float inverse, float zero);
/* y = (q - zero) * scale. */
void movie_dequantize_u8(float *y, const uint8_t *x, size_t ld, size_t rows, size_t channels, float scale, float zero);
/* The level of act(x[r, c] * scale[c] + shift[c]). */
void movie_channel_affine_u8(uint8_t *y, size_t ld, const float *x, size_t rows, size_t channels, const float *scale,
                             const float *shift, movie_activation act, float inverse, float zero);
void movie_layer_norm_u8(uint8_t *y, size_t ld, const float *x, size_t rows, size_t channels, const float *gamma,
                         const float *beta, float eps, float inverse, float zero);
void movie_geglu_u8(uint8_t *y, size_t ld, const float *x, size_t rows, size_t columns, float inverse, float zero);

/* One row of blocks of packed 8-bit RGB, `in_row` bytes a line, to [width, 3 * block * block] (torch's pixel_unshuffle). */
void movie_unshuffle_rgb_u8(uint8_t *y, size_t ld, const uint8_t *x, size_t in_row, size_t width, size_t block);
/* The inverse. */
void movie_shuffle_rgb_u8(uint8_t *y, size_t out_row, const uint8_t *x, size_t ld, size_t width, size_t block);

/* Each row of floats to levels around 128 by its own largest magnitude, y_ld - columns bytes of 128 behind it; `scales`:
   what a level of each row is worth, times `factor`. */
void movie_quantize_rows_u8(uint8_t *y, size_t y_ld, float *scales, const float *x, size_t ld, size_t rows,
                            size_t columns, float factor);
/* The keys that one query may see come in at most so many parts: the frame's own and those of anchor frames. */
enum { MOVIE_ATTENTION_PARTS = 8 };
/* Softmax of scales[r] * scores[r, part, c] + ln(2) * shifts[part] as levels, 255 for the largest of a row, zeros up to
   y_ld; `inverse_sums`: 1 / a row's sum. Rows are [parts, ld] and [parts, y_ld]. */
void movie_softmax_u8(uint8_t *y, size_t y_ld, float *inverse_sums, const float *scores, size_t ld, size_t rows,
                      size_t columns, size_t parts, const float *scales, const float *shifts);

/* Keys or values of one attention head as integer weights: memory of movie_attention_side_bytes, 64-byte aligned. */
typedef struct {
    size_t keys, width;                 /* positions, and channels of a head */
    size_t key_panel, width_panel;      /* 16, 32, 48 or 64 */
} movie_attention_shape;

size_t movie_attention_keys_bytes(const movie_attention_shape *s);
size_t movie_attention_values_bytes(const movie_attention_shape *s);
/* Quantizes and packs; `ld` floats from one position to the next. */
void movie_attention_pack_keys(void *packed, const movie_attention_shape *s, const float *keys, size_t ld);
void movie_attention_pack_values(void *packed, const movie_attention_shape *s, const float *values, size_t ld);
/* Keys and values that a query sees, packed; `shift` is log2 of their weight, 0 for full weight. */
typedef struct {
    const void *keys, *values;
    float shift;
} movie_attention_part;

/* Floats of scratch memory for `rows` queries that see `parts` parts. */
size_t movie_attention_scratch(const movie_attention_shape *s, size_t rows, size_t parts);
/* softmax(scale * Q [K_1; K_2; ...]^T) [V_1; V_2; ...] for some queries of one head, over 1 to MOVIE_ATTENTION_PARTS parts
   of the same shape; `y` may be a part of wider rows. No matrix of all scores: those of `rows` queries live in the
   scratch memory. */
void movie_attention_u8(float *y, size_t y_ld, const float *queries, size_t ld, size_t rows,
                        const movie_attention_part *parts, size_t count, const movie_attention_shape *s, float scale,
                        float *scratch);

/* For the stabilizer: brightness in cells of 4 x 4 pixels, row by row of cells. */

/* Sums of brightness over the pixels of `count` cells of packed RGB, 0...4080. */
void movie_luma_cells_u16(uint16_t *cells, const uint8_t *rgb, size_t stride, size_t count);
/* change[c] = |sum over 3 x 3 cells of (now - then)|, from the rows above, at and below. */
void movie_cell_change_u16(uint16_t *change, const uint16_t *now_above, const uint16_t *now, const uint16_t *now_below,
                           const uint16_t *then_above, const uint16_t *then, const uint16_t *then_below, size_t count);
/* weight[c] = clamp((high - largest change of 3 x 3 cells) * slope, 0, most). */
void movie_cell_weights_u8(uint8_t *weight, const uint16_t *above, const uint16_t *own, const uint16_t *below,
                           size_t count, float high, float slope, float most);
/* then = now + (then - now) * weight / 256. */
void movie_cell_follow_u16(uint16_t *then, const uint16_t *now, const uint8_t *weight, size_t count);
/* Weights of cells to weights of the 12 * count bytes of a row of pixels in them; `far`: the row of cells that is next to
   the pixels, which counts `share` eighths. Never more than the pixel's own cell has. */
void movie_spread_weights_u8(uint8_t *spread, const uint8_t *near, const uint8_t *far, unsigned share, size_t count);
/* last = edited + (last - edited) * weight / 256, rounded towards edited; n bytes. keeps != 0: a difference of one level
   stays where the weight is half or more. */
void movie_stabilize_u8(uint8_t *last, const uint8_t *edited, const uint8_t *weight, size_t n, int keeps);

/* Cells that may have moved, [rows, columns] each. */
typedef struct {
    const movie_plane *now, *then; /* brightness of the newest source and of the one before, at half size */
    const movie_vectors *vectors;  /* of the patches of `now` */
    const uint8_t *wanted;         /* 0: the cell rests */
    int16_t *moves;                /* 2 a cell: pixel x was at x + move / 8, full size; less than 4 is 0 */
    uint16_t *left, *peak;         /* mean and largest of |now - moved then|, 1/16 level */
    size_t columns, rows;
} movie_cell_motion;

/* Moves of the cell rows first..<last, and what they leave unexplained. */
void movie_cell_moves(const movie_cell_motion *m, size_t first, size_t last);
/* For wanted cells, weight = max(weight, moved * clamp((high - peak) * slope, 0, 1)); where the first is more, it rests. */
void movie_cell_choose(uint8_t *weight, int16_t *moves, const uint8_t *moved, const uint8_t *wanted, const uint16_t *peak,
                       size_t count, float high, float slope);
/* The pixels of the moved cells of row `row` of a packed RGB picture, from where they were in `from` (cubic), into the
   picture `to` of the same rows, brought to within `farthest` levels of the picture `edited`. `moves`, `weight`: the whole
   picture's; cells without a weight are left alone. */
void movie_cell_carry(uint8_t *to, const uint8_t *from, const uint8_t *edited, size_t stride, size_t width, size_t height,
                      const int16_t *moves, const uint8_t *weight, size_t columns, size_t row, int farthest);

/* How much a row of cells, 8 x 8 pixels of packed RGB each, differs from an earlier picture. A cell has four blocks of 4 x 4
   pixels, whose sums are written, channel by channel: [rows][blocks][3]; `reference` holds the earlier picture's.
   measures: the largest |r| + 2 |g| + |b| of a cell's blocks, differences of sums: 64 for a difference of 1 in every
   pixel. drifts: r + 2 g + b added over the blocks, with sign. `rows`: rows of blocks, 1 or 2. */
void movie_change_u8(uint16_t *measures, int32_t *drifts, uint16_t *sums, const uint16_t *reference, const uint8_t *rgb,
                     size_t stride, size_t blocks, size_t rows);

/* Multiplies and adds on registers alone, and how many operations that is: what the processor can do at most. */
void movie_peak_u8s8(size_t rounds);
size_t movie_peak_operations_u8s8(size_t rounds);

#endif
