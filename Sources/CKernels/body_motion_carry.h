/* A carried edit composed of the warped one and two corrections, and enlarged with the camera's own detail. */

enum { RUN = 64 }; /* pixels in planes on the stack */

/* Planes of a row of fits, interpolated to the pixels of a row: to[p * ld + x]. Pixels between the same two cells at once. */
MOVIE_INLINE void spread_fits(float *restrict to, size_t ld, const float *restrict fits, int first, int planes,
                              const movie_places *places, size_t n) {
    const float *restrict part = places->part;
    for (size_t begin = 0, end; begin < n; begin = end) {
        const int32_t left = places->left[begin], right = places->right[begin];
        for (end = begin + 1; end < n && places->left[end] == left;) end++;
        const float *a = fits + left * MOVIE_FIT + first, *b = fits + right * MOVIE_FIT + first;
        for (int p = 0; p < planes; p++) {
            const float low = a[p], step = b[p] - low;
            float *restrict line = to + (size_t)p * ld;
            for (size_t x = begin; x < end; x++) line[x] = low + part[x] * step;
        }
    }
}

/* n pixels of three channels, `step` bytes apart, as planes. */
MOVIE_INLINE void planes_from(float to[3][RUN], const uint8_t *from, size_t step, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++) to[c][i] = (float)from[i * step + c];
}

/* One row of a carry. */
typedef struct {
    const float *above, *below; /* fits of the rows of cells around, [13, width] */
    float part;                 /* how far down */
    size_t y;
} carry_row;

/* The warped edit, and what the two corrections would add to it: the affine of the disagreement, and the affine of the
   new frame instead of the edit. */
typedef struct {
    float warped[3][RUN], slope[3][RUN], anew[3][RUN];
} corrections;

MOVIE_INLINE void corrections_at(corrections *k, const movie_carry *c, const carry_row *r, size_t x, size_t n) {
    float now[3][RUN], was[3][RUN];
    const uint8_t *pairs = c->pairs + 8 * (r->y * (c->width + 1) + x);
    planes_from(now, c->now + r->y * c->now_stride + 3 * x, 3, n);
    planes_from(was, pairs, 8, n);
    planes_from(k->warped, pairs + 4, 8, n);
    for (size_t o = 0; o < 3; o++)
        for (size_t i = 0; i < n; i++) k->slope[o][i] = k->anew[o][i] = 0;
    for (size_t p = 0; p < 9; p++) {
        const float *above = r->above + p * c->width + x, *below = r->below + p * c->width + x;
        for (size_t i = 0; i < n; i++) {
            const float a = above[i] + r->part * (below[i] - above[i]);
            k->slope[p / 3][i] += a * (now[p % 3][i] - was[p % 3][i]);
            k->anew[p / 3][i] += a * now[p % 3][i];
        }
    }
    for (size_t o = 0; o < 3; o++) {
        const float *above = r->above + (9 + o) * c->width + x, *below = r->below + (9 + o) * c->width + x;
        for (size_t i = 0; i < n; i++)
            k->anew[o][i] += above[i] + r->part * (below[i] - above[i]) - k->warped[o][i];
    }
}

/* The disagreement around a pixel of the half-size picture, in steps of the table. */
MOVIE_INLINE float step_of_error(const movie_carry *c, size_t x, size_t y) {
    const size_t width = (c->width + 1) / 2, height = (c->height + 1) / 2;
    const size_t left = x ? x - 1 : x, right = x + 1 < width ? x + 1 : x;
    uint32_t sum = 0;
    for (int dy = -1; dy <= 1; dy++) {
        const size_t line = dy < 0 ? (y ? y - 1 : y) : dy > 0 ? (y + 1 < height ? y + 1 : y) : y;
        const uint16_t *e = c->errors + line * width;
        sum += (uint32_t)e[left] + e[x] + e[right];
    }
    return within(0.0f, MOVIE_ERROR_STEPS - 1, (float)sum * (1.0f / 108.0f) * c->error_scale);
}

/* Shares of the corrections for every second pixel of a row, [2, (width + 1) / 2]. */
MOVIE_INLINE void share_row(float *shares, const movie_carry *c, const carry_row *r) {
    const size_t half = (c->width + 1) / 2;
    const float *above = r->above + 12 * c->width, *below = r->below + 12 * c->width;
    for (size_t x = 0; x < half; x++) {
        const float trust = within(0, 1, above[2 * x] + r->part * (below[2 * x] - above[2 * x])) * (MOVIE_TRUST_STEPS - 1);
        const size_t step = (size_t)(step_of_error(c, x, r->y / 2) + 0.5f), low = (size_t)trust;
        const size_t high = low + 1 < MOVIE_TRUST_STEPS ? low + 1 : low;
        const float part = trust - (float)low;
        const float *a = c->weights + (low * MOVIE_ERROR_STEPS + step) * 2;
        const float *b = c->weights + (high * MOVIE_ERROR_STEPS + step) * 2;
        shares[x] = a[0] + part * (b[0] - a[0]), shares[half + x] = a[1] + part * (b[1] - a[1]);
    }
}

MOVIE_INLINE void compose_run(uint8_t *to, const movie_carry *c, const carry_row *r, const float *shares, size_t x, size_t n) {
    corrections k;
    uint8_t planes[3][RUN];
    const float *slope = shares + x / 2, *anew = slope + (c->width + 1) / 2;
    corrections_at(&k, c, r, x, n);
    for (size_t o = 0; o < 3; o++)
        for (size_t i = 0; i < n; i++)
            planes[o][i] = movie_level(k.warped[o][i] + slope[i / 2] * k.slope[o][i] + anew[i / 2] * k.anew[o][i]);
    for (size_t i = 0; i < n; i++) to[3 * i] = planes[0][i], to[3 * i + 1] = planes[1][i], to[3 * i + 2] = planes[2][i];
}

/* The fits around a band; returns its first row of pixels. */
MOVIE_INLINE size_t spread_band(carry_row *r, const movie_carry *c, float *scratch, size_t band) {
    const size_t upper = band ? band - 1 : 0, lower = band < c->rows ? band : c->rows - 1, line = c->columns * MOVIE_FIT;
    float *above = scratch, *below = scratch + MOVIE_FIT_PLANES * c->width;
    spread_fits(above, c->width, c->fits + upper * line, 0, MOVIE_FIT_PLANES, &c->across, c->width);
    spread_fits(below, c->width, c->fits + lower * line, 0, MOVIE_FIT_PLANES, &c->across, c->width);
    r->above = above, r->below = below;
    return band ? band * MOVIE_CELL - MOVIE_CELL / 2 : 0;
}

MOVIE_INLINE size_t band_end(const movie_carry *c, size_t band) {
    const size_t end = band * MOVIE_CELL + MOVIE_CELL / 2;
    return end < c->height ? end : c->height;
}

MOVIE_INLINE void enter_row(carry_row *r, size_t band, size_t y) {
    r->y = y;
    r->part = ((float)(y + MOVIE_CELL / 2 - band * MOVIE_CELL) + 0.5f) * (1.0f / MOVIE_CELL);
}

void MOVIE_NAME(motion_compose)(const movie_carry *c, float *scratch, size_t band) {
    carry_row r;
    float *shares = scratch + 2 * MOVIE_FIT_PLANES * c->width;
    const size_t first = spread_band(&r, c, scratch, band), last = band_end(c, band);
    for (size_t y = first; y < last; y++) {
        enter_row(&r, band, y);
        if (y == first || y % 2 == 0) share_row(shares, c, &r);
        uint8_t *to = c->result + 3 * y * c->width;
        size_t x = 0;
        for (; x + RUN <= c->width; x += RUN) compose_run(to + 3 * x, c, &r, shares, x, RUN);
        if (x < c->width) compose_run(to + 3 * x, c, &r, shares, x, c->width - x);
    }
}

MOVIE_INLINE void learn_pixel(double *sums, const corrections *k, size_t i, const uint8_t *edited) {
    for (size_t o = 0; o < 3; o++) {
        const float s = k->slope[o][i], a = k->anew[o][i], y = (float)edited[o] - k->warped[o][i];
        sums[0] += s * s, sums[1] += s * a, sums[2] += a * a, sums[3] += s * y, sums[4] += a * y;
    }
}

MOVIE_INLINE void learn_run(double *sums, const movie_carry *c, const carry_row *r, const uint8_t *edited, size_t x, size_t n) {
    corrections k;
    corrections_at(&k, c, r, x, n);
    for (size_t i = 0; i < n; i += 2) {
        const size_t at = 12 * c->width + x + i;
        const float trust = within(0, 1, r->above[at] + r->part * (r->below[at] - r->above[at])) * (MOVIE_TRUST_STEPS - 1);
        const size_t row = (size_t)(trust + 0.5f), step = (size_t)(step_of_error(c, (x + i) / 2, r->y / 2) + 0.5f);
        learn_pixel(sums + (row * MOVIE_ERROR_STEPS + step) * MOVIE_LEARN_SUMS, &k, i, edited + 3 * (x + i));
    }
}

void MOVIE_NAME(motion_learn)(const movie_carry *c, const uint8_t *edited, size_t edited_stride, double *sums,
                              float *scratch) {
    for (size_t band = 0; band <= c->rows; band++) {
        carry_row r;
        const size_t first = spread_band(&r, c, scratch, band), last = band_end(c, band);
        for (size_t y = first; y < last; y += 2) {
            enter_row(&r, band, y);
            for (size_t x = 0; x < c->width; x += RUN)
                learn_run(sums, c, &r, edited + y * edited_stride, x, x + RUN <= c->width ? RUN : c->width - x);
        }
    }
}
