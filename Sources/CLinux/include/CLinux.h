#ifndef CLINUX_H
#define CLINUX_H
/* What Glibc has and Swift cannot import. */

/* Names the calling thread; at most 15 bytes are kept. */
void movie_thread_set_name(const char *name);
/* Number of processors this process may run on (its affinity mask), at least 1. */
int movie_usable_cpus(void);
#endif
