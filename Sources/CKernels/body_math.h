/* What the kernels share; included once for every instruction set, inside its target attribute. Contraction is off: the
   same operations in the same order give the same bits on every processor. */

/* exp(x), relative error under 2e-7, without a branch: 2^n * p(r) with r in [-ln 2 / 2, ln 2 / 2]. */
MOVIE_INLINE float movie_exp(float x) {
    x = x > 88.0f ? 88.0f : x;
    x = x < -87.0f ? -87.0f : x;
    float n = __builtin_rintf(x * 1.44269504f);
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    int32_t bits = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

MOVIE_INLINE float movie_sigmoid(float x) { return 1.0f / (1.0f + movie_exp(-x)); }

MOVIE_INLINE float movie_tanh(float x) {
    /* Near zero 1 - 2 / (e^2x + 1) cancels: a short series is exact there. */
    float x2 = x * x;
    float series = x * (1.0f + x2 * (-0.333333333f + x2 * (0.133333333f - x2 * 0.053968254f)));
    float exact = 1.0f - 2.0f / (movie_exp(2.0f * x) + 1.0f);
    return x2 < 0.01f ? series : exact;
}

/* erf(x), absolute error under 1.5e-7 (Abramowitz and Stegun 7.1.26). */
MOVIE_INLINE float movie_erf(float x) {
    float a = __builtin_fabsf(x);
    float t = 1.0f / (1.0f + 0.3275911f * a);
    float p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
    float y = 1.0f - p * movie_exp(-a * a);
    return x < 0 ? -y : y;
}

MOVIE_INLINE float movie_gelu(float x) { return 0.5f * x * (1.0f + movie_erf(x * 0.70710678f)); }

MOVIE_INLINE float movie_mish(float x) {
    /* tanh(ln(1 + e^x)) = ((1 + e)^2 - 1) / ((1 + e)^2 + 1). */
    float e = movie_exp(x > 20.0f ? 20.0f : x);
    float s = e * (e + 2.0f);
    return x * (s / (s + 2.0f));
}

/* Applies ACT, an expression in `v`, for the activation `act`; the branch stays outside the loop. */
#define MOVIE_FOR_ACTIVATION(act, LOOP)                  \
    switch (act) {                                       \
    case MOVIE_RELU: LOOP(v > 0.0f ? v : 0.0f); break;   \
    case MOVIE_SILU: LOOP(v * movie_sigmoid(v)); break;  \
    case MOVIE_GELU: LOOP(movie_gelu(v)); break;         \
    case MOVIE_QUICK_GELU: LOOP(v * movie_sigmoid(1.702f * v)); break; \
    case MOVIE_MISH: LOOP(movie_mish(v)); break;         \
    case MOVIE_TANH: LOOP(movie_tanh(v)); break;         \
    default: LOOP(v); break;                             \
    }

/* Nearest 8-bit level, halves to even, clamped; NaN becomes 0. Adding 1.5 * 2^23 leaves the integer in the low bits. */
MOVIE_INLINE uint8_t movie_level(float v) {
    v = v > 0.0f ? v : 0.0f;
    v = v < 255.0f ? v : 255.0f;
    float shifted = v + 12582912.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return (uint8_t)bits;
}
