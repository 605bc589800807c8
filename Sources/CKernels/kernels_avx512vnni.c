/* All kernels for one generation of processors; dispatch.c chooses. */
#if defined(__x86_64__)
#include <immintrin.h>
#include "kernels.h"

#define MOVIE_NAME(name) movie_##name##__avx512vnni
#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c,bmi2"))), apply_to = function)
#include "body_math.h"
#include "body_elementwise_f32.h"
#include "body_layout_f32.h"
#include "body_normalize_f32.h"
#include "body_quantize_u8.h"
#include "body_attention_u8.h"
#include "body_colour_u8.h"
#include "body_stabilize_u8.h"
#include "body_change_u8.h"
#include "body_motion_pictures.h"
#include "body_motion_search.h"
#include "body_motion_vectors.h"
#include "body_motion_warp.h"
#include "body_stabilize_moved.h"
#include "body_motion_fit.h"
#include "body_motion_carry.h"
#include "body_motion_enlarge.h"
#include "body_conv_avx512vnni.h"
#pragma clang attribute pop
#endif
