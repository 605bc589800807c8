"""What can be evaluated: an editing takes frames and a prompt, and gives edited frames."""

from __future__ import annotations

import functools
from typing import Protocol

import numpy as np
import torch

from .. import prompts, stylizers
from ..editor import Editor

#: Defaults of every editing, as in the paper's demonstration.
GUIDANCE_SCALE, IMAGE_GUIDANCE_SCALE = 7.5, 1.5


class Editing(Protocol):
    """A model in some engine.

    It may also have `passes`, the UNet's forward passes a frame (default 1), and `gmac(width, height)`, its cost in
    10^9 multiply-adds a frame; without the latter, PyTorch counts them while a frame is edited.
    """

    name: str

    def edit(self, frames: np.ndarray, prompt: str, guidance_scale: float = GUIDANCE_SCALE,
             image_guidance_scale: float = IMAGE_GUIDANCE_SCALE) -> np.ndarray:
        """Edits the frames of one video, in their order; float32 [frames, height, width, 3] in 0...1, the same back."""
        ...


class TorchEditing:
    """The one-step editor in PyTorch, each frame by itself, from the same noise."""

    passes = 1

    def __init__(self, model: Editor, name: str = "torch", seed: int = 0):
        self.model, self.name, self.seed = model, name, seed
        self._encode = functools.lru_cache(maxsize=256)(lambda prompt: model.encode_prompt([prompt]))

    @torch.no_grad()
    def edit(self, frames: np.ndarray, prompt: str, guidance_scale: float = GUIDANCE_SCALE,
             image_guidance_scale: float = IMAGE_GUIDANCE_SCALE) -> np.ndarray:
        """As `Editing.edit`; height and width are multiples of the model's factor."""
        device = next(self.model.parameters()).device
        scales = (torch.tensor([scale], device=device) for scale in (guidance_scale, image_guidance_scale))
        inputs = self._noise(*frames.shape[1:3]).to(device), prompt, *scales
        outputs = []
        for frame in frames:
            pixels = torch.from_numpy(np.ascontiguousarray(frame)).to(device).permute(2, 0, 1)[None] * 2 - 1
            output = self._edit(pixels, *inputs)
            outputs.append(((output[0].permute(1, 2, 0) + 1) / 2).clamp(0, 1).float().cpu().numpy())
        return np.stack(outputs)

    def _edit(self, pixels: torch.Tensor, noise: torch.Tensor, prompt: str, *scales: torch.Tensor) -> torch.Tensor:
        """One frame, as `Editor.edit` takes and gives it."""
        return self.model.edit(pixels, noise, self._encode(prompt), *scales)

    def _noise(self, height: int, width: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(self.seed)
        return torch.randn(1, 4, height // self.model.factor, width // self.model.factor, generator=generator)


class Stylizing:
    """The stylizers themselves, blended as training's targets are: the editing that a perfect student would be.

    It knows the canonical and the kept-out prompts; others raise KeyError.
    """

    name, passes = "stylizers", 0

    def __init__(self) -> None:
        self._named = {prompt: edit for edit, prompt in prompts.CANONICAL.items()}
        self._named |= {prompt: edit for edit, sentences in prompts.KEPT_OUT.items() for prompt in sentences}
        self._edited: dict[tuple[str, bytes], np.ndarray] = {}

    def edit(self, frames: np.ndarray, prompt: str, guidance_scale: float = GUIDANCE_SCALE,
             image_guidance_scale: float = IMAGE_GUIDANCE_SCALE) -> np.ndarray:
        """As `Editing.edit`."""
        edit, amount = self._named[prompt], float(stylizers.strength(guidance_scale, image_guidance_scale))
        return np.stack([stylizers.blend(f, self._stylized(edit, f), amount) for f in frames]).astype(np.float32)

    def _stylized(self, edit: str, frame: np.ndarray) -> np.ndarray:
        key = edit, frame.tobytes()
        if key not in self._edited:
            self._edited[key] = stylizers.stylize(edit, frame)
        return self._edited[key]

    @staticmethod
    def gmac(width: int, height: int) -> float:
        return 0.0
