"""The shipped engine, libmovie.so (movie.h), in this process: bytes of RGB go in and come out, nothing is lost."""

from __future__ import annotations

import ctypes
import pathlib
import re
import subprocess

import numpy as np

from .engines import GUIDANCE_SCALE, IMAGE_GUIDANCE_SCALE

FORMAT_RGB = 0
#: Where a release build leaves library and program.
BUILD = pathlib.Path(__file__).parents[3] / ".build" / "release"


class EngineError(Exception):
    """The engine's own sentence."""


class Options(ctypes.Structure):
    """`movie_options`."""

    _fields_ = [("size", ctypes.c_size_t), ("guidance_scale", ctypes.c_double),
                ("image_guidance_scale", ctypes.c_double), ("seed", ctypes.c_uint64),
                ("stability", ctypes.c_double), ("rolling_anchor", ctypes.c_int)]


def load_library(path: pathlib.Path) -> ctypes.CDLL:
    """libmovie.so with its functions' types. Raises FileNotFoundError with a sentence where it is missing."""
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}: build it with 'swift build -c release', or name it by --build")
    library = ctypes.CDLL(str(path))
    planes, strides = ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_ssize_t)
    library.movie_create.restype = ctypes.c_void_p
    library.movie_create.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t]
    library.movie_plan.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(Options), ctypes.c_int,
                                   ctypes.c_int, ctypes.c_int]
    library.movie_edit.argtypes = [ctypes.c_void_p, planes, strides, planes, strides]
    library.movie_error.restype = ctypes.c_char_p
    library.movie_error.argtypes = [ctypes.c_void_p]
    library.movie_destroy.argtypes = [ctypes.c_void_p]
    return library


class NativeEditing:
    """A model folder in the Swift engine, on integers where it was quantized.

    With `stability` 0 and no anchor each frame is edited by itself; the daemon's default is 0.5. Raises EngineError.
    """

    passes = 1

    def __init__(self, model: pathlib.Path, build: pathlib.Path = BUILD, stability: float = 0.0,
                 anchor: str = "none", threads: int = 1, seed: int = 0, name: str | None = None):
        if anchor not in ("none", "rolling"):
            raise ValueError(f"anchor is {anchor!r}; it must be none or rolling")
        self.name = name or f"{model.name}, Swift engine, stability {stability:g}, anchor {anchor}"
        self.model, self.program = model, build / "movied"
        self.stability, self.anchor, self.seed = stability, anchor, seed
        self._library = load_library(build / "libmovie.so")
        sentence = ctypes.create_string_buffer(1024)
        self._editor = self._library.movie_create(str(model).encode(), threads, sentence, len(sentence))
        if not self._editor:
            raise EngineError(sentence.value.decode())

    def __del__(self) -> None:
        if getattr(self, "_editor", None):
            self._library.movie_destroy(self._editor)

    def edit(self, frames: np.ndarray, prompt: str, guidance_scale: float = GUIDANCE_SCALE,
             image_guidance_scale: float = IMAGE_GUIDANCE_SCALE) -> np.ndarray:
        """As `Editing.edit`; planning anew each time makes every call a video of its own."""
        height, width = frames.shape[1:3]
        options = Options(ctypes.sizeof(Options), guidance_scale, image_guidance_scale, self.seed, self.stability,
                          self.anchor == "rolling")
        self._check(self._library.movie_plan(self._editor, prompt.encode(), ctypes.byref(options), width, height,
                                             FORMAT_RGB))
        pixels = np.ascontiguousarray(np.round(np.clip(frames, 0, 1) * 255).astype(np.uint8))
        stride = ctypes.c_ssize_t(3 * width)
        for frame in pixels:  # in place, which movie.h allows
            plane = ctypes.c_void_p(frame.ctypes.data)
            self._check(self._library.movie_edit(self._editor, ctypes.byref(plane), ctypes.byref(stride),
                                                 ctypes.byref(plane), ctypes.byref(stride)))
        return pixels.astype(np.float32) / 255

    def _check(self, status: int) -> None:
        if status:
            raise EngineError(self._library.movie_error(self._editor).decode())

    def gmac(self, width: int, height: int) -> float:
        """Multiply-adds a frame, 10^9, as `movied model info` counts them (two operations each)."""
        command = [self.program, "model", "info", self.model, "--size", f"{width}x{height}"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        _, _, work = text.partition("GFLOP\n")
        found = re.search(r"^together\s+([\d.]+)", work, re.MULTILINE)
        if not found:
            raise EngineError(f"'{self.program} model info' printed no line 'together' with GFLOP a frame: {text!r}")
        return float(found[1]) / 2
