#include <stdlib.h>

#include "kernels.h"

#define MOVIE_KERNEL(name, parameters, arguments) .name = movie_##name##__scalar,
static const movie_kernel_table scalar_table = {
#include "kernels.inc"
    .conv_positions = {16, 16, 16, 16},
    .peak_operations = 2,
};
#undef MOVIE_KERNEL

#if defined(__x86_64__)
#define MOVIE_KERNEL(name, parameters, arguments) .name = movie_##name##__avx2,
static const movie_kernel_table avx2_table = {
#include "kernels.inc"
    .conv_positions = {4, 4, 4, 4},
    .peak_operations = 8 * 16 * 2,
};
#undef MOVIE_KERNEL

#define MOVIE_KERNEL(name, parameters, arguments) .name = movie_##name##__avx512vnni,
static const movie_kernel_table avx512vnni_table = {
#include "kernels.inc"
    .conv_positions = {16, 12, 8, 6},
    .peak_operations = 16 * 64 * 2,
};
#undef MOVIE_KERNEL
#endif

/* Scalar until the program has looked at the processor, before main. */
#define MOVIE_KERNEL(name, parameters, arguments) .name = movie_##name##__scalar,
movie_kernel_table movie_kernels = {
#include "kernels.inc"
    .conv_positions = {16, 16, 16, 16},
    .peak_operations = 2,
};
#undef MOVIE_KERNEL
static movie_isa current = MOVIE_ISA_SCALAR;

movie_isa movie_isa_best(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c") ||
        !__builtin_cpu_supports("bmi2"))
        return MOVIE_ISA_SCALAR;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni"))
        return MOVIE_ISA_AVX512VNNI;
    return MOVIE_ISA_AVX2;
#else
    return MOVIE_ISA_SCALAR;
#endif
}

const movie_kernel_table *movie_kernels_of(movie_isa isa) {
    switch (isa) {
    case MOVIE_ISA_SCALAR: return &scalar_table;
#if defined(__x86_64__)
    case MOVIE_ISA_AVX2: return &avx2_table;
    case MOVIE_ISA_AVX512VNNI: return &avx512vnni_table;
#endif
    default: return NULL;
    }
}

movie_isa movie_isa_current(void) { return current; }

const char *movie_isa_name(movie_isa isa) {
    static const char *const names[MOVIE_ISA_COUNT] = {"scalar", "avx2", "avx512vnni"};
    return (unsigned)isa < MOVIE_ISA_COUNT ? names[isa] : NULL;
}

int movie_isa_select(movie_isa isa) {
    if ((unsigned)isa > (unsigned)movie_isa_best()) return -1;
    current = isa;
    movie_kernels = *movie_kernels_of(isa);
    return 0;
}

size_t movie_peak_operations_u8s8(size_t rounds) { return rounds * movie_kernels.peak_operations; }

/* The best level, before anything computes; the program says so when MOVIED_ISA asks for what is not there. */
__attribute__((constructor)) static void choose_at_start(void) {
    movie_isa isa = movie_isa_best();
    const char *wanted = getenv("MOVIED_ISA");
    for (int i = 0; wanted && i < MOVIE_ISA_COUNT; i++)
        if (strcmp(wanted, movie_isa_name((movie_isa)i)) == 0 && i < (int)isa) isa = (movie_isa)i;
    movie_isa_select(isa);
}

#define MOVIE_KERNEL(name, parameters, arguments) \
    MOVIE_FORWARD(name, parameters, arguments)
#define MOVIE_FORWARD(name, parameters, arguments) \
    void movie_##name parameters { movie_kernels.name arguments; }
#include "kernels.inc"
