"""Contact sheets to judge with the eye: every edit beside its stylizer, and the guidance strips of Figure 4."""

from __future__ import annotations

import pathlib

import cv2
import numpy as np

from .. import prompts
from .engines import Editing
from .guidance import image_scales, text_scales
from .references import Scope, pictures

#: A face, a room's table, a street.
SUBJECTS = ("astronaut", "coffee", "china")
#: Edits beside each other, and those of the guidance strips.
BAND = 5
STRIPS = (("astronaut", "watercolor"), ("astronaut", "pencil"), ("coffee", "night"), ("china", "pop_art"))
#: Height of a caption in pixels, and the quality of the JPEGs.
CAPTION, QUALITY = 22, 92


def captioned(picture: np.ndarray, caption: str) -> np.ndarray:
    """The picture under a white line of text."""
    line = np.full((CAPTION, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(line, caption, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([line.astype(np.float32) / 255, picture])


def _row(tiles: list[np.ndarray], length: int) -> np.ndarray:
    """Tiles beside each other, filled up with white."""
    return np.hstack([*tiles, *[np.ones_like(tiles[0])] * (length - len(tiles))])


def _half(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def edit_sheet(editing: Editing, photograph: str, scope: Scope) -> np.ndarray:
    """Bands of edits; each has the source above, the stylizer in the middle, the network below."""
    table, rows = pictures(photograph, scope.width, scope.height), []
    for start in range(0, len(scope.instructions), BAND):
        band = scope.instructions[start : start + BAND]
        outputs = [editing.edit(table["identity"][None], prompts.CANONICAL[edit])[0] for edit in band]
        rows.append(_row([captioned(table["identity"], "source") for _ in band], BAND))
        rows.append(_row([captioned(table[edit], f"{edit}: stylizer") for edit in band], BAND))
        rows.append(_row([captioned(o, f"{edit}: network") for edit, o in zip(band, outputs)], BAND))
    return np.vstack(rows)


def guidance_sheet(editing: Editing, scope: Scope) -> np.ndarray:
    """For each strip a row over s_T and one over s_I, the source first; at half the size."""
    text, image, rows = text_scales(scope), image_scales(scope), []
    own = scope.own_photographs
    length = 1 + max(len(text), len(image))
    for photograph, edit in STRIPS:
        source = pictures(own[0] if own else photograph, scope.width, scope.height)["identity"]
        for scales in (text, image):
            tiles = [captioned(_half(editing.edit(source[None], prompts.CANONICAL[edit], *pair)[0]),
                               f"{edit}: s_T {pair[0]:g}, s_I {pair[1]:g}") for pair in scales]
            rows.append(_row([captioned(_half(source), "source"), *tiles], length))
    return np.vstack(rows)


def write(editing: Editing, folder: pathlib.Path, scope: Scope = Scope()) -> None:
    """Writes edits-PHOTOGRAPH.jpg for each subject, or for each of the scope's own photographs, and guidance.jpg."""
    folder.mkdir(parents=True, exist_ok=True)
    sheets = {f"edits-{pathlib.Path(name).stem}": edit_sheet(editing, name, scope) for name in scope.own_photographs or SUBJECTS}
    sheets["guidance"] = guidance_sheet(editing, scope)
    for name, sheet in sheets.items():
        path = folder / f"{name}.jpg"
        pixels = (sheet[..., ::-1] * 255 + 0.5).astype(np.uint8)
        if not cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY]):
            raise OSError(f"cannot write the sheet {path}")
