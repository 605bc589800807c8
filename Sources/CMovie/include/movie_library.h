#ifndef MOVIE_LIBRARY_H
#define MOVIE_LIBRARY_H
/* For the library itself; not part of its interface. */

/* Path of the library or program that this code is in; NULL when unknown. */
const char *movie_library_path(void);

#endif
