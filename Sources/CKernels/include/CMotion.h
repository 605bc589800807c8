#ifndef CMOTION_H
#define CMOTION_H
/* Dense motion between frames, and an edit carried along it (Docs/coherence.md has the mathematics). Pictures are packed
   RGB of 8 bits. Kernels compute whole rows of something, first..<last, so that threads can share them; the same bits on
   every processor. No kernel allocates, locks or keeps state. */

#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang assume_nonnull begin
#else
#define _Nonnull
#define _Nullable
#endif

/* Pixels beyond a plane's edges that repeat the nearest one. */
enum { MOVIE_BORDER = 32 };
/* A patch is 8 x 8 pixels, patches are 4 pixels apart; patch (column, row) begins at pixel (4 column, 4 row). */
enum { MOVIE_PATCH = 8, MOVIE_PATCH_STEP = 4 };
/* A cell is 16 x 16 pixels of the edit size. */
enum { MOVIE_CELL = 16 };
/* Sums of a cell (fit_cells), numbers of its fit, and those of a fit that are interpolated. */
enum { MOVIE_CELL_SUMS = 28, MOVIE_FIT = 24, MOVIE_FIT_PLANES = 13 };
/* Steps of disagreement and of trust of a table of blending weights. */
enum { MOVIE_ERROR_STEPS = 64, MOVIE_TRUST_STEPS = 8 };
/* Numbers that are summed for each class of pixels when weights are learned. */
enum { MOVIE_LEARN_SUMS = 5 };

/* A plane of 8-bit numbers with a border; `pixels` is the pixel (0, 0), `stride` bytes from row to row. */
typedef struct {
    uint8_t *pixels;
    size_t width, height, stride;
} movie_plane;

/* How one axis of a picture is averaged down (or interpolated up): output i is the sum of `count` inputs from `first[i]`
   on with weights that add up to 4096. */
typedef struct {
    const int32_t *first;
    const uint16_t *weights; /* [outputs, count] */
    size_t outputs, count;
} movie_taps;

/* Rows first..<last of the RGB picture `to`, scaled from `from` by the taps of both axes. `sums`: memory for
   3 * (input width) + 1 numbers. */
void movie_motion_scale(uint8_t *to, size_t to_stride, const uint8_t *from, size_t from_stride, size_t from_width,
                        const movie_taps *across, const movie_taps *down, uint32_t *sums, size_t first, size_t last);

/* Luma of RGB rows, with the border at both sides. */
void movie_motion_luma(const movie_plane *to, const uint8_t *rgb, size_t stride, size_t first, size_t last);
/* Rows of `to` are means of 2 x 2 pixels of `from`, with the border at both sides. */
void movie_motion_halve(const movie_plane *to, const movie_plane *from, size_t first, size_t last);
/* Repeats the first and last row in the borders above and below. */
void movie_motion_border(const movie_plane *plane);

/* Vectors of the patches of one level, [rows, columns], in pixels of that level: pixel x of this frame is pixel
   x + (u, v) of the other. `error`: mean square of what is left, 8-bit levels squared; `texture`: the patch's variance. */
typedef struct {
    float *u, *v, *error, *texture;
    size_t columns, rows;
} movie_vectors;

typedef struct {
    const movie_plane *now, *then;       /* this frame's level, and the other's */
    const movie_vectors *result;
    const movie_vectors *_Nullable coarse; /* the next coarser level */
    const movie_vectors *_Nullable guess;  /* what is expected, on the level where one vector is `guess_scale` here */
    float guess_scale;                   /* pixels of this level a pixel of the guess's level */
    float noise;                         /* variance of camera noise, levels squared */
    int steps;                           /* of the descent, at most */
    int neighbours;                      /* != 0: tries those of the patches before */
    const uint8_t *_Nullable wanted;     /* [rows, columns]: patches of 0 rest without being looked at */
} movie_search;

/* Inverse search for the patch rows first..<last; each call begins anew, so calls must cut rows alike to agree. */
void movie_motion_search(const movie_search *s, size_t first, size_t last);

/* sum[x] = onto[x] + by[x + onto[x]]: vectors from this frame to a third one, by way of the other. */
void movie_motion_chain(const movie_vectors *sum, const movie_vectors *onto, const movie_vectors *by, size_t first,
                        size_t last);

/* A vector for every pixel, in units of 1/32 pixel, from the patches that cover it, each weighted by how well it matches
   that pixel. Rows of `vectors` [height, width, 2]; `scratch`: 12 * (width + 8) floats. Rows 4 first..<4 last. */
void movie_motion_densify(int16_t *vectors, const movie_vectors *from, const movie_plane *now, const movie_plane *then,
                          float *scratch, size_t first, size_t last);

/* A source and its edit side by side: 8 bytes a pixel, R G B 0 of each; a column and a row more than the picture, which
   repeat the last. */
void movie_motion_pair(uint8_t *pairs, const uint8_t *source, size_t source_stride, const uint8_t *edit,
                       size_t edit_stride, size_t width, size_t height, size_t first, size_t last);
/* to[x] = from[x + vector[x]], bilinear, clamped to the picture; both pairs of the same size. */
void movie_motion_warp(uint8_t *to, const uint8_t *from, const int16_t *vectors, size_t width, size_t height,
                       size_t first, size_t last);
/* The same for packed RGB. */
void movie_motion_warp_rgb(uint8_t *to, size_t to_stride, const uint8_t *from, size_t from_stride,
                           const int16_t *vectors, size_t width, size_t height, size_t first, size_t last);

/* Sums of each cell of the rows first..<last of cells over its pixels (count, source, edit, their products), and the
   warped source's disagreement with the frame `now`: errors[y / 2, x / 2] is the sum of |difference| over three channels
   and the 2 x 2 pixels. */
void movie_motion_cells(int32_t *sums, uint16_t *errors, const uint8_t *pairs, const uint8_t *now, size_t now_stride,
                        size_t width, size_t height, size_t first, size_t last);
/* The affine transform source -> edit of each cell, fitted on it and its neighbours: [rows, columns, MOVIE_FIT]: 9 slopes
   (edit channel by source channel), 3 offsets in levels, the trust (0...1: how much of the edit's variance the transform
   explains), 9 slopes times the trust, two unused. */
void movie_motion_fit(float *fits, const int32_t *sums, size_t columns, size_t rows, size_t first, size_t last);

/* Where pixels of one axis lie among coarser ones: between `left` and the next (or itself, at the end), `part` of the way. */
typedef struct {
    const int32_t *left, *right;
    const float *part;
} movie_places;

/* What composes a carried edit. */
typedef struct {
    size_t width, height;         /* edit size */
    size_t columns, rows;         /* cells */
    movie_places across;          /* the pixels of a row among the cells */
    const uint8_t *pairs;         /* warped */
    const uint8_t *now;           /* this frame at edit size */
    size_t now_stride;
    const float *fits;
    const uint16_t *errors;
    const float *weights;         /* [trust, error, 2]: shares of the corrections */
    float error_scale;            /* steps of disagreement a level */
    uint8_t *result;              /* [height, width, 3] */
} movie_carry;

/* Rows between the centres of two rows of cells, band 0...rows. `scratch`: 30 * width floats. */
void movie_motion_compose(const movie_carry *c, float *scratch, size_t band);
/* Adds to sums[trust, error, MOVIE_LEARN_SUMS] what tells the best weights, from an edit of this very frame. */
void movie_motion_learn(const movie_carry *c, const uint8_t *edited, size_t edited_stride, double *sums,
                        float *scratch);

/* What enlarges an edit with the detail of the camera's frame. */
typedef struct {
    size_t width, height;         /* edit size */
    size_t columns, rows;         /* cells */
    const uint8_t *edit, *small;  /* the edit and its source, at edit size */
    size_t edit_stride, small_stride;
    const float *fits;
    const uint8_t *frame;         /* the camera's */
    size_t frame_stride;
    uint8_t *output;
    size_t output_stride, out_width, out_height;
    movie_places across, down;                  /* output pixels among those of edit size, */
    movie_places cells_across, cells_down;      /* and among cells; */
    movie_places edit_cells_across, edit_cells_down; /* pixels of edit size among cells */
} movie_enlarge;

/* Output rows first..<last. `scratch`: 24 * out_width + 22 * width floats. */
void movie_motion_enlarge(const movie_enlarge *e, float *scratch, size_t first, size_t last);

/* counts[d] += how many sampled pixels differ by d from the other frame along the vectors of its patches. */
void movie_motion_residuals(uint32_t *counts, const movie_vectors *vectors, float scale, const movie_plane *now,
                            const movie_plane *then);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

#endif
