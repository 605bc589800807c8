#ifndef GSTMOVIE_PRIVATE_H
#define GSTMOVIE_PRIVATE_H
/* Shared by the C files of this target. */

#include "CGstMovie.h"

GST_DEBUG_CATEGORY_EXTERN(gstmovie_debug);

typedef struct {
    GstVideoFilter parent;
    void *body; /* Swift's */
} GstMovieEdit;

typedef struct {
    GstVideoFilterClass parent;
} GstMovieEditClass;

void gstmovie_install_properties(GObjectClass *class);

#endif
