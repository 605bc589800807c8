/* The integer tile on AVX2. vpmaddubsw would saturate, so bytes are widened and multiplied with vpmaddwd, which is exact;
   a channel's sum lives in two lanes, which are added at the end. Panels are worked off 8 channels at a time. */

MOVIE_INLINE __m256 movie_residual_8(const movie_conv_tile *t, size_t p, size_t c, size_t left) {
    if (t->residual_kind == MOVIE_F32) {
        float numbers[8] = {0};
        memcpy(numbers, (const float *)t->residual[p] + c, left * sizeof(float));
        return _mm256_loadu_ps(numbers);
    }
    uint64_t levels = 0;
    memcpy(&levels, (const uint8_t *)t->residual[p] + c, left);
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)levels)));
}

MOVIE_INLINE void movie_finish_8(const movie_conv_tile *t, size_t p, size_t c, __m256i sums) {
    size_t left = t->channels - c < 8 ? t->channels - c : 8;
    __m256 v = _mm256_fmadd_ps(
        _mm256_cvtepi32_ps(sums), _mm256_loadu_ps(t->scale + c), _mm256_loadu_ps(t->bias + c));
    if (t->residual_kind != MOVIE_NONE)
        v = _mm256_fmadd_ps(movie_residual_8(t, p, c, left), _mm256_set1_ps(t->residual_scale), v);
    v = _mm256_max_ps(v, _mm256_set1_ps(t->low));
    if (t->out_kind == MOVIE_F32) {
        float numbers[8];
        _mm256_storeu_ps(numbers, v);
        memcpy((float *)t->out[p] + c, numbers, left * sizeof(float));
        return;
    }
    __m256i whole = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(v, _mm256_setzero_ps()), _mm256_set1_ps(255.0f)));
    __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    uint64_t levels = (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(words, words));
    memcpy((uint8_t *)t->out[p] + c, &levels, left);
}

MOVIE_INLINE void movie_conv_tile_256(const movie_conv_tile *t, size_t panel) {
    enum { M = 4 };
    for (size_t c = 0; c < panel && c < t->channels; c += 8) {
        __m256i low[M], high[M]; /* channels c ... c + 3 and c + 4 ... c + 7, two lanes each */
        for (int p = 0; p < M; p++) low[p] = high[p] = _mm256_setzero_si256();
        const int8_t *weights = t->weights + 4 * c;
        for (size_t tap = 0; tap < t->tap_count; tap++) {
            for (size_t d = 0; d < t->depth; d += 4, weights += 4 * panel) {
                __m256i packed = _mm256_loadu_si256((const __m256i *)weights);
                __m256i first = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(packed));
                __m256i second = _mm256_cvtepi8_epi16(_mm256_extracti128_si256(packed, 1));
                for (int p = 0; p < M; p++) {
                    int32_t four;
                    memcpy(&four, t->rows[p] + t->taps[tap] + d, 4);
                    __m256i levels = _mm256_cvtepu8_epi16(_mm_set1_epi32(four));
                    low[p] = _mm256_add_epi32(low[p], _mm256_madd_epi16(levels, first));
                    high[p] = _mm256_add_epi32(high[p], _mm256_madd_epi16(levels, second));
                }
            }
        }
        __m256i start = _mm256_loadu_si256((const __m256i *)(t->start + c));
        /* Unrolled, so that no sum is indexed by a variable: else all of them are stored to memory at every step. */
#pragma clang loop unroll(full)
        for (int p = 0; p < M; p++) {
            if ((size_t)p >= t->positions) break;
            __m256i pairs = _mm256_permute4x64_epi64(_mm256_hadd_epi32(low[p], high[p]), 0xd8);
            movie_finish_8(t, p, c, _mm256_add_epi32(start, pairs));
        }
    }
}

void MOVIE_NAME(conv_tile_16)(const movie_conv_tile *t) { movie_conv_tile_256(t, 16); }
void MOVIE_NAME(conv_tile_32)(const movie_conv_tile *t) { movie_conv_tile_256(t, 32); }
void MOVIE_NAME(conv_tile_48)(const movie_conv_tile *t) { movie_conv_tile_256(t, 48); }
void MOVIE_NAME(conv_tile_64)(const movie_conv_tile *t) { movie_conv_tile_256(t, 64); }

void MOVIE_NAME(peak_u8s8)(size_t rounds) {
    __m256i sums[8], levels = _mm256_set1_epi32((int)rounds), weights = _mm256_set1_epi32(3);
    for (int i = 0; i < 8; i++) sums[i] = levels;
    for (size_t r = 0; r < rounds; r++)
        for (int i = 0; i < 8; i++) {
            sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(levels, weights));
            __asm__ volatile("" : "+x"(sums[i]));
        }
}
