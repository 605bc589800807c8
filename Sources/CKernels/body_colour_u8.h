/* Between pixel formats and packed RGB: integers throughout, in plain loops that the compiler turns into vectors. */

/* The fourth byte of a word. */
#define FOURTH 0xFF000000u
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define WORD_TO_LITTLE(word) __builtin_bswap32(word)
#else
#define WORD_TO_LITTLE(word) (word)
#endif

/* Does `statement` for every block of a row: n pixels from x on. A whole block is a case of its own, whose loops have a
   length that the compiler knows. */
#define FOR_BLOCKS(width, statement)                                                                                   \
    do {                                                                                                               \
        size_t x = 0;                                                                                                  \
        for (; x + BLOCK <= (width); x += BLOCK) {                                                                     \
            const size_t n = BLOCK;                                                                                    \
            statement;                                                                                                 \
        }                                                                                                              \
        if (x < (width)) {                                                                                             \
            const size_t n = (width)-x;                                                                                \
            statement;                                                                                                 \
        }                                                                                                              \
    } while (0)

/* Pixels worked on at a time, in planes on the stack. */
enum { BLOCK = 64 };

typedef struct {
    uint8_t r[BLOCK], g[BLOCK], b[BLOCK];
} rgb_block;

MOVIE_INLINE uint8_t clamp_u8(int32_t value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

/* Planes to packed RGB, and back. */
MOVIE_INLINE void pack(uint8_t *to, const rgb_block *from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        to[i * 3] = from->r[i];
        to[i * 3 + 1] = from->g[i];
        to[i * 3 + 2] = from->b[i];
    }
}

MOVIE_INLINE void unpack(rgb_block *to, const uint8_t *from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        to->r[i] = from[i * 3];
        to->g[i] = from[i * 3 + 1];
        to->b[i] = from[i * 3 + 2];
    }
}

/* n pixels from their samples, chroma less 128. */
MOVIE_INLINE void samples_to_rgb(uint8_t *rgb, const uint8_t *y, const int32_t *u, const int32_t *v, size_t n,
                           const movie_yuv *c) {
    rgb_block block;
    for (size_t i = 0; i < n; i++) {
        const int32_t base = (y[i] - c->y_offset) * c->y_gain + 32768;
        block.r[i] = clamp_u8((base + c->v_to_r * v[i]) >> 16);
        block.g[i] = clamp_u8((base - c->u_to_g * u[i] - c->v_to_g * v[i]) >> 16);
        block.b[i] = clamp_u8((base + c->u_to_b * u[i]) >> 16);
    }
    pack(rgb, &block, n);
}

/* n pixels of planes, chroma every two pixels and `step` bytes apart. */
MOVIE_INLINE void planes_to_rgb(uint8_t *rgb, const uint8_t *y, const uint8_t *u, const uint8_t *v, size_t n, size_t step,
                          const movie_yuv *c) {
    int32_t us[BLOCK], vs[BLOCK];
    for (size_t i = 0; i < n / 2; i++) {
        us[2 * i] = us[2 * i + 1] = u[i * step] - 128;
        vs[2 * i] = vs[2 * i + 1] = v[i * step] - 128;
    }
    samples_to_rgb(rgb, y, us, vs, n, c);
}

/* Exchanges red and blue. */
MOVIE_INLINE void swap_row(uint8_t *to, const uint8_t *from, size_t width) {
    for (size_t i = 0; i < width; i++) {
        to[i * 3] = from[i * 3 + 2];
        to[i * 3 + 1] = from[i * 3 + 1];
        to[i * 3 + 2] = from[i * 3];
    }
}

/* Four bytes as one number, least significant first: vectors like words better than bytes four apart. */
MOVIE_INLINE uint32_t word_at(const uint8_t *from, size_t index) {
    const uint8_t *p = from + 4 * index;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

MOVIE_INLINE void put_word(uint8_t *to, size_t index, uint32_t word) {
    const uint32_t little = WORD_TO_LITTLE(word);
    memcpy(to + 4 * index, &little, 4);
}

/* Pixels of four bytes with red at bit r and blue at bit b. */
MOVIE_INLINE void words_to_rgb(uint8_t *rgb, const uint8_t *from, size_t n, int r, int b) {
    rgb_block block;
    for (size_t i = 0; i < n; i++) {
        const uint32_t word = word_at(from, i);
        block.r[i] = (uint8_t)(word >> r);
        block.g[i] = (uint8_t)(word >> 8);
        block.b[i] = (uint8_t)(word >> b);
    }
    pack(rgb, &block, n);
}

/* `keep` masks the bits of the picture that stay, `fill` gives the others beside the colours. */
MOVIE_INLINE void words_from_rgb(uint8_t *to, const uint8_t *rgb, size_t n, int r, int b, uint32_t keep, uint32_t fill) {
    rgb_block block;
    unpack(&block, rgb, n);
    for (size_t i = 0; i < n; i++) {
        const uint32_t colours = (uint32_t)block.r[i] << r | (uint32_t)block.g[i] << 8 | (uint32_t)block.b[i] << b;
        put_word(to, i, colours | fill | (keep ? word_at(to, i) & keep : 0));
    }
}

/* A word is two pixels: Y0 U Y1 V. */
MOVIE_INLINE void yuy2_to_rgb(uint8_t *rgb, const uint8_t *from, size_t n, const movie_yuv *c) {
    uint8_t y[BLOCK];
    int32_t u[BLOCK], v[BLOCK];
    for (size_t i = 0; i < n / 2; i++) {
        const uint32_t word = word_at(from, i);
        y[2 * i] = (uint8_t)word;
        y[2 * i + 1] = (uint8_t)(word >> 16);
        u[2 * i] = u[2 * i + 1] = (int32_t)(word >> 8 & 255) - 128;
        v[2 * i] = v[2 * i + 1] = (int32_t)(word >> 24) - 128;
    }
    samples_to_rgb(rgb, y, u, v, n, c);
}

/* One row of `picture`, whose bytes begin at `line` and its chroma, of planar formats, at u and v. */
MOVIE_INLINE void row_to_rgb(uint8_t *rgb, const movie_picture *p, const uint8_t *line, const uint8_t *u, const uint8_t *v) {
    const size_t width = p->width;
    const movie_yuv *c = &p->yuv;
    switch (p->format) {
    case MOVIE_PIXELS_RGB: memcpy(rgb, line, width * 3); break;
    case MOVIE_PIXELS_BGR: swap_row(rgb, line, width); break;
    case MOVIE_PIXELS_RGBX:
    case MOVIE_PIXELS_RGBA: FOR_BLOCKS(width, words_to_rgb(rgb + 3 * x, line + 4 * x, n, 0, 16)); break;
    case MOVIE_PIXELS_BGRX: FOR_BLOCKS(width, words_to_rgb(rgb + 3 * x, line + 4 * x, n, 16, 0)); break;
    case MOVIE_PIXELS_I420:
        FOR_BLOCKS(width, planes_to_rgb(rgb + 3 * x, line + x, u + x / 2, v + x / 2, n, 1, c));
        break;
    case MOVIE_PIXELS_NV12:
        FOR_BLOCKS(width, planes_to_rgb(rgb + 3 * x, line + x, u + x, u + x + 1, n, 2, c));
        break;
    case MOVIE_PIXELS_YUY2: FOR_BLOCKS(width, yuy2_to_rgb(rgb + 3 * x, line + 2 * x, n, c)); break;
    }
}

void MOVIE_NAME(rgb_from_rows)(uint8_t *rgb, size_t rgb_stride, const movie_picture *p, size_t first, size_t last) {
    for (size_t row = first; row < last; row++, rgb += rgb_stride)
        row_to_rgb(rgb, p, p->planes[0] + row * p->strides[0], p->planes[1] + row / 2 * p->strides[1],
                   p->planes[2] + row / 2 * p->strides[2]);
}

MOVIE_INLINE void luma_from(uint8_t *y, const rgb_block *p, size_t n, const movie_yuv *c) {
    for (size_t i = 0; i < n; i++)
        y[i] = clamp_u8(
            ((c->r_to_y * p->r[i] + c->g_to_y * p->g[i] + c->b_to_y * p->b[i] + 32768) >> 16) + c->y_offset);
}

/* Chroma from the sums of 2^shift pixels. */
MOVIE_INLINE void chroma_from(uint8_t *u, uint8_t *v, const int32_t *r, const int32_t *g, const int32_t *b, size_t n,
                        size_t step, int shift, const movie_yuv *c) {
    const int32_t half = 1 << (15 + shift);
    for (size_t i = 0; i < n; i++) {
        u[i * step] = clamp_u8(((c->r_to_u * r[i] + c->g_to_u * g[i] + c->b_to_u * b[i] + half) >> (16 + shift)) + 128);
        v[i * step] = clamp_u8(((c->r_to_v * r[i] + c->g_to_v * g[i] + c->b_to_v * b[i] + half) >> (16 + shift)) + 128);
    }
}

MOVIE_INLINE void sum_pairs(int32_t *sums, const uint8_t *from, size_t pairs, int adds) {
    for (size_t i = 0; i < pairs; i++) sums[i] = (adds ? sums[i] : 0) + from[2 * i] + from[2 * i + 1];
}

typedef struct {
    int32_t r[BLOCK / 2], g[BLOCK / 2], b[BLOCK / 2];
} chroma_sums;

MOVIE_INLINE void sum_block(chroma_sums *sums, const rgb_block *block, size_t n, int adds) {
    sum_pairs(sums->r, block->r, n / 2, adds);
    sum_pairs(sums->g, block->g, n / 2, adds);
    sum_pairs(sums->b, block->b, n / 2, adds);
}

/* Two rows of n pixels to two rows of luma and one of chroma. */
MOVIE_INLINE void rgb_to_420(uint8_t *y, size_t y_stride, uint8_t *u, uint8_t *v, size_t chroma, const uint8_t *rgb,
                       size_t rgb_stride, size_t n, const movie_yuv *c) {
    rgb_block block;
    chroma_sums sums;
    unpack(&block, rgb, n);
    luma_from(y, &block, n, c);
    sum_block(&sums, &block, n, 0);
    unpack(&block, rgb + rgb_stride, n);
    luma_from(y + y_stride, &block, n, c);
    sum_block(&sums, &block, n, 1);
    chroma_from(u, v, sums.r, sums.g, sums.b, n / 2, chroma, 2, c);
}

MOVIE_INLINE void two_rows_to_420(const movie_picture *p, size_t row, const uint8_t *rgb, size_t rgb_stride, size_t chroma) {
    const size_t stride = p->strides[0];
    uint8_t *y = p->planes[0] + row * stride, *u = p->planes[1] + row / 2 * p->strides[1];
    uint8_t *v = chroma == 2 ? u + 1 : p->planes[2] + row / 2 * p->strides[2];
    FOR_BLOCKS(p->width, rgb_to_420(y + x, stride, u + x / 2 * chroma, v + x / 2 * chroma, chroma, rgb + 3 * x,
                                    rgb_stride, n, &p->yuv));
}

MOVIE_INLINE void rgb_to_yuy2(uint8_t *to, const uint8_t *rgb, size_t n, const movie_yuv *c) {
    rgb_block block;
    chroma_sums sums;
    uint8_t y[BLOCK], u[BLOCK / 2], v[BLOCK / 2];
    unpack(&block, rgb, n);
    luma_from(y, &block, n, c);
    sum_block(&sums, &block, n, 0);
    chroma_from(u, v, sums.r, sums.g, sums.b, n / 2, 1, 1, c);
    for (size_t i = 0; i < n / 2; i++)
        put_word(to, i, (uint32_t)y[2 * i] | (uint32_t)u[i] << 8 | (uint32_t)y[2 * i + 1] << 16 | (uint32_t)v[i] << 24);
}

MOVIE_INLINE void row_from_rgb(const movie_picture *p, uint8_t *line, const uint8_t *rgb) {
    const size_t width = p->width;
    switch (p->format) {
    case MOVIE_PIXELS_RGB: memcpy(line, rgb, width * 3); break;
    case MOVIE_PIXELS_BGR: swap_row(line, rgb, width); break;
    case MOVIE_PIXELS_RGBA:
        FOR_BLOCKS(width, words_from_rgb(line + 4 * x, rgb + 3 * x, n, 0, 16, FOURTH, 0));
        break;
    case MOVIE_PIXELS_RGBX:
        FOR_BLOCKS(width, words_from_rgb(line + 4 * x, rgb + 3 * x, n, 0, 16, 0, FOURTH));
        break;
    case MOVIE_PIXELS_BGRX:
        FOR_BLOCKS(width, words_from_rgb(line + 4 * x, rgb + 3 * x, n, 16, 0, 0, FOURTH));
        break;
    case MOVIE_PIXELS_YUY2: FOR_BLOCKS(width, rgb_to_yuy2(line + 2 * x, rgb + 3 * x, n, &p->yuv)); break;
    default: break;
    }
}

void MOVIE_NAME(rgb_to_rows)(const movie_picture *p, const uint8_t *rgb, size_t rgb_stride, size_t first, size_t last) {
    switch (p->format) {
    case MOVIE_PIXELS_I420:
        for (size_t row = first; row + 1 < last; row += 2, rgb += 2 * rgb_stride)
            two_rows_to_420(p, row, rgb, rgb_stride, 1);
        break;
    case MOVIE_PIXELS_NV12:
        for (size_t row = first; row + 1 < last; row += 2, rgb += 2 * rgb_stride)
            two_rows_to_420(p, row, rgb, rgb_stride, 2);
        break;
    default:
        for (size_t row = first; row < last; row++, rgb += rgb_stride)
            row_from_rgb(p, p->planes[0] + row * p->strides[0], rgb);
    }
}

void MOVIE_NAME(blend_u8)(uint8_t *to, const uint8_t *from, size_t n, unsigned weight) {
    const int32_t share = (int32_t)weight;
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)((from[i] * (256 - share) + to[i] * share + 128) >> 8);
}
