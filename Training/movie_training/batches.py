"""What the stages of training learn from: batches of (source, prompt, edited) triplets, and the pools they come from."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from .instructions import Instructions, edit_weights
from .pool import plane


@dataclass
class Batch:
    """`source` and `edited` (the edit at full strength): [batch, 3, height, width], float32 in -1...1, on the run's device.

    `edits` names the stylizer of each sample, "" where there is none (a data set of triplets).
    """

    source: Tensor
    edited: Tensor
    prompts: list[str]
    edits: list[str]


class Triplets(Protocol):
    """A source of training samples."""

    def draw(self, rng: np.random.Generator, size: int, crop: int) -> Batch:
        """`size` random samples of crop x crop pixels; the same for the same state of `rng`."""
        ...


def to_tensor(pictures: list[np.ndarray], device: torch.device | str = "cpu") -> Tensor:
    """[batch, 3, height, width] in -1...1 of uint8 pictures [height, width, 3]."""
    stacked = torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2)
    return (stacked.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


class Pools:
    """Crops from the finished part of the pools that `movie_training.pool` writes."""

    def __init__(self, paths: list[pathlib.Path], settings: dict, device: torch.device | str = "cpu"):
        paths = [pathlib.Path(path) for path in paths]
        for path in paths:
            if not path.exists():
                raise FileNotFoundError(f"no pool at {path}: make it with python -m movie_training.pool {path}")
        self.arrays = [np.load(path, mmap_mode="r") for path in paths]
        self.counters = [path.with_suffix(".npy.count") for path in paths]
        self.instructions, self.device = Instructions(edit_weights(settings)), device

    def _crop(self, rng: np.random.Generator, edit: int, crop: int) -> tuple[np.ndarray, np.ndarray]:
        which = rng.integers(len(self.arrays))
        picture = self.arrays[which][rng.integers(int(self.counters[which].read_text()))]
        top, left = rng.integers(0, picture.shape[1] - crop + 1, 2)
        window = (slice(top, top + crop), slice(left, left + crop))
        step = 1 if rng.random() < 0.5 else -1
        source, edited = (picture[index][window][:, ::step] for index in (0, edit))
        return np.ascontiguousarray(source), np.ascontiguousarray(edited)

    def draw(self, rng: np.random.Generator, size: int, crop: int) -> Batch:
        """Raises ValueError for a crop larger than the pool's pictures."""
        side = min(array.shape[2] for array in self.arrays)
        if crop > side:
            raise ValueError(f"the crop is {crop} pixels; the pool's pictures have {side}: make a pool with --size {crop}")
        edits, prompts = self.instructions.draw(rng, size)
        pairs = [self._crop(rng, plane(edit), crop) for edit in edits]
        return Batch(to_tensor([source for source, _ in pairs], self.device),
                     to_tensor([edited for _, edited in pairs], self.device), prompts, edits)
