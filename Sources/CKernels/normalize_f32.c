#include "f32.h"

/* Positions whose float sums are added to the doubles at once: few enough that float rounding stays under 1e-6. They
   are sums of differences to the block's first row: a mean far from zero would drown the deviations in x * x. */
enum { MOVIE_SUM_BLOCK = 64, MOVIE_SUM_CHANNELS = 256 };

MOVIE_CLONES
void movie_channel_sums_f32(const float *x, size_t rows, size_t channels, double *sums, double *squares) {
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

MOVIE_CLONES
void movie_layer_norm_f32(float *y, const float *x, size_t rows, size_t channels, const float *gamma, const float *beta,
                          float eps) {
    for (size_t r = 0; r < rows; r++) {
        const float *in = x + r * channels;
        float *out = y + r * channels;
        double sum = 0, square = 0;
        for (size_t c = 0; c < channels; c++) sum += in[c];
        float mean = (float)(sum / (double)channels);
        for (size_t c = 0; c < channels; c++) square += (double)((in[c] - mean) * (in[c] - mean));
        float factor = 1.0f / sqrtf((float)(square / (double)channels) + eps);
        for (size_t c = 0; c < channels; c++) out[c] = (in[c] - mean) * factor * gamma[c] + beta[c];
    }
}

MOVIE_CLONES
void movie_softmax_f32(float *scores, size_t rows, size_t columns, size_t ld, float scale, ptrdiff_t causal) {
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
