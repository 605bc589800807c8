"""Pumping: how much an edit by the light of the whole picture changes where nothing moved, when something large comes
before the camera. An automatic exposure does that; an anchor frame, by whose light all others are edited, must not.
"""

from __future__ import annotations

import numpy as np

from .. import prompts, stylizers
from .engines import Editing
from .references import Scope, eight_bit, pictures

#: What comes before the camera: its part of the width, and its light in parts of the photograph's that it is cut from.
WIDTH, LIGHT = 0.3, 0.3
#: What lies so near to it, in parts of the width, is not judged: networks and stylizers look that far.
MARGIN = 0.1


def frames(photograph: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A photograph twice, then twice with a dark part of another one before its left side, [4, height, width, 3]."""
    covered, part = photograph.copy(), round(WIDTH * photograph.shape[1])
    covered[:, :part] = LIGHT * other[:, :part]
    return eight_bit(np.stack([photograph, photograph, covered, covered]))


def pumped(edited: np.ndarray) -> float:
    """Mean change of brightness between the second frame and the last where both show the same, in levels of 255."""
    before, after = (stylizers.luma(frame) * 255 for frame in (edited[1], edited[-1]))
    return float(np.abs(after - before)[:, round((WIDTH + MARGIN) * before.shape[1]):].mean())


def pumping(editing: Editing, scope: Scope) -> dict[str, dict[str, float]]:
    """edit -> levels, of the edits in stylizers.WHOLE: of `editing`, and of the stylizer that edits each frame by its own
    light. Means over the photographs."""
    rows = {edit: [] for edit in scope.edits if edit in stylizers.WHOLE}
    for edit, measured in rows.items():
        for name in scope.photographs:
            video = frames(*(pictures(each, scope.width, scope.height)["identity"] for each in (name, scope.after(name))))
            own = np.stack([stylizers.stylize(edit, frame) for frame in video])
            measured.append((pumped(editing.edit(video, prompts.CANONICAL[edit])), pumped(own)))
    return {edit: dict(zip(("pumping", "pumping_of_stylizer"), np.mean(measured, 0))) for edit, measured in rows.items()}
