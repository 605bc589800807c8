/* Edits a picture with libmovie.so: binary PPM in, binary PPM out.

       cc Examples/edit_ppm.c -ISources/CMovie/include -L.build/release -lmovie -o edit_ppm
       LD_LIBRARY_PATH=.build/release ./edit_ppm in.ppm out.ppm "make it a pencil drawing"

   Width and height of the picture must be even and at least 64. */

#include <stdio.h>
#include <stdlib.h>

#include "movie.h"

static int fail(const char *sentence) {
    fprintf(stderr, "edit_ppm: %s\n", sentence);
    return 1;
}

/* Reads a binary PPM with 8 bits a sample and no comments; NULL when it is none. */
static unsigned char *read_ppm(const char *path, int *width, int *height) {
    FILE *file = fopen(path, "rb");
    int most;
    if (file == NULL) return NULL;
    if (fscanf(file, "P6 %d %d %d", width, height, &most) != 3 || most != 255 || fgetc(file) == EOF || *width < 1
        || *height < 1 || *width > 16384 || *height > 16384) {
        fclose(file);
        return NULL;
    }
    const size_t size = (size_t)*width * (size_t)*height * 3;
    unsigned char *pixels = malloc(size);
    if (pixels != NULL && fread(pixels, 1, size, file) != size) {
        free(pixels);
        pixels = NULL;
    }
    fclose(file);
    return pixels;
}

static int write_ppm(const char *path, const unsigned char *pixels, int width, int height) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) return -1;
    const size_t size = (size_t)width * (size_t)height * 3;
    fprintf(file, "P6\n%d %d\n255\n", width, height);
    const int is_whole = fwrite(pixels, 1, size, file) == size;
    return fclose(file) == 0 && is_whole ? 0 : -1;
}

int main(int count, char **arguments) {
    if (count != 4) return fail("usage: edit_ppm IN.ppm OUT.ppm PROMPT");
    int width, height;
    unsigned char *pixels = read_ppm(arguments[1], &width, &height);
    if (pixels == NULL) return fail("the input is not a binary PPM of 8 bits");

    char sentence[256];
    movie_editor *editor = movie_create(NULL, 0, sentence, sizeof sentence);
    if (editor == NULL) return fail(sentence);
    void *planes[] = {pixels};
    const ptrdiff_t strides[] = {3 * width};
    const void *const *source = (const void *const *)planes;
    if (movie_plan(editor, arguments[3], NULL, width, height, MOVIE_FORMAT_RGB) != 0
        || movie_edit(editor, source, strides, planes, strides) != 0)
        return fail(movie_error(editor));
    movie_destroy(editor);

    if (write_ppm(arguments[2], pixels, width, height) != 0) return fail("the output cannot be written");
    free(pixels);
    return 0;
}
