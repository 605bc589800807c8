/* Vectors that were found: chained, made dense, and measured for what they leave. */

/* One of a level's vectors between patches; x and y in patches. */
MOVIE_INLINE void vector_between(const movie_vectors *f, float x, float y, float *u, float *v) {
    x = within(0, (float)(f->columns - 1), x), y = within(0, (float)(f->rows - 1), y);
    const size_t x0 = (size_t)x, y0 = (size_t)y;
    const size_t x1 = x0 + 1 < f->columns ? x0 + 1 : x0, y1 = y0 + 1 < f->rows ? y0 + 1 : y0;
    const float fx = x - (float)x0, fy = y - (float)y0;
    const size_t a = y0 * f->columns + x0, b = y0 * f->columns + x1, c = y1 * f->columns + x0, d = y1 * f->columns + x1;
    const float wa = (1 - fx) * (1 - fy), wb = fx * (1 - fy), wc = (1 - fx) * fy, wd = fx * fy;
    *u = wa * f->u[a] + wb * f->u[b] + wc * f->u[c] + wd * f->u[d];
    *v = wa * f->v[a] + wb * f->v[b] + wc * f->v[c] + wd * f->v[d];
}

void MOVIE_NAME(motion_chain)(const movie_vectors *sum, const movie_vectors *onto, const movie_vectors *by,
                              size_t first, size_t last) {
    for (size_t row = first; row < last; row++)
        for (size_t column = 0; column < sum->columns; column++) {
            const size_t at = row * sum->columns + column;
            float u, v;
            vector_between(by, (float)column + onto->u[at] * 0.25f, (float)row + onto->v[at] * 0.25f, &u, &v);
            sum->u[at] = onto->u[at] + u, sum->v[at] = onto->v[at] + v, sum->error[at] = onto->error[at];
        }
}

typedef float f32x8 __attribute__((vector_size(32)));

MOVIE_INLINE void add_eight(float *to, const f32x8 *by) {
    f32x8 sums;
    memcpy(&sums, to, sizeof sums);
    sums += *by;
    memcpy(to, &sums, sizeof sums);
}

/* Adds four rows of a patch to the sums of weights and of weighted vectors. */
MOVIE_INLINE void add_patch(float *weights, float *us, float *vs, size_t ld, const movie_vectors *f, size_t column,
                            size_t row, size_t y, const movie_plane *now, const movie_plane *then) {
    const size_t at = row * f->columns + column, x = column * MOVIE_PATCH_STEP;
    const float u = f->u[at], v = f->v[at];
    int32_t px, py;
    const spot s = spot_at(then, x, y, u, v, &px, &py);
    u16x8 above = between_columns(s.pixels, s.fx);
    for (size_t r = 0; r < 4; r++) {
        const u16x8 below = between_columns(s.pixels + (ptrdiff_t)(r + 1) * s.stride, s.fx);
        i16x8 d = between_rows(above, below, s.fy) - (i16x8)(eight_at(now->pixels + (y + r) * now->stride + x) << 4);
        const i16x8 negative = d < 0;
        d = (d ^ negative) - negative;
        const i16x8 small = d < 16;
        d = (d & ~small) | (small & 16);
        const f32x8 weight = 1.0f / __builtin_convertvector(__builtin_convertvector(d, i32x8), f32x8);
        const f32x8 by_u = weight * u, by_v = weight * v;
        add_eight(weights + r * ld + x, &weight);
        add_eight(us + r * ld + x, &by_u);
        add_eight(vs + r * ld + x, &by_v);
        above = below;
    }
}

MOVIE_INLINE int16_t vector_part(float x) { return (int16_t)(int32_t)__builtin_rintf(within(-1000.0f, 1000.0f, x) * 32.0f); }

void MOVIE_NAME(motion_densify)(int16_t *vectors, const movie_vectors *f, const movie_plane *now,
                                const movie_plane *then, float *scratch, size_t first, size_t last) {
    const size_t ld = now->width + MOVIE_PATCH, width = now->width;
    float *weights = scratch, *us = scratch + 4 * ld, *vs = scratch + 8 * ld;
    for (size_t block = first; block < last; block++) {
        memset(scratch, 0, 12 * ld * sizeof *scratch);
        const size_t y = block * MOVIE_PATCH_STEP;
        for (size_t row = block ? block - 1 : 0; row <= block && row < f->rows; row++)
            for (size_t column = 0; column < f->columns; column++)
                add_patch(weights, us, vs, ld, f, column, row, y, now, then);
        for (size_t r = 0; r < 4 && y + r < now->height; r++) {
            int16_t *line = vectors + (y + r) * width * 2;
            for (size_t x = 0; x < width; x++) {
                const float inverse = 1.0f / weights[r * ld + x];
                line[2 * x] = vector_part(us[r * ld + x] * inverse);
                line[2 * x + 1] = vector_part(vs[r * ld + x] * inverse);
            }
        }
    }
}

void MOVIE_NAME(motion_residuals)(uint32_t *counts, const movie_vectors *f, float scale, const movie_plane *now,
                                  const movie_plane *then) {
    for (size_t row = 0; row < f->rows; row++)
        for (size_t column = 0; column < f->columns; column++) {
            const float inverse = 4.0f * scale;
            const size_t x = (size_t)((float)column * inverse), y = (size_t)((float)row * inverse);
            if (x >= now->width || y >= now->height) continue;
            const size_t at = row * f->columns + column;
            /* Whole pixels: interpolation would hide noise. */
            const int32_t px = place_at(x, __builtin_rintf(f->u[at] * scale), then->width) >> 5;
            const int32_t py = place_at(y, __builtin_rintf(f->v[at] * scale), then->height) >> 5;
            const int d = now->pixels[y * now->stride + x] - then->pixels[py * (ptrdiff_t)then->stride + px];
            counts[d < 0 ? -d : d]++;
        }
}
