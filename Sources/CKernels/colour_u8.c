#include "CColour.h"

static int32_t fixed(double value) { return (int32_t)(value * 65536.0 + (value < 0 ? -0.5 : 0.5)); }

void movie_yuv_init(movie_yuv *yuv, double kr, double kb, int is_full_range) {
    const double kg = 1 - kr - kb;
    const double luma = is_full_range ? 1 : 219.0 / 255, chroma = is_full_range ? 1 : 224.0 / 255;
    yuv->y_offset = is_full_range ? 0 : 16;
    yuv->y_gain = fixed(1 / luma);
    yuv->v_to_r = fixed(2 * (1 - kr) / chroma);
    yuv->u_to_b = fixed(2 * (1 - kb) / chroma);
    yuv->u_to_g = fixed(2 * (1 - kb) * kb / kg / chroma);
    yuv->v_to_g = fixed(2 * (1 - kr) * kr / kg / chroma);
    yuv->r_to_y = fixed(kr * luma);
    yuv->b_to_y = fixed(kb * luma);
    yuv->g_to_y = fixed(luma) - yuv->r_to_y - yuv->b_to_y;
    yuv->b_to_u = fixed(0.5 * chroma);
    yuv->r_to_u = fixed(-0.5 * kr / (1 - kb) * chroma);
    yuv->g_to_u = -yuv->b_to_u - yuv->r_to_u;
    yuv->r_to_v = fixed(0.5 * chroma);
    yuv->b_to_v = fixed(-0.5 * kb / (1 - kr) * chroma);
    yuv->g_to_v = -yuv->r_to_v - yuv->b_to_v;
}
