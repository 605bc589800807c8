/* All kernels for one generation of processors; dispatch.c chooses. */
#include "kernels.h"

#define MOVIE_NAME(name) movie_##name##__scalar
#pragma STDC FP_CONTRACT OFF
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
#include "body_conv_scalar.h"
