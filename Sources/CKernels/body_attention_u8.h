/* Integer attention: rows are quantized by their own largest magnitude, weights of the softmax to 0...255. */

/* 2^x for x <= 0, relative error under 2e-4: enough for 255 levels. */
MOVIE_INLINE float movie_exp2_coarse(float x) {
    x = x > -30.0f ? x : -30.0f;
    float n = __builtin_rintf(x), r = x - n;
    float p = ((0.0558f * r + 0.2402265f) * r + 0.6931472f) * r + 1.0f;
    int32_t bits = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

/* Each row of `columns` floats to signed levels around 128, and what a level is worth, times `factor`. */
void MOVIE_NAME(quantize_rows_u8)(uint8_t *y, size_t y_ld, float *scales, const float *x, size_t ld, size_t rows,
                                  size_t columns, float factor) {
    for (size_t r = 0; r < rows; r++) {
        const float *in = x + r * ld;
        float top = 0;
        for (size_t c = 0; c < columns; c++) {
            float a = in[c] < 0 ? -in[c] : in[c];
            top = a > top ? a : top;
        }
        float scale = top > 0 ? top / 127.0f : 1.0f, inverse = 1.0f / scale;
        for (size_t c = 0; c < columns; c++) y[r * y_ld + c] = movie_level(in[c] * inverse + 128.0f);
        for (size_t c = columns; c < y_ld; c++) y[r * y_ld + c] = 128;
        scales[r] = scale * factor;
    }
}

/* Softmax of scales[r] * scores[r, p, c] + ln(2) * shifts[p] over all parts p and columns c, to levels with 255 for the
   largest, zeros up to y_ld; 1 / their sum. `ld` and `y_ld` count from one part of a row to the next. */
void MOVIE_NAME(softmax_u8)(uint8_t *y, size_t y_ld, float *inverse_sums, const float *scores, size_t ld, size_t rows,
                            size_t columns, size_t parts, const float *scales, const float *shifts) {
    for (size_t r = 0; r < rows; r++) {
        float factor = scales[r] * 1.44269504f, tops[MOVIE_ATTENTION_PARTS], highest = -INFINITY;
        for (size_t p = 0; p < parts; p++) {
            const float *in = scores + (r * parts + p) * ld;
            float lanes[16];
            for (size_t j = 0; j < 16; j++) lanes[j] = in[0];
            size_t whole = columns / 16 * 16;
            for (size_t c = 0; c < whole; c += 16)
                for (size_t j = 0; j < 16; j++) lanes[j] = in[c + j] > lanes[j] ? in[c + j] : lanes[j];
            float top = lanes[0];
            for (size_t j = 1; j < 16; j++) top = lanes[j] > top ? lanes[j] : top;
            for (size_t c = whole; c < columns; c++) top = in[c] > top ? in[c] : top;
            tops[p] = top;
            float own = top * factor + shifts[p];
            highest = own > highest ? own : highest;
        }
        int32_t sum = 0;
        for (size_t p = 0; p < parts; p++) {
            const float *in = scores + (r * parts + p) * ld;
            uint8_t *out = y + (r * parts + p) * y_ld;
            float top = tops[p], shift = top * factor + shifts[p] - highest;
            for (size_t c = 0; c < columns; c++) {
                uint8_t level = movie_level(255.0f * movie_exp2_coarse((in[c] - top) * factor + shift));
                out[c] = level;
                sum += level;
            }
            for (size_t c = columns; c < y_ld; c++) out[c] = 0;
        }
        inverse_sums[r] = 1.0f / (float)sum;
    }
}
