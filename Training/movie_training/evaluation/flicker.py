"""Flicker: how much an edited video changes beside what its source does, both along the source's own, known motion.

    change(V) = sum |V_t - W V_t-1| / number of pixels,    flicker = change(output) / change(source)

V is luma in levels of 255; the sum runs over the pixels of a sequence (`sequences`) that were seen in the frame before;
W moves a picture by the motion that the sequence was made with (cubic interpolation). What is left of a source is its
camera's noise and what interpolation adds. So 1 says: the edit carries along what moves and leaves noise as it is;
more, that it makes noise and fractions of pixels visible, as hard thresholds do, or that details crawl.

The stylizers amplify noise too where they raise contrast, and so does a network that learned them to perfection. Their
own flicker on the same frames is therefore reported beside it, and the two in proportion.
"""

from __future__ import annotations

import cv2
import numpy as np

from .. import prompts, stylizers
from .engines import Editing
from .references import Scope
from .sequences import Sequence, render


def change(frames: np.ndarray, sequence: Sequence) -> float:
    """Mean change from frame to frame along the motion, in levels; frames as `sequence.frames`."""
    total, count = 0.0, 0
    grey = [stylizers.luma(frame) * 255 for frame in frames]
    for last, own, flow, valid in zip(grey, grey[1:], sequence.flow, sequence.valid):
        moved = cv2.remap(last, flow, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        total += np.abs(own - moved)[valid].sum(dtype=np.float64)
        count += valid.sum()
    return float(total / count)


def _of_edit(editing: Editing, edit: str, scope: Scope) -> dict[str, float]:
    rows = []
    for photograph in scope.photographs:
        sequence = render(photograph, scope.after(photograph), scope.width, scope.height, scope.frames)
        source = change(sequence.frames, sequence)
        output = change(editing.edit(sequence.frames, prompts.CANONICAL[edit]), sequence) / source
        own = change(np.stack([stylizers.stylize(edit, frame) for frame in sequence.frames]), sequence) / source
        rows.append((output, own, output / own))
    return dict(zip(("flicker", "flicker_of_stylizer", "flicker_to_stylizer"), np.mean(rows, 0)))


def flicker(editing: Editing, scope: Scope) -> dict[str, dict[str, float]]:
    """edit -> flicker of the output, of the stylizer, and the first in parts of the second (means of the sequences)."""
    return {edit: _of_edit(editing, edit, scope) for edit in scope.edits}
