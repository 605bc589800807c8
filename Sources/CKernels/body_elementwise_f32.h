void MOVIE_NAME(epilogue_f32)(float *x, size_t rows, size_t columns, size_t ld, const float *bias, const float *residual,
                        size_t residual_ld, movie_activation act, int after) {
    for (size_t r = 0; r < rows; r++) {
        float *row = x + r * ld;
        const float *other = residual ? residual + r * residual_ld : NULL;
        if (bias) for (size_t c = 0; c < columns; c++) row[c] += bias[c];
        if (other && after) for (size_t c = 0; c < columns; c++) row[c] += other[c];
#define LOOP(EXPR) for (size_t c = 0; c < columns; c++) { float v = row[c]; row[c] = EXPR; }
        if (act != MOVIE_IDENTITY) MOVIE_FOR_ACTIVATION(act, LOOP)
#undef LOOP
        if (other && !after) for (size_t c = 0; c < columns; c++) row[c] += other[c];
    }
}

void MOVIE_NAME(activate_f32)(float *y, const float *x, size_t n, movie_activation act) {
#define LOOP(EXPR) for (size_t i = 0; i < n; i++) { float v = x[i]; y[i] = EXPR; }
    MOVIE_FOR_ACTIVATION(act, LOOP)
#undef LOOP
}

void MOVIE_NAME(add_f32)(float *y, const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

void MOVIE_NAME(affine_f32)(float *y, const float *x, size_t n, float scale, float shift) {
    for (size_t i = 0; i < n; i++) y[i] = x[i] * scale + shift;
}

void MOVIE_NAME(channel_affine_f32)(float *y, const float *x, size_t rows, size_t channels, const float *scale,
                              const float *shift, movie_activation act) {
    for (size_t r = 0; r < rows; r++) {
        const float *in = x + r * channels;
        float *out = y + r * channels;
#define LOOP(EXPR) for (size_t c = 0; c < channels; c++) { float v = in[c] * scale[c] + shift[c]; out[c] = EXPR; }
        MOVIE_FOR_ACTIVATION(act, LOOP)
#undef LOOP
    }
}

void MOVIE_NAME(geglu_f32)(float *y, const float *x, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++) {
        const float *value = x + r * 2 * columns, *gate = value + columns;
        float *out = y + r * columns;
        for (size_t c = 0; c < columns; c++) out[c] = value[c] * movie_gelu(gate[c]);
    }
}

void MOVIE_NAME(pixels_to_f32)(float *y, const uint8_t *x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = (float)x[i] * (1.0f / 127.5f) - 1.0f;
}

void MOVIE_NAME(pixels_from_f32)(uint8_t *y, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float v = x[i] * 127.5f + 127.5f;
        v = v > 0.0f ? v : 0.0f; /* a NaN becomes 0 here */
        v = v < 255.0f ? v : 255.0f;
        y[i] = (uint8_t)(int32_t)(v + 0.5f);
    }
}
