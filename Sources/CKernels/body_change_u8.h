/* How much a row of cells, 8 x 8 pixels each, differs from what was kept of an earlier picture. */

/* Pixels whose columns are summed before they are added across. */
enum { MOVIE_CHANGE_CHUNK = 64 };

/* The sums of the 4 x 4 pixels of every block of a row, channel by channel. */
MOVIE_INLINE void movie_block_sums(uint16_t *sums, const uint8_t *rgb, size_t stride, size_t blocks) {
    uint16_t columns[3 * MOVIE_CHANGE_CHUNK];
    for (size_t first = 0; first < blocks; first += MOVIE_CHANGE_CHUNK / 4) {
        size_t count = blocks - first < MOVIE_CHANGE_CHUNK / 4 ? blocks - first : MOVIE_CHANGE_CHUNK / 4;
        const uint8_t *in = rgb + 12 * first;
        for (size_t i = 0; i < 12 * count; i++)
            columns[i] = (uint16_t)(in[i] + in[stride + i] + in[2 * stride + i] + in[3 * stride + i]);
        uint16_t *out = sums + 3 * first;
        for (size_t b = 0; b < count; b++)
            for (size_t c = 0; c < 3; c++)
                out[3 * b + c] = (uint16_t)(columns[12 * b + c] + columns[12 * b + 3 + c] + columns[12 * b + 6 + c] +
                                            columns[12 * b + 9 + c]);
    }
}

MOVIE_INLINE int movie_magnitude(int v) { return v < 0 ? -v : v; }

void MOVIE_NAME(change_u8)(uint16_t *measures, int32_t *drifts, uint16_t *sums, const uint16_t *reference,
                           const uint8_t *rgb, size_t stride, size_t blocks, size_t rows) {
    size_t cells = (blocks + 1) / 2;
    for (size_t row = 0; row < rows; row++)
        movie_block_sums(sums + row * 3 * blocks, rgb + 4 * row * stride, stride, blocks);
    for (size_t cell = 0; cell < cells; cell++) {
        int most = 0, drift = 0;
        size_t last = 2 * cell + 2 < blocks ? 2 * cell + 2 : blocks;
        for (size_t row = 0; row < rows; row++)
            for (size_t block = 2 * cell; block < last; block++) {
                const uint16_t *now = sums + 3 * (row * blocks + block), *then = reference + 3 * (row * blocks + block);
                int r = now[0] - then[0], g = now[1] - then[1], b = now[2] - then[2];
                int size = movie_magnitude(r) + 2 * movie_magnitude(g) + movie_magnitude(b);
                most = size > most ? size : most;
                drift += r + 2 * g + b;
            }
        measures[cell] = (uint16_t)(most < 65535 ? most : 65535);
        drifts[cell] = drift;
    }
}
