#!/usr/bin/env python3
"""Edits a picture with libmovie.so through ctypes: binary PPM in, binary PPM out.

    LIBMOVIE=.build/release/libmovie.so Examples/edit_ppm.py in.ppm out.ppm "make it a pencil drawing"

Width and height of the picture must be even and at least 64.
"""

import ctypes
import os
import re
import sys

FORMAT_RGB = 0


def load_library():
    """The library, with the types of the functions of movie.h."""
    library = ctypes.CDLL(os.environ.get("LIBMOVIE", "libmovie.so"))
    pointers, strides = ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_ssize_t)
    library.movie_create.restype = ctypes.c_void_p
    library.movie_create.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t]
    library.movie_plan.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int]
    library.movie_edit.argtypes = [ctypes.c_void_p, pointers, strides, pointers, strides]
    library.movie_error.restype = ctypes.c_char_p
    library.movie_error.argtypes = [ctypes.c_void_p]
    library.movie_destroy.argtypes = [ctypes.c_void_p]
    return library


def read_ppm(path):
    """Width, height and pixels of a binary PPM."""
    with open(path, "rb") as file:
        data = file.read()
    header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    if header is None:
        sys.exit("edit_ppm: the input is not a binary PPM of 8 bits")
    width, height = int(header[1]), int(header[2])
    return width, height, bytearray(data[header.end():header.end() + width * height * 3])


def edit(library, pixels, width, height, prompt):
    """Edits the pixels in place."""
    sentence = ctypes.create_string_buffer(256)
    editor = library.movie_create(None, 0, sentence, len(sentence))
    if not editor:
        sys.exit("edit_ppm: " + sentence.value.decode())
    buffer = (ctypes.c_ubyte * len(pixels)).from_buffer(pixels)
    planes = (ctypes.c_void_p * 1)(ctypes.addressof(buffer))
    strides = (ctypes.c_ssize_t * 1)(3 * width)
    if (library.movie_plan(editor, prompt.encode(), None, width, height, FORMAT_RGB) != 0
            or library.movie_edit(editor, planes, strides, planes, strides) != 0):
        sys.exit("edit_ppm: " + library.movie_error(editor).decode())
    library.movie_destroy(editor)


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: edit_ppm.py IN.ppm OUT.ppm PROMPT")
    width, height, pixels = read_ppm(sys.argv[1])
    edit(load_library(), pixels, width, height, sys.argv[3])
    with open(sys.argv[2], "wb") as file:
        file.write(b"P6\n%d %d\n255\n" % (width, height) + pixels)


main()
