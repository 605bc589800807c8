#ifndef CLINUX_H
#define CLINUX_H
/* What Glibc has and Swift cannot import. */

/* Names the calling thread; at most 15 bytes are kept. */
void movie_thread_set_name(const char *name);
/* Number of processors this process may run on (its affinity mask), at least 1. */
int movie_usable_cpus(void);
/* Keeps the calling thread on the index-th of the processors it may use. Does nothing when `width` threads are more than
   there are processors: they would crowd on the first ones. */
void movie_thread_pin(int index, int width);
/* Undoes movie_thread_pin: any processor that the process may use. */
void movie_thread_unpin(void);
/* Asks for a place before ordinary threads (round robin, lowest priority) for one that does very little and must be
   punctual; 0 when the system allows it. */
int movie_thread_set_punctual(void);
/* To be called in a loop that waits for another thread: the processor saves power and lets its other thread work. */
static inline void movie_cpu_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
#endif
