#define _GNU_SOURCE
#include "movie.h"

#include <dlfcn.h>

#include "movie_library.h"

_Static_assert(sizeof(movie_options) == 48, "the layout that bindings of other languages write down");

const char *movie_library_path(void) {
    Dl_info info;
    return dladdr((void *)movie_library_path, &info) != 0 ? info.dli_fname : NULL;
}
