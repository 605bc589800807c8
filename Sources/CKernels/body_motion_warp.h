/* Pictures moved along dense vectors of 1/32 pixel, bilinear. */

void MOVIE_NAME(motion_pair)(uint8_t *pairs, const uint8_t *source, size_t source_stride, const uint8_t *edit,
                             size_t edit_stride, size_t width, size_t height, size_t first, size_t last) {
    const size_t stride = 8 * (width + 1);
    for (size_t y = first; y < last; y++) {
        const uint8_t *s = source + y * source_stride, *e = edit + y * edit_stride;
        uint8_t *to = pairs + y * stride;
        for (size_t x = 0; x < width; x++) {
            to[8 * x] = s[3 * x], to[8 * x + 1] = s[3 * x + 1], to[8 * x + 2] = s[3 * x + 2], to[8 * x + 3] = 0;
            to[8 * x + 4] = e[3 * x], to[8 * x + 5] = e[3 * x + 1], to[8 * x + 6] = e[3 * x + 2], to[8 * x + 7] = 0;
        }
        memcpy(to + 8 * width, to + 8 * (width - 1), 8);
        if (y + 1 == height) memcpy(to + stride, to, stride);
    }
}

/* A number of a place clamped to a row of `size`, in 1/32 pixel. */
MOVIE_INLINE int32_t clamped_place(size_t x, int16_t by, size_t size) {
    const int32_t place = (int32_t)(x << 5) + by, last = (int32_t)((size - 1) << 5);
    return place < 0 ? 0 : place > last ? last : place;
}

MOVIE_INLINE u8x8 mixed(u16x8 a, u16x8 b, u16x8 c, u16x8 d, uint16_t fx, uint16_t fy) {
    const u16x8 top = (a * (uint16_t)(32 - fx) + b * fx + 2) >> 2, bottom = (c * (uint16_t)(32 - fx) + d * fx + 2) >> 2;
    return __builtin_convertvector((top * (uint16_t)(32 - fy) + bottom * fy + 128) >> 8, u8x8);
}

void MOVIE_NAME(motion_warp)(uint8_t *to, const uint8_t *from, const int16_t *vectors, size_t width, size_t height,
                             size_t first, size_t last) {
    const size_t stride = 8 * (width + 1);
    for (size_t y = first; y < last; y++) {
        const int16_t *by = vectors + 2 * y * width;
        for (size_t x = 0; x < width; x++) {
            const int32_t px = clamped_place(x, by[2 * x], width), py = clamped_place(y, by[2 * x + 1], height);
            const uint8_t *p = from + (size_t)(py >> 5) * stride + (size_t)(px >> 5) * 8;
            const u8x8 pixel = mixed(eight_at(p), eight_at(p + 8), eight_at(p + stride), eight_at(p + stride + 8),
                                     (uint16_t)(px & 31), (uint16_t)(py & 31));
            memcpy(to + y * stride + 8 * x, &pixel, 8);
        }
        memcpy(to + y * stride + 8 * width, to + y * stride + 8 * (width - 1), 8);
    }
}

void MOVIE_NAME(motion_warp_rgb)(uint8_t *to, size_t to_stride, const uint8_t *from, size_t from_stride,
                                 const int16_t *vectors, size_t width, size_t height, size_t first, size_t last) {
    for (size_t y = first; y < last; y++) {
        const int16_t *by = vectors + 2 * y * width;
        for (size_t x = 0; x < width; x++) {
            const int32_t px = clamped_place(x, by[2 * x], width), py = clamped_place(y, by[2 * x + 1], height);
            const size_t x0 = (size_t)(px >> 5), y0 = (size_t)(py >> 5);
            const size_t right = x0 + 1 < width ? 3 : 0, below = y0 + 1 < height ? from_stride : 0;
            const uint8_t *p = from + y0 * from_stride + 3 * x0;
            const uint32_t fx = (uint32_t)px & 31, fy = (uint32_t)py & 31;
            for (size_t c = 0; c < 3; c++, p++) {
                const uint32_t top = (p[0] * (32 - fx) + p[right] * fx + 2) >> 2;
                const uint32_t bottom = (p[below] * (32 - fx) + p[below + right] * fx + 2) >> 2;
                to[y * to_stride + 3 * x + c] = (uint8_t)((top * (32 - fy) + bottom * fy + 128) >> 8);
            }
        }
    }
}
