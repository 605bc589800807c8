/* Pictures for the search of motion: scaled, as luma, as pyramids of planes with borders. */

/* A row of the border at both sides. */
MOVIE_INLINE void widen_row(const movie_plane *p, size_t row) {
    uint8_t *line = p->pixels + row * p->stride;
    memset(line - MOVIE_BORDER, line[0], MOVIE_BORDER);
    memset(line + p->width, line[p->width - 1], MOVIE_BORDER);
}

MOVIE_INLINE void add_row(uint32_t *restrict sums, const uint8_t *restrict from, size_t n, uint32_t weight, int begins) {
    if (begins) {
        for (size_t i = 0; i < n; i++) sums[i] = from[i] * weight;
    } else {
        for (size_t i = 0; i < n; i++) sums[i] += from[i] * weight;
    }
}

typedef uint32_t u32x4 __attribute__((vector_size(16)));

/* A pixel's three sums and the number behind them, at once. */
MOVIE_INLINE void gather_row(uint8_t *restrict to, const uint32_t *restrict sums, const movie_taps *across) {
    for (size_t x = 0; x < across->outputs; x++) {
        const uint16_t *weights = across->weights + x * across->count;
        const uint32_t *from = sums + 3 * across->first[x];
        u32x4 pixel = {1u << 19, 1u << 19, 1u << 19, 0};
        for (size_t i = 0; i < across->count; i++) {
            u32x4 input;
            memcpy(&input, from + 3 * i, sizeof input);
            pixel += input * weights[i];
        }
        pixel >>= 20;
        to[3 * x] = (uint8_t)pixel[0], to[3 * x + 1] = (uint8_t)pixel[1], to[3 * x + 2] = (uint8_t)pixel[2];
    }
}

void MOVIE_NAME(motion_scale)(uint8_t *to, size_t to_stride, const uint8_t *from, size_t from_stride,
                              size_t from_width, const movie_taps *across, const movie_taps *down, uint32_t *sums,
                              size_t first, size_t last) {
    for (size_t y = first; y < last; y++) {
        const uint16_t *weights = down->weights + y * down->count;
        int begins = 1;
        for (size_t i = 0; i < down->count; i++) {
            if (!weights[i]) continue;
            add_row(sums, from + ((size_t)down->first[y] + i) * from_stride, 3 * from_width, weights[i], begins);
            begins = 0;
        }
        for (size_t i = 0; i < 3 * from_width; i++) sums[i] = (sums[i] + 8) >> 4; /* levels * 256 */
        gather_row(to + y * to_stride, sums, across);
    }
}

void MOVIE_NAME(motion_luma)(const movie_plane *to, const uint8_t *rgb, size_t stride, size_t first, size_t last) {
    for (size_t y = first; y < last; y++) {
        const uint8_t *restrict from = rgb + y * stride;
        uint8_t *restrict line = to->pixels + y * to->stride;
        for (size_t x = 0; x < to->width; x++)
            line[x] = (uint8_t)((77u * from[3 * x] + 150u * from[3 * x + 1] + 29u * from[3 * x + 2] + 128u) >> 8);
        widen_row(to, y);
    }
}

void MOVIE_NAME(motion_halve)(const movie_plane *to, const movie_plane *from, size_t first, size_t last) {
    for (size_t y = first; y < last; y++) {
        const uint8_t *restrict a = from->pixels + 2 * y * from->stride, *restrict b = a + from->stride;
        uint8_t *restrict line = to->pixels + y * to->stride;
        for (size_t x = 0; x < to->width; x++)
            line[x] = (uint8_t)((a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1] + 2u) >> 2);
        widen_row(to, y);
    }
}

void MOVIE_NAME(motion_border)(const movie_plane *p) {
    const size_t bytes = p->width + 2 * MOVIE_BORDER;
    uint8_t *top = p->pixels - MOVIE_BORDER, *bottom = top + (p->height - 1) * p->stride;
    for (size_t i = 1; i <= MOVIE_BORDER; i++) {
        memcpy(top - i * p->stride, top, bytes);
        memcpy(bottom + i * p->stride, bottom, bytes);
    }
}
