/* A local affine transform of colours, source to edit: sums over cells, and a least-squares fit of each with its
   neighbours. */

/* Sums over rows of one cell: of the pixels, of their products with red, green and blue of the source, of their squares. */
typedef struct {
    i32x8 sum, by_red, by_green, by_blue, square;
} cell_sums;

MOVIE_INLINE void add_pixels(cell_sums *s, const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++, p += 8) {
        u8x8 bytes;
        memcpy(&bytes, p, 8);
        const i32x8 v = __builtin_convertvector(bytes, i32x8);
        s->sum += v, s->by_red += v * v[0], s->by_green += v * v[1], s->by_blue += v * v[2], s->square += v * v;
    }
}

/* n, source 3, edit 3, source x source (rr rg rb gg gb bb), source by edit 9, edit squared 3. */
MOVIE_INLINE void store_cell(int32_t *to, const cell_sums *s, int32_t count) {
    const int32_t sums[25] = {
        count, s->sum[0], s->sum[1], s->sum[2], s->sum[4], s->sum[5], s->sum[6],
        s->by_red[0], s->by_red[1], s->by_red[2], s->by_green[1], s->by_green[2], s->by_blue[2],
        s->by_red[4], s->by_red[5], s->by_red[6], s->by_green[4], s->by_green[5], s->by_green[6],
        s->by_blue[4], s->by_blue[5], s->by_blue[6], s->square[4], s->square[5], s->square[6],
    };
    memcpy(to, sums, sizeof sums);
    memset(to + 25, 0, 3 * sizeof *to);
}

MOVIE_INLINE uint16_t pixel_error(const uint8_t *a, const uint8_t *b) {
    uint16_t sum = 0;
    for (int c = 0; c < 3; c++) {
        const int d = a[c] - b[c];
        sum = (uint16_t)(sum + (d < 0 ? -d : d));
    }
    return sum;
}

/* One row of errors: pixels 2 x 2; a last column or row that is alone counts twice. */
MOVIE_INLINE void error_row(uint16_t *restrict to, const uint8_t *restrict pairs, size_t pair_stride,
                            const uint8_t *restrict now, size_t now_stride, size_t width) {
    for (size_t x = 0; x + 1 < width; x += 2)
        to[x / 2] = (uint16_t)(pixel_error(pairs + 8 * x, now + 3 * x) + pixel_error(pairs + 8 * x + 8, now + 3 * x + 3) +
                               pixel_error(pairs + pair_stride + 8 * x, now + now_stride + 3 * x) +
                               pixel_error(pairs + pair_stride + 8 * x + 8, now + now_stride + 3 * x + 3));
    if (width % 2) {
        const size_t x = width - 1;
        to[x / 2] = (uint16_t)(2 * (pixel_error(pairs + 8 * x, now + 3 * x) +
                                    pixel_error(pairs + pair_stride + 8 * x, now + now_stride + 3 * x)));
    }
}

void MOVIE_NAME(motion_cells)(int32_t *sums, uint16_t *errors, const uint8_t *pairs, const uint8_t *now,
                              size_t now_stride, size_t width, size_t height, size_t first, size_t last) {
    const size_t stride = 8 * (width + 1), columns = (width + MOVIE_CELL - 1) / MOVIE_CELL;
    for (size_t row = first; row < last; row++) {
        const size_t top = row * MOVIE_CELL, bottom = top + MOVIE_CELL < height ? top + MOVIE_CELL : height;
        for (size_t column = 0; column < columns; column++) {
            const size_t left = column * MOVIE_CELL, n = left + MOVIE_CELL < width ? MOVIE_CELL : width - left;
            cell_sums s = {0};
            for (size_t y = top; y < bottom; y++) add_pixels(&s, pairs + y * stride + 8 * left, n);
            store_cell(sums + (row * columns + column) * MOVIE_CELL_SUMS, &s, (int32_t)((bottom - top) * n));
        }
        for (size_t y = top; y < bottom; y += 2) {
            const size_t has_next = y + 1 < height;
            error_row(errors + y / 2 * ((width + 1) / 2), pairs + y * stride, has_next ? stride : 0,
                      now + y * now_stride, has_next ? now_stride : 0, width);
        }
    }
}

/* The sums of a cell and its neighbours, which count half on each axis. */
MOVIE_INLINE void window_sums(float *to, const int32_t *sums, size_t columns, size_t rows, size_t column, size_t row) {
    for (int i = 0; i < MOVIE_CELL_SUMS; i++) to[i] = 0;
    for (size_t y = row ? row - 1 : 0; y <= row + 1 && y < rows; y++)
        for (size_t x = column ? column - 1 : 0; x <= column + 1 && x < columns; x++) {
            const float weight = (y == row ? 1.0f : 0.5f) * (x == column ? 1.0f : 0.5f);
            const int32_t *from = sums + (y * columns + x) * MOVIE_CELL_SUMS;
            for (int i = 0; i < MOVIE_CELL_SUMS; i++) to[i] += weight * (float)from[i];
        }
}

/* Slopes of a symmetric system of three unknowns and three right sides; `v`: xx xy xz yy yz zz. */
MOVIE_INLINE void solve_three(float *slopes, const float *v, const float *sides) {
    const float a = v[3] * v[5] - v[4] * v[4], b = v[2] * v[4] - v[1] * v[5], c = v[1] * v[4] - v[2] * v[3];
    const float d = v[0] * v[5] - v[2] * v[2], e = v[1] * v[2] - v[0] * v[4], f = v[0] * v[3] - v[1] * v[1];
    const float inverse = 1.0f / (v[0] * a + v[1] * b + v[2] * c);
    for (int o = 0; o < 3; o++) {
        const float r = sides[o], g = sides[3 + o], s = sides[6 + o];
        slopes[3 * o] = (a * r + b * g + c * s) * inverse;
        slopes[3 * o + 1] = (b * r + d * g + e * s) * inverse;
        slopes[3 * o + 2] = (c * r + e * g + f * s) * inverse;
    }
}

/* Added to the variances, in levels squared: flat cells get no slopes. And what any edit may miss without being untrusted. */
#define FIT_RIDGE 20.0f
#define FIT_SLACK 6.5f

MOVIE_INLINE void fit_cell(float *fit, const float *w) {
    static const uint8_t first[6] = {0, 0, 0, 1, 1, 2}, second[6] = {0, 1, 2, 1, 2, 2};
    const float inverse = 1.0f / w[0];
    float mean[3], target[3], variance[6], ridged[6], sides[9], spread = 0;
    for (int i = 0; i < 3; i++) mean[i] = w[1 + i] * inverse, target[i] = w[4 + i] * inverse;
    for (int i = 0; i < 6; i++) {
        variance[i] = w[7 + i] * inverse - mean[first[i]] * mean[second[i]];
        ridged[i] = variance[i] + (first[i] == second[i] ? FIT_RIDGE : 0.0f);
    }
    for (int i = 0; i < 9; i++) sides[i] = w[13 + i] * inverse - mean[i / 3] * target[i % 3];
    for (int o = 0; o < 3; o++) spread += w[22 + o] * inverse - target[o] * target[o];
    solve_three(fit, ridged, sides);
    float left = spread;
    for (int o = 0; o < 3; o++) {
        const float *a = fit + 3 * o;
        fit[9 + o] = target[o] - (a[0] * mean[0] + a[1] * mean[1] + a[2] * mean[2]);
        const float explained = a[0] * a[0] * variance[0] + a[1] * a[1] * variance[3] + a[2] * a[2] * variance[5] +
                                2.0f * (a[0] * a[1] * variance[1] + a[0] * a[2] * variance[2] + a[1] * a[2] * variance[4]);
        left += explained - 2.0f * (a[0] * sides[o] + a[1] * sides[3 + o] + a[2] * sides[6 + o]);
    }
    left = within(0.0f, spread > 0.0f ? spread : 0.0f, left);
    const float explained = spread - left > 0.0f ? spread - left : 0.0f;
    const float trust = (explained + FIT_SLACK) / (explained + FIT_SLACK + left);
    fit[12] = trust;
    for (int i = 0; i < 9; i++) fit[13 + i] = trust * fit[i];
    fit[22] = fit[23] = 0;
}

void MOVIE_NAME(motion_fit)(float *fits, const int32_t *sums, size_t columns, size_t rows, size_t first, size_t last) {
    for (size_t row = first; row < last; row++)
        for (size_t column = 0; column < columns; column++) {
            float window[MOVIE_CELL_SUMS];
            window_sums(window, sums, columns, rows, column, row);
            fit_cell(fits + (row * columns + column) * MOVIE_FIT, window);
        }
}
