"""One picture by an editor in PyTorch, for tests and export. The evaluation is Training/evaluate.py."""

from __future__ import annotations

import numpy as np

from .editor import Editor
from .evaluation.engines import GUIDANCE_SCALE, IMAGE_GUIDANCE_SCALE, TorchEditing
from .evaluation.measures import psnr

__all__ = ["psnr", "run"]


def run(model: Editor, picture: np.ndarray, prompt: str, guidance_scale: float = GUIDANCE_SCALE,
        image_guidance_scale: float = IMAGE_GUIDANCE_SCALE, seed: int = 0) -> np.ndarray:
    """One edited picture, float32 [height, width, 3] in 0...1."""
    return TorchEditing(model, seed=seed).edit(picture[None], prompt, guidance_scale, image_guidance_scale)[0]
