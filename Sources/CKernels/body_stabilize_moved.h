/* The stabilizer where the picture moves: cells of 4 x 4 pixels that were elsewhere in the last output. */

/* Eighths of a pixel below which a cell rests. */
#define SMALLEST_MOVE 4

MOVIE_INLINE int16_t eighths(float half_pixels) {
    return (int16_t)(int32_t)__builtin_rintf(within(-1000.0f, 1000.0f, half_pixels) * 16.0f);
}

/* Cubic convolution with a slope of -3/4 at the neighbours, sharp enough for pictures that are moved again and again; in
   64ths, for each sixteenth of a pixel. */
static const int16_t MOVIE_NAME(cubic)[16][4] = {
    {0, 64, 0, 0}, {-3, 64, 3, 0}, {-4, 62, 7, -1}, {-6, 59, 12, -1},
    {-7, 56, 17, -2}, {-7, 52, 22, -3}, {-7, 48, 27, -4}, {-7, 43, 33, -5},
    {-6, 38, 38, -6}, {-5, 33, 43, -7}, {-4, 27, 48, -7}, {-3, 22, 52, -7},
    {-2, 17, 56, -7}, {-1, 12, 59, -6}, {-1, 7, 62, -4}, {0, 3, 64, -3}};

/* Where the half-size pixel `x` was, in sixteenths: at most 16 pixels outside of a row of `size`. */
MOVIE_INLINE int32_t sixteenths(size_t x, int16_t move, size_t size) {
    const int32_t place = (int32_t)(x << 4) + move, last = (int32_t)((size + 7) << 4);
    return place < -256 ? -256 : place > last ? last : place;
}

/* |now - then| at the half-size pixel (x, y) that has moved; 1/16 level. */
MOVIE_INLINE uint32_t left_at(const movie_cell_motion *m, size_t x, size_t y, const int16_t *move) {
    const int32_t px = sixteenths(x, move[0], m->then->width), py = sixteenths(y, move[1], m->then->height);
    const int16_t *across = MOVIE_NAME(cubic)[px & 15], *down = MOVIE_NAME(cubic)[py & 15];
    const ptrdiff_t stride = (ptrdiff_t)m->then->stride;
    const uint8_t *p = m->then->pixels + ((py >> 4) - 1) * stride + (px >> 4) - 1;
    int32_t sum = 128;
    for (int r = 0; r < 4; r++, p += stride)
        sum += (p[0] * across[0] + p[1] * across[1] + p[2] * across[2] + p[3] * across[3]) * down[r];
    const int32_t d = (sum >> 8) - (m->now->pixels[y * m->now->stride + x] << 4);
    return (uint32_t)(d < 0 ? -d : d);
}

/* Where the middle of a cell was, in eighths of a pixel. */
MOVIE_INLINE void find_move(int16_t *move, const movie_cell_motion *m, size_t column, size_t row) {
    float u, v;
    vector_between(m->vectors, (float)column * 0.5f - 0.75f, (float)row * 0.5f - 0.75f, &u, &v);
    const int16_t x = eighths(u), y = eighths(v);
    const int rests = x > -SMALLEST_MOVE && x < SMALLEST_MOVE && y > -SMALLEST_MOVE && y < SMALLEST_MOVE;
    move[0] = rests ? 0 : x, move[1] = rests ? 0 : y;
}

void MOVIE_NAME(cell_moves)(const movie_cell_motion *m, size_t first, size_t last) {
    for (size_t row = first; row < last; row++)
        for (size_t column = 0; column < m->columns; column++) {
            const size_t at = row * m->columns + column, x = 2 * column, y = 2 * row;
            int16_t *move = m->moves + 2 * at;
            move[0] = move[1] = 0;
            if (m->wanted[at]) find_move(move, m, column, row);
            uint32_t sum = 0, most = 0;
            for (size_t i = 0; i < 4; i++) {
                const uint32_t d = left_at(m, x + i % 2, y + i / 2, move);
                sum += d, most = d > most ? d : most;
            }
            m->left[at] = (uint16_t)((sum + 2) >> 2), m->peak[at] = (uint16_t)most;
        }
}

void MOVIE_NAME(cell_choose)(uint8_t *weight, int16_t *moves, const uint8_t *moved, const uint8_t *wanted,
                             const uint16_t *peak, size_t count, float high, float slope) {
    for (size_t c = 0; c < count; c++) {
        const float trust = (high - (float)peak[c]) * slope;
        const uint8_t own = wanted[c] ? movie_level((float)moved[c] * (trust < 1.0f ? trust : 1.0f)) : 0;
        const int rests = weight[c] >= own;
        weight[c] = rests ? weight[c] : own;
        moves[2 * c] = rests ? 0 : moves[2 * c], moves[2 * c + 1] = rests ? 0 : moves[2 * c + 1];
    }
}

enum { CARRY_SIDE = 7, CARRY_ROW = 24 };

/* The 7 x 7 pixels that a cell is made of, from (x, y) on, the outermost repeated beyond the picture. */
MOVIE_INLINE void gather_cell(uint8_t (*pixels)[CARRY_ROW], const uint8_t *from, size_t stride, int32_t width,
                              int32_t height, int32_t x, int32_t y) {
    const int inside = x >= 0 && x + CARRY_SIDE <= width;
    for (int32_t r = 0; r < CARRY_SIDE; r++) {
        const int32_t line = y + r < 0 ? 0 : y + r < height ? y + r : height - 1;
        const uint8_t *source = from + (size_t)line * stride;
        if (inside) {
            memcpy(pixels[r], source + 3 * (size_t)x, 3 * CARRY_SIDE);
            continue;
        }
        for (int32_t i = 0; i < CARRY_SIDE; i++) {
            const int32_t column = x + i < 0 ? 0 : x + i < width ? x + i : width - 1;
            memcpy(pixels[r] + 3 * i, source + 3 * (size_t)column, 3);
        }
    }
}

MOVIE_INLINE void carry_cell(uint8_t *to, const uint8_t *from, const uint8_t *edited, size_t stride, size_t width,
                             size_t height, const int16_t *move, size_t x, size_t y, int32_t farthest) {
    uint8_t pixels[CARRY_SIDE][CARRY_ROW];
    int16_t rows[CARRY_SIDE][12];
    gather_cell(pixels, from, stride, (int32_t)width, (int32_t)height, (int32_t)x + (move[0] >> 3) - 1,
                (int32_t)y + (move[1] >> 3) - 1);
    const int16_t *across = MOVIE_NAME(cubic)[2 * (move[0] & 7)], *down = MOVIE_NAME(cubic)[2 * (move[1] & 7)];
    for (int r = 0; r < CARRY_SIDE; r++)
        for (int i = 0; i < 12; i++)
            rows[r][i] = (int16_t)(pixels[r][i] * across[0] + pixels[r][i + 3] * across[1] + pixels[r][i + 6] * across[2] +
                                   pixels[r][i + 9] * across[3]);
    for (int r = 0; r < 4; r++)
        for (int i = 0; i < 12; i++) {
            const int32_t sum = rows[r][i] * down[0] + rows[r + 1][i] * down[1] + rows[r + 2][i] * down[2] +
                                rows[r + 3][i] * down[3];
            const int32_t level = (sum + 2048) >> 12, own = edited[(size_t)r * stride + (size_t)i];
            const int32_t low = own > farthest ? own - farthest : 0, high = own + farthest < 255 ? own + farthest : 255;
            to[(size_t)r * stride + (size_t)i] = (uint8_t)(level < low ? low : level > high ? high : level);
        }
}

void MOVIE_NAME(cell_carry)(uint8_t *to, const uint8_t *from, const uint8_t *edited, size_t stride, size_t width,
                            size_t height, const int16_t *moves, const uint8_t *weight, size_t columns, size_t row,
                            int farthest) {
    for (size_t column = 0; column < columns; column++) {
        const int16_t *move = moves + 2 * (row * columns + column);
        if (!(move[0] | move[1]) || !weight[row * columns + column]) continue;
        const size_t at = 4 * row * stride + 12 * column;
        carry_cell(to + at, from, edited + at, stride, width, height, move, 4 * column, 4 * row, farthest);
    }
}
