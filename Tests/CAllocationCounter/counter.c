#define _GNU_SOURCE
#include "CAllocationCounter.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* glibc keeps these names for programs that bring their own malloc. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static _Thread_local bool counting;
static atomic_ulong counted;
static _Thread_local bool counting_here;
static _Thread_local unsigned long counted_here;

/* Of its own, so that a debugger can stop at each: break note_here. */
static void __attribute__((noinline)) note_here(void) { counted_here++; }

static void count(void) {
    if (counting_here) note_here();
    if (counting) atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
}

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

void movie_begin_allocation_count(void) { pthread_mutex_lock(&turn); }
void movie_end_allocation_count(void) { pthread_mutex_unlock(&turn); }
void movie_count_allocations(bool on) { counting = on; }
unsigned long movie_counted_allocations(void) { return atomic_load(&counted); }
void movie_count_thread_allocations(bool on) { counting_here = on; }
unsigned long movie_allocations_of_thread(void) { return counted_here; }

/* A sanitizer brings its own malloc, which must not be hidden: nothing is counted under it. */
#if !defined(__has_feature) || !(__has_feature(thread_sanitizer) || __has_feature(address_sanitizer))

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    void *memory = memalign(alignment, size);
    if (memory == NULL && size > 0) return ENOMEM;
    *result = memory;
    return 0;
}

#endif
