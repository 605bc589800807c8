/* Positions whose float sums are added to the doubles at once: few enough that float rounding stays under 1e-6. They
   are sums of differences to the block's first row: a mean far from zero would drown the deviations in x * x. */
enum { MOVIE_SUM_BLOCK = 64, MOVIE_SUM_CHANNELS = 256 };

void MOVIE_NAME(channel_sums_f32)(const float *x, size_t rows, size_t channels, double *sums, double *squares) {
    float s[MOVIE_SUM_CHANNELS], q[MOVIE_SUM_CHANNELS];
    for (size_t base = 0; base < channels; base += MOVIE_SUM_CHANNELS) {
        size_t n = channels - base < MOVIE_SUM_CHANNELS ? channels - base : MOVIE_SUM_CHANNELS;
        for (size_t first = 0; first < rows; first += MOVIE_SUM_BLOCK) {
            size_t last = first + MOVIE_SUM_BLOCK < rows ? first + MOVIE_SUM_BLOCK : rows;
            const float *origin = x + first * channels + base;
            memset(s, 0, n * sizeof *s);
            memset(q, 0, n * sizeof *q);
            for (size_t r = first; r < last; r++) {
                const float *row = x + r * channels + base;
                for (size_t c = 0; c < n; c++) {
                    float d = row[c] - origin[c];
                    s[c] += d;
                    q[c] += d * d;
                }
            }
            double count = (double)(last - first);
            for (size_t c = 0; c < n; c++) {
                double o = origin[c];
                sums[base + c] += s[c] + count * o;
                squares[base + c] += q[c] + o * (2 * s[c] + count * o);
            }
        }
    }
}

/* Mean of a row and 1 / sqrt(variance + eps), summed in 16 lanes: as fast on wide registers as it is exact enough. */
MOVIE_INLINE void movie_row_moments(const float *x, size_t n, float eps, float *mean, float *factor) {
    float lanes[16] = {0};
    size_t whole = n / 16 * 16;
    for (size_t i = 0; i < whole; i += 16)
        for (size_t j = 0; j < 16; j++) lanes[j] += x[i + j];
    double sum = 0;
    for (size_t j = 0; j < 16; j++) sum += lanes[j];
    for (size_t i = whole; i < n; i++) sum += x[i];
    float middle = (float)(sum / (double)n);
    memset(lanes, 0, sizeof lanes);
    for (size_t i = 0; i < whole; i += 16)
        for (size_t j = 0; j < 16; j++) {
            float d = x[i + j] - middle;
            lanes[j] += d * d;
        }
    double square = 0;
    for (size_t j = 0; j < 16; j++) square += lanes[j];
    for (size_t i = whole; i < n; i++) square += (x[i] - middle) * (x[i] - middle);
    *mean = middle;
    *factor = 1.0f / sqrtf((float)(square / (double)n) + eps);
}

void MOVIE_NAME(layer_norm_f32)(float *y, const float *x, size_t rows, size_t channels, const float *gamma,
                                const float *beta, float eps) {
    for (size_t r = 0; r < rows; r++) {
        const float *in = x + r * channels;
        float *out = y + r * channels;
        float mean, factor;
        movie_row_moments(in, channels, eps, &mean, &factor);
        for (size_t c = 0; c < channels; c++) out[c] = (in[c] - mean) * factor * gamma[c] + beta[c];
    }
}

void MOVIE_NAME(softmax_f32)(float *scores, size_t rows, size_t columns, size_t ld, float scale, ptrdiff_t causal) {
    for (size_t r = 0; r < rows; r++) {
        float *row = scores + r * ld;
        size_t kept = columns;
        if (causal >= 0 && (size_t)causal + r + 1 < columns) kept = (size_t)causal + r + 1;
        float top = row[0];
        for (size_t c = 1; c < kept; c++) top = row[c] > top ? row[c] : top;
        for (size_t c = 0; c < kept; c++) row[c] = movie_exp((row[c] - top) * scale);
        double sum = 0;
        for (size_t c = 0; c < kept; c++) sum += row[c];
        float factor = (float)(1.0 / sum);
        for (size_t c = 0; c < kept; c++) row[c] *= factor;
        for (size_t c = kept; c < columns; c++) row[c] = 0;
    }
}
