/* The single-precision matrix product and the switch for its threads. */
#include <cblas.h>
