/* Floats to 8-bit levels, q = clamp(round(x * inverse + zero)), and what is computed on the way. `ld` counts bytes from
   one position of y to the next; x is packed. */

void MOVIE_NAME(quantize_u8)(uint8_t *y, size_t ld, const float *x, size_t rows, size_t channels, float inverse,
                             float zero) {
    if (ld == channels) {
        channels *= rows;
        rows = 1;
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++) y[r * ld + c] = movie_level(x[r * channels + c] * inverse + zero);
}

void MOVIE_NAME(dequantize_u8)(float *y, const uint8_t *x, size_t ld, size_t rows, size_t channels, float scale,
                               float zero) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++) y[r * channels + c] = ((float)x[r * ld + c] - zero) * scale;
}

void MOVIE_NAME(channel_affine_u8)(uint8_t *y, size_t ld, const float *x, size_t rows, size_t channels,
                                   const float *scale, const float *shift, movie_activation act, float inverse,
                                   float zero) {
    for (size_t r = 0; r < rows; r++) {
        const float *in = x + r * channels;
        uint8_t *out = y + r * ld;
#define LOOP(EXPR)                                       \
    for (size_t c = 0; c < channels; c++) {              \
        float v = in[c] * scale[c] + shift[c];           \
        out[c] = movie_level((EXPR) * inverse + zero);   \
    }
        MOVIE_FOR_ACTIVATION(act, LOOP)
#undef LOOP
    }
}

void MOVIE_NAME(layer_norm_u8)(uint8_t *y, size_t ld, const float *x, size_t rows, size_t channels, const float *gamma,
                               const float *beta, float eps, float inverse, float zero) {
    for (size_t r = 0; r < rows; r++) {
        const float *in = x + r * channels;
        uint8_t *out = y + r * ld;
        float mean, factor;
        movie_row_moments(in, channels, eps, &mean, &factor);
        for (size_t c = 0; c < channels; c++)
            out[c] = movie_level(((in[c] - mean) * factor * gamma[c] + beta[c]) * inverse + zero);
    }
}

void MOVIE_NAME(geglu_u8)(uint8_t *y, size_t ld, const float *x, size_t rows, size_t columns, float inverse, float zero) {
    for (size_t r = 0; r < rows; r++) {
        const float *value = x + r * 2 * columns, *gate = value + columns;
        uint8_t *out = y + r * ld;
        for (size_t c = 0; c < columns; c++) out[c] = movie_level(value[c] * movie_gelu(gate[c]) * inverse + zero);
    }
}

MOVIE_INLINE void movie_unshuffle_rgb(uint8_t *y, size_t ld, const uint8_t *x, size_t in_row, size_t width,
                                      const size_t block) {
    for (size_t column = 0; column < width; column++)
        for (size_t i = 0; i < block; i++)
            for (size_t j = 0; j < block; j++)
                for (size_t c = 0; c < 3; c++)
                    y[column * ld + (c * block + i) * block + j] = x[i * in_row + (column * block + j) * 3 + c];
}

MOVIE_INLINE void movie_shuffle_rgb(uint8_t *y, size_t out_row, const uint8_t *x, size_t ld, size_t width,
                                    const size_t block) {
    for (size_t column = 0; column < width; column++)
        for (size_t i = 0; i < block; i++)
            for (size_t j = 0; j < block; j++)
                for (size_t c = 0; c < 3; c++)
                    y[i * out_row + (column * block + j) * 3 + c] = x[column * ld + (c * block + i) * block + j];
}

/* The blocks of our own models are known when compiling, so that the inner loops unroll. */
void MOVIE_NAME(unshuffle_rgb_u8)(uint8_t *y, size_t ld, const uint8_t *x, size_t in_row, size_t width, size_t block) {
    if (block == 1) movie_unshuffle_rgb(y, ld, x, in_row, width, 1);
    else if (block == 2) movie_unshuffle_rgb(y, ld, x, in_row, width, 2);
    else movie_unshuffle_rgb(y, ld, x, in_row, width, block);
}

void MOVIE_NAME(shuffle_rgb_u8)(uint8_t *y, size_t out_row, const uint8_t *x, size_t ld, size_t width, size_t block) {
    if (block == 1) movie_shuffle_rgb(y, out_row, x, ld, width, 1);
    else if (block == 2) movie_shuffle_rgb(y, out_row, x, ld, width, 2);
    else movie_shuffle_rgb(y, out_row, x, ld, width, block);
}
