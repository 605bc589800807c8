#ifndef MOVIE_KERNELS_H
#define MOVIE_KERNELS_H
/* What the files of this target share: the declarations of every kernel for every generation of processors. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"
#include "conv_u8s8.h"

#define MOVIE_INLINE static inline __attribute__((always_inline))

#define MOVIE_KERNEL(name, parameters, arguments)  \
    void movie_##name##__scalar parameters;        \
    void movie_##name##__avx2 parameters;          \
    void movie_##name##__avx512vnni parameters;
#include "kernels.inc"
#undef MOVIE_KERNEL

/* The kernels in use. */
typedef struct {
#define MOVIE_KERNEL(name, parameters, arguments) void(*name) parameters;
#include "kernels.inc"
#undef MOVIE_KERNEL
    size_t conv_positions[4]; /* of a tile of 16, 32, 48 and 64 channels */
    size_t peak_operations;   /* of a round of peak_u8s8 */
} movie_kernel_table;

extern movie_kernel_table movie_kernels;
/* All kernels of one generation, whether this processor has it or not; NULL where it was not compiled. */
const movie_kernel_table *movie_kernels_of(movie_isa isa);

#endif
