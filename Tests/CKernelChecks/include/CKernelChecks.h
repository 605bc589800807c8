#ifndef CKERNELCHECKS_H
#define CKERNELCHECKS_H
/* Every kernel of kernels.inc against its scalar twin, bit for bit, with guards around what it writes. */

/* Kernels, and the name of one. */
int movie_check_count(void);
const char *movie_check_name(int kernel);
/* Runs kernel `kernel` of generation `isa` (movie_isa) on many random shapes. Returns 0 when all agree, 1 when some
   number differs, 2 when it wrote outside, -1 when this processor lacks the generation. */
int movie_check_run(int kernel, int isa);

#endif
