/* What the stabilizer of flicker computes: brightness in cells, where it changed, and the blend with the last output. */

/* Sums of brightness over 4 x 4 pixels of packed RGB, `count` cells in a row, 0...4080. */
void MOVIE_NAME(luma_cells_u16)(uint16_t *cells, const uint8_t *rgb, size_t stride, size_t count) {
    enum { BLOCK = 64 };
    const uint8_t *r0 = rgb, *r1 = rgb + stride, *r2 = rgb + 2 * stride, *r3 = rgb + 3 * stride;
    for (size_t first = 0; first < count; first += BLOCK) {
        size_t n = count - first < BLOCK ? count - first : BLOCK, at = first * 12;
        uint16_t sums[BLOCK * 12];
        for (size_t i = 0; i < n * 12; i++)
            sums[i] = (uint16_t)(r0[at + i] + r1[at + i] + r2[at + i] + r3[at + i]);
        for (size_t c = 0; c < n; c++) {
            const uint16_t *s = sums + c * 12;
            uint32_t red = (uint32_t)s[0] + s[3] + s[6] + s[9], green = (uint32_t)s[1] + s[4] + s[7] + s[10];
            uint32_t blue = (uint32_t)s[2] + s[5] + s[8] + s[11];
            cells[first + c] = (uint16_t)((77 * red + 150 * green + 29 * blue) >> 8);
        }
    }
}

/* change[c] = |sum over 3 x 3 of (now - then)|: rows above, at and below; at both ends the outermost column counts twice. */
void MOVIE_NAME(cell_change_u16)(uint16_t *change, const uint16_t *now_above, const uint16_t *now,
                                 const uint16_t *now_below, const uint16_t *then_above, const uint16_t *then,
                                 const uint16_t *then_below, size_t count) {
    for (size_t c = 0; c < count; c++) {
        size_t left = c > 0 ? c - 1 : 0, right = c + 1 < count ? c + 1 : c;
        int32_t sum = now_above[left] + now_above[c] + now_above[right] + now[left] + now[c] + now[right] +
                      now_below[left] + now_below[c] + now_below[right];
        sum -= then_above[left] + then_above[c] + then_above[right] + then[left] + then[c] + then[right] +
               then_below[left] + then_below[c] + then_below[right];
        change[c] = (uint16_t)(sum < 0 ? -sum : sum);
    }
}

/* weight[c] = clamp((high - largest change among 3 x 3) * slope, 0, most): how much of the last output stays. */
void MOVIE_NAME(cell_weights_u8)(uint8_t *weight, const uint16_t *above, const uint16_t *own, const uint16_t *below,
                                 size_t count, float high, float slope, float most) {
    for (size_t c = 0; c < count; c++) {
        size_t left = c > 0 ? c - 1 : 0, right = c + 1 < count ? c + 1 : c;
        uint16_t top = 0;
        const uint16_t near[9] = {above[left], above[c], above[right], own[left], own[c], own[right],
                                  below[left], below[c], below[right]};
        for (int i = 0; i < 9; i++) top = near[i] > top ? near[i] : top;
        float v = (high - (float)top) * slope;
        weight[c] = movie_level(v < most ? v : most);
    }
}

/* then += (now - then) * (256 - weight) / 256: the brightness that the last output belongs to. */
void MOVIE_NAME(cell_follow_u16)(uint16_t *then, const uint16_t *now, const uint8_t *weight, size_t count) {
    for (size_t c = 0; c < count; c++)
        then[c] = (uint16_t)(now[c] + (((int32_t)then[c] - now[c]) * weight[c]) / 256);
}

/* Weights of cells to weights of the bytes of one row of pixels, 12 a cell, interpolated between the middles of cells:
   `near` is the row of cells that the pixels lie in, `far` the next one, which counts `share` eighths. Never more than the
   pixel's own cell has: in a cell of 0 nothing old shows. */
void MOVIE_NAME(spread_weights_u8)(uint8_t *spread, const uint8_t *near, const uint8_t *far, unsigned share, size_t count) {
    for (size_t c = 0; c < count; c++) {
        size_t left = c > 0 ? c - 1 : 0, right = c + 1 < count ? c + 1 : c;
        unsigned before = near[left] * (8 - share) + far[left] * share, own = near[c] * (8 - share) + far[c] * share;
        unsigned after = near[right] * (8 - share) + far[right] * share;
        uint8_t pixels[4] = {(uint8_t)((own * 5 + before * 3) >> 6), (uint8_t)((own * 7 + before) >> 6),
                             (uint8_t)((own * 7 + after) >> 6), (uint8_t)((own * 5 + after * 3) >> 6)};
        for (size_t i = 0; i < 4; i++) pixels[i] = pixels[i] < near[c] ? pixels[i] : near[c];
        for (size_t i = 0; i < 12; i++) spread[c * 12 + i] = pixels[i / 3];
    }
}

/* last = edited + (last - edited) * weight / 256 for n bytes, each with a weight of its own. Rounded towards edited, so that a still
   picture is reached; with `keeps`, a difference of one level stays where the weight is half or more: noise that turns
   single bits on and off does not show. */
void MOVIE_NAME(stabilize_u8)(uint8_t *last, const uint8_t *edited, const uint8_t *weight, size_t n, int keeps) {
    const uint16_t most = keeps ? 127 : 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t e = edited[i], l = last[i];
        uint8_t distance = e > l ? (uint8_t)(e - l) : (uint8_t)(l - e);
        uint16_t left = (uint16_t)(256 - weight[i]);
        uint16_t rounding = left < most ? left : most;
        uint8_t step = (uint8_t)((uint16_t)((uint16_t)distance * weight[i] + rounding) >> 8);
        last[i] = e > l ? (uint8_t)(e - step) : (uint8_t)(e + step);
    }
}
