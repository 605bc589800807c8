/* The integer tile on AVX-512 VNNI. The sums of M positions by 16 * N channels stay in registers; every 4 bytes of a
   position are broadcast against 16 * N channels of 4 weights. */

#define MOVIE_UNROLL _Pragma("clang loop unroll(full)")

MOVIE_INLINE __m512 movie_residual_16(const void *residual, size_t c, __mmask16 mask, int kind) {
    if (kind == MOVIE_F32) return _mm512_maskz_loadu_ps(mask, (const float *)residual + c);
    __m128i levels = _mm_maskz_loadu_epi8(mask, (const uint8_t *)residual + c);
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(levels));
}

/* The end of a tile, channels c ... c + 15. What the tile says is read once: a store of bytes might change it, for all
   the compiler knows. */
MOVIE_INLINE void movie_finish_16(const movie_conv_tile *t, const __m512i *sums, const int M, const int N, const int n,
                                  __mmask16 mask, const int residual_kind, const int out_kind) {
    const size_t c = 16 * (size_t)n;
    const __m512 scale = _mm512_loadu_ps(t->scale + c), bias = _mm512_loadu_ps(t->bias + c);
    const __m512 low = _mm512_set1_ps(t->low), residual_scale = _mm512_set1_ps(t->residual_scale);
    const size_t positions = t->positions;
    MOVIE_UNROLL for (int p = 0; p < M; p++) {
        if ((size_t)p >= positions) return;
        __m512 v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[p * N + n]), scale, bias);
        if (residual_kind != MOVIE_NONE)
            v = _mm512_fmadd_ps(movie_residual_16(t->residual[p], c, mask, residual_kind), residual_scale, v);
        v = _mm512_max_ps(v, low); /* the second operand where v is NaN, as the specification */
        if (out_kind == MOVIE_F32)
            _mm512_mask_storeu_ps((float *)t->out[p] + c, mask, v);
        else /* v >= low >= 0 */
            _mm_mask_storeu_epi8((uint8_t *)t->out[p] + c, mask, _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(v)));
    }
}

#define MOVIE_FINISH(RESIDUAL, OUT) \
    MOVIE_UNROLL for (int n = 0; n < N; n++) movie_finish_16(t, &sums[0][0], M, N, n, masks[n], RESIDUAL, OUT)

MOVIE_INLINE void movie_conv_tile_512(const movie_conv_tile *t, const int M, const int N) {
    __m512i sums[M][N];
    MOVIE_UNROLL for (int p = 0; p < M; p++)
        MOVIE_UNROLL for (int n = 0; n < N; n++) sums[p][n] = _mm512_loadu_si512(t->start + 16 * n);
    const int8_t *weights = t->weights;
    for (size_t tap = 0; tap < t->tap_count; tap++) {
        const uint8_t *rows[16];
        MOVIE_UNROLL for (int p = 0; p < M; p++) rows[p] = t->rows[p] + t->taps[tap];
        for (size_t d = 0; d < t->depth; d += 4, weights += 64 * N) {
            __m512i panel[4];
            MOVIE_UNROLL for (int n = 0; n < N; n++) panel[n] = _mm512_loadu_si512(weights + 64 * n);
            MOVIE_UNROLL for (int p = 0; p < M; p++) {
                int32_t four;
                memcpy(&four, rows[p] + d, 4);
                __m512i levels = _mm512_set1_epi32(four);
                MOVIE_UNROLL for (int n = 0; n < N; n++)
                    sums[p][n] = _mm512_dpbusd_epi32(sums[p][n], levels, panel[n]);
            }
        }
    }
    __mmask16 masks[4];
    MOVIE_UNROLL for (int n = 0; n < N; n++) {
        ptrdiff_t left = (ptrdiff_t)t->channels - 16 * n;
        masks[n] = left >= 16 ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
    }
    int residual_kind = t->residual_kind, out_kind = t->out_kind;
    if (out_kind == MOVIE_U8) {
        if (residual_kind == MOVIE_NONE) { MOVIE_FINISH(MOVIE_NONE, MOVIE_U8); }
        else if (residual_kind == MOVIE_U8) { MOVIE_FINISH(MOVIE_U8, MOVIE_U8); }
        else { MOVIE_FINISH(MOVIE_F32, MOVIE_U8); }
    } else {
        if (residual_kind == MOVIE_NONE) { MOVIE_FINISH(MOVIE_NONE, MOVIE_F32); }
        else if (residual_kind == MOVIE_U8) { MOVIE_FINISH(MOVIE_U8, MOVIE_F32); }
        else { MOVIE_FINISH(MOVIE_F32, MOVIE_F32); }
    }
}

void MOVIE_NAME(conv_tile_16)(const movie_conv_tile *t) { movie_conv_tile_512(t, 16, 1); }
void MOVIE_NAME(conv_tile_32)(const movie_conv_tile *t) { movie_conv_tile_512(t, 12, 2); }
void MOVIE_NAME(conv_tile_48)(const movie_conv_tile *t) { movie_conv_tile_512(t, 8, 3); }
void MOVIE_NAME(conv_tile_64)(const movie_conv_tile *t) { movie_conv_tile_512(t, 6, 4); }

void MOVIE_NAME(peak_u8s8)(size_t rounds) {
    __m512i sums[16], levels = _mm512_set1_epi32((int)rounds), weights = _mm512_set1_epi32(3);
    for (int i = 0; i < 16; i++) sums[i] = levels;
    for (size_t r = 0; r < rounds; r++) {
        MOVIE_UNROLL for (int i = 0; i < 16; i++) sums[i] = _mm512_dpbusd_epi32(sums[i], levels, weights);
        MOVIE_UNROLL for (int i = 0; i < 16; i++) __asm__ volatile("" : "+v"(sums[i]));
    }
}
