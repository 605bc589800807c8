#ifndef MOVIE_H
#define MOVIE_H
/* movied's editor for programs in C and what calls C: libmovie.so. It needs neither GStreamer nor a Swift runtime.

       char sentence[256];
       movie_editor *editor = movie_create(NULL, 0, sentence, sizeof sentence);
       movie_plan(editor, "make it a pencil drawing", NULL, 640, 480, MOVIE_FORMAT_RGB);
       movie_edit(editor, planes, strides, planes, strides);
       movie_destroy(editor);

   An editor is one stream: one thread at a time may use it. Several editors may work at the same time; those of one
   model share its weights, and those with the same number of threads share the threads. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct movie_editor movie_editor;

/* 8 bits a sample. Width and height are even. */
typedef enum {
    MOVIE_FORMAT_RGB = 0,
    MOVIE_FORMAT_BGR = 1,
    MOVIE_FORMAT_RGBX = 2,
    MOVIE_FORMAT_BGRX = 3,
    MOVIE_FORMAT_RGBA = 4, /* straight alpha, kept */
    MOVIE_FORMAT_I420 = 5, /* three planes; BT.601, limited range */
    MOVIE_FORMAT_NV12 = 6, /* two planes */
    MOVIE_FORMAT_YUY2 = 7,
} movie_format;

typedef struct {
    size_t size;                 /* sizeof(movie_options) */
    double guidance_scale;       /* how strongly the edit follows the prompt; 0 for the model's default */
    double image_guidance_scale; /* how closely it stays to the source; 0 for the model's default */
    uint64_t seed;               /* chooses the noise that every frame starts from */
    /* Since 0.2; a program with the shorter structure gets 0 for both. Frames then depend on those before them: edit the
       frames of one video in their order. */
    double stability;            /* 0...1: how much flicker is taken out where the source stands still */
    int rolling_anchor;          /* not 0: frames attend to one of their scene, renewed from time to time */
} movie_options;

/* Loads the model in the folder `model`, in the layout of the diffusers library; NULL for the bundled one, which is looked
   for as by movied. `threads` 1 to 256, 0 for one for each processor. Returns NULL on failure, after writing a sentence,
   cut where it must be, to `error` (may be NULL) of `error_size` bytes. */
movie_editor *movie_create(const char *model, int threads, char *error, size_t error_size);

/* Encodes the prompt and lays out memory for frames of this size and format; takes from milliseconds to seconds. May be
   called again at any time, for another prompt or size. `options` NULL for defaults. Width and height even, 2 to 16384.
   Returns 0; otherwise -1, and what was planned before stays. */
int movie_plan(movie_editor *editor, const char *prompt, const movie_options *options, int width, int height,
               movie_format format);

/* Edits one frame of the planned size and format. `from` and `to` hold the first byte of each plane, the strides the bytes
   from row to row; only as many are read as the format has planes. `to` may be `from`. Allocates nothing. Returns 0 or -1. */
int movie_edit(movie_editor *editor, const void *const *from, const ptrdiff_t *from_strides, void *const *to,
               const ptrdiff_t *to_strides);

/* Why the last call failed: a sentence, valid until the next call with this editor; "" after a success. */
const char *movie_error(const movie_editor *editor);

/* Frees an editor; NULL is allowed. The last user of a model frees its weights. */
void movie_destroy(movie_editor *editor);

/* For example "0.1.0". */
const char *movie_version(void);

#ifdef __cplusplus
}
#endif
#endif
