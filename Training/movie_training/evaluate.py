"""What training itself asks of the evaluation: loading an editor, one picture, a few figures for the log.

The evaluation of the model card is Training/evaluate.py.
"""

from __future__ import annotations

import pathlib

import numpy as np
import torch

from . import prompts, stylizers
from .editor import Editor, load_folder
from .evaluation.engines import GUIDANCE_SCALE, IMAGE_GUIDANCE_SCALE, TorchEditing
from .evaluation.measures import psnr
from .evaluation.references import Scope, table

__all__ = ["load", "psnr", "quick", "run"]


def run(model: Editor, picture: np.ndarray, prompt: str, guidance_scale: float = GUIDANCE_SCALE,
        image_guidance_scale: float = IMAGE_GUIDANCE_SCALE, seed: int = 0) -> np.ndarray:
    """One edited picture, float32 [height, width, 3] in 0...1."""
    return TorchEditing(model, seed=seed).edit(picture[None], prompt, guidance_scale, image_guidance_scale)[0]


def quick(model: Editor) -> dict[str, float]:
    """Mean PSNR of every edit at a quarter of the evaluation's area: a few seconds, for the log of a training run."""
    references = table(Scope(width=256, height=192)).values()
    return {edit: float(np.mean([psnr(run(model, pictures["identity"], prompts.CANONICAL[edit]), pictures[edit])
                                 for pictures in references])) for edit in stylizers.NAMES}


def load(work: pathlib.Path) -> Editor:
    """The editor of a model folder, or the moving average of a training run's checkpoint."""
    if (work / "model_index.json").exists():
        return load_folder(work)
    state = torch.load(work / "checkpoint.pt", weights_only=False)
    model = Editor(state["settings"], work / "tokenizer")
    model.load_state_dict(state["average"])
    return model.eval().requires_grad_(False)
