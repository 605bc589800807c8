void MOVIE_NAME(patches_f32)(float *matrix, const float *x, const movie_patches *s, size_t first, size_t last) {
    size_t channels = s->channels, row_bytes = channels * sizeof(float);
    for (size_t position = first; position < last; position++) {
        ptrdiff_t top = (ptrdiff_t)(position / s->out_width * s->stride) - (ptrdiff_t)s->pad_top;
        ptrdiff_t left = (ptrdiff_t)(position % s->out_width * s->stride) - (ptrdiff_t)s->pad_left;
        for (size_t ky = 0; ky < s->kernel; ky++) {
            ptrdiff_t row = top + (ptrdiff_t)ky;
            if (row < 0 || row >= (ptrdiff_t)s->height) {
                memset(matrix, 0, s->kernel * row_bytes);
                matrix += s->kernel * channels;
                continue;
            }
            const float *line = x + (size_t)row * s->width * channels;
            if (left >= 0 && left + (ptrdiff_t)s->kernel <= (ptrdiff_t)s->width) {
                memcpy(matrix, line + (size_t)left * channels, s->kernel * row_bytes);
                matrix += s->kernel * channels;
                continue;
            }
            for (size_t kx = 0; kx < s->kernel; kx++, matrix += channels) {
                ptrdiff_t column = left + (ptrdiff_t)kx;
                if (column < 0 || column >= (ptrdiff_t)s->width) memset(matrix, 0, row_bytes);
                else memcpy(matrix, line + (size_t)column * channels, row_bytes);
            }
        }
    }
}

void MOVIE_NAME(resize_nearest_f32)(float *y, const float *x, size_t in_height, size_t in_width, size_t out_height,
                              size_t out_width, size_t channels, size_t first_row, size_t last_row) {
    /* As torch computes it: the ratio in float, then floor. */
    float row_ratio = (float)in_height / (float)out_height, column_ratio = (float)in_width / (float)out_width;
    for (size_t row = first_row; row < last_row; row++) {
        size_t from = (size_t)((float)row * row_ratio);
        from = from < in_height ? from : in_height - 1;
        const float *line = x + from * in_width * channels;
        float *out = y + row * out_width * channels;
        for (size_t column = 0; column < out_width; column++, out += channels) {
            size_t source = (size_t)((float)column * column_ratio);
            source = source < in_width ? source : in_width - 1;
            memcpy(out, line + source * channels, channels * sizeof(float));
        }
    }
}

void MOVIE_NAME(unshuffle_f32)(float *y, const float *x, size_t height, size_t width, size_t channels, size_t block) {
    size_t wide = width * block;
    for (size_t row = 0; row < height; row++)
        for (size_t column = 0; column < width; column++)
            for (size_t c = 0; c < channels; c++)
                for (size_t i = 0; i < block; i++)
                    for (size_t j = 0; j < block; j++)
                        *y++ = x[((row * block + i) * wide + column * block + j) * channels + c];
}

void MOVIE_NAME(shuffle_f32)(float *y, const float *x, size_t height, size_t width, size_t channels, size_t block) {
    size_t wide = width * block;
    for (size_t row = 0; row < height; row++)
        for (size_t column = 0; column < width; column++)
            for (size_t c = 0; c < channels; c++)
                for (size_t i = 0; i < block; i++)
                    for (size_t j = 0; j < block; j++)
                        y[((row * block + i) * wide + column * block + j) * channels + c] = *x++;
}
