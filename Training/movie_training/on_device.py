"""Training triplets, and pairs of neighbouring frames, made from nothing on the device that trains."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from . import motion, stylizers, torch_sources, torch_stylizers
from .batches import Batch
from .instructions import Instructions, edit_weights
from .pair_pool import noisy
from .pool import BORDER

#: A GPU makes at least so many samples at once: small batches would leave it waiting for its next command.
CHUNK = 512


class OnDevice:
    """Endless triplets: sources of torch_sources, each with its own edit by torch_stylizers and a prompt for it.

    The same random numbers give the same batches. `chunk` samples are made at a time and handed out in turn. `noise`,
    0...1, is the most that a camera's noise deviates in the sources of pairs (see PairPool).
    """

    def __init__(self, settings: dict, device: torch.device | str = "cpu", noise: float = 0.0,
                 chunk: int | None = None):
        self.instructions, self.device, self.noise = Instructions(edit_weights(settings)), torch.device(device), noise
        self.chunk = chunk if chunk is not None else CHUNK if self.device.type == "cuda" else 1
        self.ready: dict[int, Batch] = {}  # made and not yet handed out, by crop

    def draw(self, rng: np.random.Generator, size: int, crop: int) -> Batch:
        """`size` triplets of crop x crop pixels."""
        ready = self.ready.pop(crop, None)
        if ready is None or len(ready.edits) < size:
            ready = self._make(rng, max(size, self.chunk), crop)
        drawn, rest = parts(ready, size)
        if rest.edits:
            self.ready = {crop: rest}
        return drawn

    def draw_pairs(self, rng: np.random.Generator, size: int, crop: int) -> tuple[Batch, Batch, Tensor]:
        """First frames, second frames with the same edits and prompts, and the flow back to the first.

        The flow is [size, 3, crop, crop]: x and y in pixels, and 1 where it can be trusted.
        """
        generator, frame = self._generator(rng), crop + 2 * BORDER
        edits, prompts = self.instructions.draw(rng, size)
        canvas = torch_sources.sample(generator, size, *[frame + 2 * motion.MARGIN] * 2, self.device)
        first, second, flow = motion.neighbours(canvas, canvas.roll(1, 0), generator, frame, frame)
        edited = stylize_each(torch.cat([first, second]), edits * 2)
        sources = noisy(pixels(torch.cat([first, second])).unflatten(0, (2, size)), rng, self.noise)
        batches = [Batch(source, pixels(target), prompts, edits)
                   for source, target in zip(sources, edited.split(size))]
        return *batches, motion.inside_frame(inner(flow))

    def _make(self, rng: np.random.Generator, size: int, crop: int) -> Batch:
        edits, prompts = self.instructions.draw(rng, size)
        sources = torch_sources.sample(self._generator(rng), size, *[crop + 2 * BORDER] * 2, self.device)
        return Batch(pixels(sources), pixels(stylize_each(sources, edits)), prompts, edits)

    def _generator(self, rng: np.random.Generator) -> torch.Generator:
        return torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))


def inner(planes: Tensor) -> Tensor:
    """Without the border in which stylizers see the picture's edge."""
    return planes[..., BORDER:-BORDER, BORDER:-BORDER]


def pixels(pictures: Tensor) -> Tensor:
    """Pictures in 0...1 as a batch holds them: without their border, in -1...1."""
    return inner(pictures).contiguous() * 2 - 1


def stylize_each(pictures: Tensor, edits: list[str]) -> Tensor:
    """Each picture with its own edit, those of one edit together."""
    edited = pictures.clone()
    for edit in sorted(set(edits)):
        if edit in stylizers.WHOLE:  # made of the crop (whole.py)
            continue
        chosen = torch.tensor([index for index, name in enumerate(edits) if name == edit], device=pictures.device)
        edited[chosen] = torch_stylizers.stylize(edit, pictures[chosen])
    return edited


def parts(batch: Batch, size: int) -> tuple[Batch, Batch]:
    """The first `size` samples and the others."""
    return tuple(Batch(batch.source[part], batch.edited[part], batch.prompts[part], batch.edits[part])
                 for part in (slice(None, size), slice(size, None)))
