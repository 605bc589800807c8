/* The specification of the integer tile: what every faster one must give, bit for bit. */

MOVIE_INLINE void movie_conv_tile_scalar(const movie_conv_tile *t, size_t panel) {
    for (size_t p = 0; p < t->positions; p++) {
        int32_t sums[64];
        memcpy(sums, t->start, panel * sizeof *sums);
        const int8_t *weights = t->weights;
        for (size_t tap = 0; tap < t->tap_count; tap++) {
            const uint8_t *row = t->rows[p] + t->taps[tap];
            for (size_t d = 0; d < t->depth; d += 4, weights += 4 * panel)
                for (size_t c = 0; c < panel; c++)
                    for (size_t i = 0; i < 4; i++) sums[c] += (int32_t)row[d + i] * weights[4 * c + i];
        }
        for (size_t c = 0; c < t->channels; c++) {
            float v = __builtin_fmaf((float)sums[c], t->scale[c], t->bias[c]);
            if (t->residual_kind == MOVIE_U8)
                v = __builtin_fmaf((float)((const uint8_t *)t->residual[p])[c], t->residual_scale, v);
            if (t->residual_kind == MOVIE_F32)
                v = __builtin_fmaf(((const float *)t->residual[p])[c], t->residual_scale, v);
            v = v > t->low ? v : t->low;
            if (t->out_kind == MOVIE_U8) ((uint8_t *)t->out[p])[c] = movie_level(v);
            else ((float *)t->out[p])[c] = v;
        }
    }
}

void MOVIE_NAME(conv_tile_16)(const movie_conv_tile *t) { movie_conv_tile_scalar(t, 16); }
void MOVIE_NAME(conv_tile_32)(const movie_conv_tile *t) { movie_conv_tile_scalar(t, 32); }
void MOVIE_NAME(conv_tile_48)(const movie_conv_tile *t) { movie_conv_tile_scalar(t, 48); }
void MOVIE_NAME(conv_tile_64)(const movie_conv_tile *t) { movie_conv_tile_scalar(t, 64); }

void MOVIE_NAME(peak_u8s8)(size_t rounds) {
    volatile int32_t sum = 0;
    int32_t total = 0;
    for (size_t r = 0; r < rounds; r++) total += (int32_t)(r & 255) * (int8_t)r;
    sum = total;
    (void)sum;
}
