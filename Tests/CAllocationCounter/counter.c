#define _GNU_SOURCE
#include "CAllocationCounter.h"

#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <unistd.h>

/* glibc keeps these names for programs that bring their own malloc. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static _Thread_local bool counting;
static atomic_ulong counted;
static _Thread_local bool counting_here;
static _Thread_local unsigned long counted_here;

static _Thread_local void *first_here[32];
static _Thread_local int first_depth;

/* The way to the thread's first counted allocation. The first backtrace of a process allocates itself. */
static void keep_first(void) {
    bool counted_too = counting;
    counting = counting_here = false;
    first_depth = backtrace(first_here, sizeof first_here / sizeof *first_here);
    counting_here = true;
    counting = counted_too;
}

/* Of its own, so that a debugger can stop at each: break note_here. */
static void __attribute__((noinline)) note_here(void) {
    counted_here++;
    if (first_depth == 0) keep_first();
}

/* Where the dynamic linker lies in memory. */
static uintptr_t linker_begin, linker_end;

static void __attribute__((constructor)) find_linker(void) {
    const ElfW(Ehdr) *linker = (const void *)getauxval(AT_BASE);
    if (linker == NULL) return;
    const ElfW(Phdr) *parts = (const void *)((const char *)linker + linker->e_phoff);
    linker_begin = linker_end = (uintptr_t)linker;
    for (int i = 0; i < linker->e_phnum; i++) {
        uintptr_t end = linker_begin + parts[i].p_vaddr + parts[i].p_memsz;
        if (parts[i].p_type == PT_LOAD && end > linker_end) linker_end = end;
    }
}

/* Where some thread has loaded a library with thread-local variables, every thread's next access to one of its own makes the
   linker enlarge that thread's table of them. What a counting thread does has no part in it. */
static bool is_linker(const void *caller) { return (uintptr_t)caller - linker_begin < linker_end - linker_begin; }

static void count(const void *caller) {
    if ((!counting_here && !counting) || is_linker(caller)) return;
    if (counting_here) note_here();
    if (counting) atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
}

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

void movie_begin_allocation_count(void) { pthread_mutex_lock(&turn); }
void movie_end_allocation_count(void) { pthread_mutex_unlock(&turn); }
void movie_count_allocations(bool on) { counting = on; }
unsigned long movie_counted_allocations(void) { return atomic_load(&counted); }
void movie_count_thread_allocations(bool on) {
    if (on) first_depth = 0;
    counting_here = on;
}
void movie_print_first_allocation(void) { backtrace_symbols_fd(first_here, first_depth, STDERR_FILENO); }
unsigned long movie_allocations_of_thread(void) { return counted_here; }

/* A sanitizer brings its own malloc, which must not be hidden: nothing is counted under it. */
#if defined(__has_feature) && (__has_feature(thread_sanitizer) || __has_feature(address_sanitizer))

bool movie_counts(void) { return false; }

#else

bool movie_counts(void) { return true; }

void *malloc(size_t size) {
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(__builtin_return_address(0));
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count(__builtin_return_address(0));
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count(__builtin_return_address(0));
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
