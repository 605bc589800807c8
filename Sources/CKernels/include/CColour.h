#ifndef CCOLOUR_H
#define CCOLOUR_H
/* Between 8-bit pixel formats and packed RGB rows (3 bytes a pixel, full range), what the editing networks take and
   give. Integers throughout, so every processor gives the same bytes. No kernel allocates, locks or keeps state. */

#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang assume_nonnull begin
#else
#define _Nonnull
#endif

typedef enum {
    MOVIE_PIXELS_RGB = 0,
    MOVIE_PIXELS_BGR,
    MOVIE_PIXELS_RGBX, /* the fourth byte is padding */
    MOVIE_PIXELS_BGRX,
    MOVIE_PIXELS_RGBA, /* straight alpha, kept as it is */
    MOVIE_PIXELS_I420, /* planes Y, U, V; chroma of half width and height */
    MOVIE_PIXELS_NV12, /* planes Y and interleaved UV */
    MOVIE_PIXELS_YUY2, /* Y0 U Y1 V; chroma of half width */
} movie_pixels;

/* How RGB became YUV, in units of 2^-16. Limited range: Y 16...235, U and V 16...240; full range: 0...255. */
typedef struct {
    int32_t y_offset;                           /* of black */
    int32_t y_gain, v_to_r, u_to_g, v_to_g, u_to_b; /* YUV to RGB; the two to green are subtracted */
    int32_t r_to_y, g_to_y, b_to_y;             /* RGB to YUV */
    int32_t r_to_u, g_to_u, b_to_u, r_to_v, g_to_v, b_to_v;
} movie_yuv;

/* Fills `yuv` from the weights of red and blue in luma: BT.601 0.299, 0.114; BT.709 0.2126, 0.0722. */
void movie_yuv_init(movie_yuv *yuv, double kr, double kb, int is_full_range);

/* A picture in memory. Width even for formats with half-width chroma, height even for I420 and NV12. Strides in bytes. */
typedef struct {
    movie_pixels format;
    size_t width, height;
    uint8_t *_Nonnull planes[3]; /* never NULL: planes that a format lacks repeat the first */
    size_t strides[3];
    movie_yuv yuv; /* for the YUV formats */
} movie_picture;

/* rgb[row - first] = the picture's row, for rows first..<last. Chroma is repeated. */
void movie_rgb_from_rows(uint8_t *rgb, size_t rgb_stride, const movie_picture *picture, size_t first, size_t last);

/* The inverse. `first` and `last` are even for I420 and NV12, whose chroma is the mean of the pixels that share it. The
   padding of RGBX and BGRX becomes 255; the alpha of RGBA stays as it is. A picture that movie_rgb_from_rows read gets
   its chroma back to within rounding. */
void movie_rgb_to_rows(const movie_picture *picture, const uint8_t *rgb, size_t rgb_stride, size_t first, size_t last);

/* to = from + (to - from) * weight / 256, n bytes; weight in 0...256, rounded. */
void movie_blend_u8(uint8_t *to, const uint8_t *from, size_t n, unsigned weight);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

#endif
