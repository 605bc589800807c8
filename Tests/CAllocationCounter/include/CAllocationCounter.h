#ifndef CALLOCATIONCOUNTER_H
#define CALLOCATIONCOUNTER_H
/* Counts heap allocations of chosen threads. A test program that links this has its own malloc, calloc, realloc,
   posix_memalign, aligned_alloc and memalign, which count and call glibc's. */

#include <stdbool.h>

/* Whether anything is counted: not under a sanitizer, which brings a malloc of its own. */
bool movie_counts(void);

/* Counts of several threads are added up; tests that count so take turns. */
void movie_begin_allocation_count(void);
void movie_end_allocation_count(void);
/* Whether allocations of the calling thread are counted from now on; at first they are not. */
void movie_count_allocations(bool on);
/* Allocations counted so far, of all threads together. */
unsigned long movie_counted_allocations(void);

/* The same for the calling thread alone, whatever others count. */
void movie_count_thread_allocations(bool on);
unsigned long movie_allocations_of_thread(void);
/* To stderr, the way to the first allocation of the calling thread since counting it began; nothing where there was none. */
void movie_print_first_allocation(void);
#endif
