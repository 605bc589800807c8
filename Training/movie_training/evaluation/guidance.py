"""Whether the guidance scales control the edit, as Figure 4 of the paper shows.

Strength (`measures.edit_strength`) has to rise with the text scale s_T, likeness to the source (PSNR, dB) with the
image scale s_I; the figures are Spearman's rank correlations of each curve.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import prompts
from .engines import GUIDANCE_SCALE, IMAGE_GUIDANCE_SCALE, Editing
from .measures import edit_strength, psnr, rank_correlation
from .references import Scope, table

Figure = Callable[[np.ndarray], float]


def curve(editing: Editing, source: np.ndarray, prompt: str, scales: list[tuple[float, float]],
          figure: Figure) -> list[float]:
    """`figure` of the output at each (s_T, s_I)."""
    return [figure(editing.edit(source[None], prompt, *pair)[0]) for pair in scales]


def text_scales(scope: Scope) -> list[tuple[float, float]]:
    return [(scale, IMAGE_GUIDANCE_SCALE) for scale in scope.guidance_scales]


def image_scales(scope: Scope) -> list[tuple[float, float]]:
    return [(GUIDANCE_SCALE, scale) for scale in scope.image_guidance_scales]


def _of_edit(editing: Editing, edit: str, scope: Scope) -> dict:
    strengths, likenesses = [], []
    for pictures in table(scope).values():
        source, target = pictures["identity"], pictures[edit]
        strengths.append(curve(editing, source, prompts.CANONICAL[edit], text_scales(scope),
                               lambda output, s=source, t=target: edit_strength(s, t, output)))
        likenesses.append(curve(editing, source, prompts.CANONICAL[edit], image_scales(scope),
                                lambda output, s=source: psnr(output, s)))
    return {
        "strength_correlation": np.mean([rank_correlation(scope.guidance_scales, c) for c in strengths]),
        "likeness_correlation": np.mean([rank_correlation(scope.image_guidance_scales, c) for c in likenesses]),
        "strength": dict(zip(map(str, scope.guidance_scales), np.mean(strengths, 0))),
        "likeness": dict(zip(map(str, scope.image_guidance_scales), np.mean(likenesses, 0)))}


def guidance(editing: Editing, scope: Scope) -> dict[str, dict]:
    """edit -> both correlations (means over the photographs), and both mean curves: scale -> strength, dB."""
    return {edit: _of_edit(editing, edit, scope) for edit in scope.edits}
