"""Finishes batches of edits that depend on the whole picture (stylizers.WHOLE), on the crop that the network will see.

Data sources hand out the source itself as such a sample's edited picture. Here it gets a light of its own, for a dark or
yellow room is what these edits are for, and is edited by the light of all that the crop shows. The second frame of a
pair is edited by the light of the first, and often something large comes before its camera: by its own light the whole
picture would change with it, by the anchor's it does not. That difference is what cross-frame attention has to bring.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from . import stylizers, torch_stylizers
from .batches import Batch

#: Shares of the samples with another light, and of the pairs with something before the camera.
LIGHT_SHARE, INTRUSION_SHARE = 0.5, 0.6
#: Factors of the light, of all channels and of each; and what part of a frame's width an intrusion takes.
GAIN, TINT, INTRUSION_WIDTH = (0.35, 1.3), (0.75, 1.1), (0.2, 0.5)


class Source(Protocol):
    """Draws triplets, pairs or both, as `batches.Triplets` and `shifted.Pairs` have them."""

    def draw(self, rng: np.random.Generator, size: int, crop: int) -> Batch: ...

    def draw_pairs(self, rng: np.random.Generator, size: int, crop: int) -> tuple[Batch, Batch, Tensor]: ...


class WholeFrames:
    """Draws from `data` and finishes what depends on the whole picture; everything else passes as it is."""

    def __init__(self, data: Source):
        self.data = data

    def draw(self, rng: np.random.Generator, size: int, crop: int) -> Batch:
        batch = self.data.draw(rng, size, crop)
        for index in whole(batch):
            change_light(rng, index, batch)
            edit(index, batch, batch.edited[index].clone())
        return batch

    def draw_pairs(self, rng: np.random.Generator, size: int, crop: int) -> tuple[Batch, Batch, Tensor]:
        first, second, flow = self.data.draw_pairs(rng, size, crop)
        for index in whole(first):
            change_light(rng, index, first, second)
            if rng.random() < INTRUSION_SHARE:
                intrude(rng, index, second, flow)
            seen = first.edited[index].clone()
            for batch in (first, second):
                edit(index, batch, seen)
        return first, second, flow


def whole(batch: Batch) -> list[int]:
    """The samples whose edit depends on the whole picture."""
    return [index for index, name in enumerate(batch.edits) if name in stylizers.WHOLE]


def change_light(rng: np.random.Generator, index: int, *frames: Batch) -> None:
    """More or less light, warmer or colder, the same in all frames; in a share of the samples."""
    if rng.random() >= LIGHT_SHARE:
        return
    gain = torch.tensor(np.exp(rng.uniform(*np.log(GAIN))) * rng.uniform(*TINT, 3), dtype=torch.float32).view(3, 1, 1)
    for batch in frames:
        for pictures in (batch.source, batch.edited):
            pictures[index] = ((pictures[index] + 1) * gain.to(pictures.device)).clamp(max=2) - 1


def intrude(rng: np.random.Generator, index: int, batch: Batch, flow: Tensor) -> None:
    """A part of another sample, in another light, covers one side of the frame; no flow leads there."""
    side = batch.source.shape[-1]
    part = round(side * rng.uniform(*INTRUSION_WIDTH))
    columns = slice(0, part) if rng.random() < 0.5 else slice(side - part, side)
    other = batch.source[index - 1][..., columns]
    covered = (0.5 * (other + 1) * float(rng.choice([0.3, 2.0]))).clamp(0, 1) * 2 - 1
    for pictures in (batch.source, batch.edited):
        pictures[index][..., columns] = covered
    flow[index, 2, :, columns] = 0


def edit(index: int, batch: Batch, seen: Tensor) -> None:
    """Replaces the edited picture, so far the source without noise, by its edit in the light of `seen` [3, height, width]."""
    picture = (batch.edited[index][None] + 1) / 2
    batch.edited[index] = torch_stylizers.stylize(batch.edits[index], picture, (seen[None] + 1) / 2)[0] * 2 - 1
