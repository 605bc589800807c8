"""Pairs of frames that show one picture through two windows, some whole pixels apart: their edits must agree exactly.

A network on patches of 2 x 2 pixels sees another picture when its source moves by one pixel, and is free to draw another
line. On moving video that is most of its flicker: along known motion, without any noise, nano's change was twice that of
its stylizers, and it fell to a fifth where the motion was a multiple of two pixels. Whole pixels need no interpolation,
so nothing but that is left of such a pair's difference.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from . import motion
from .batches import Batch

#: How far apart the windows may be in each direction, in pixels.
REACH = 3


class Pairs(Protocol):
    """A source of pairs of neighbouring frames."""

    def draw_pairs(self, rng: np.random.Generator, size: int, crop: int) -> tuple[Batch, Batch, Tensor]:
        """First frames, second ones with the same edits and prompts, and the flow [size, 3, crop, crop] back."""


class Shifted:
    """Draws from `pairs`, but in `share` (0...1) of the batches replaces each second frame by the first one, shifted.

    The camera's noise is shifted with the picture. At least one of the two distances is odd.
    """

    def __init__(self, pairs: Pairs, share: float):
        if not 0 <= share <= 1:
            raise ValueError(f"data.shifted is {share!r}: it must be a share of the batches, 0 to 1")
        self.pairs, self.share = pairs, share

    def draw_pairs(self, rng: np.random.Generator, size: int, crop: int) -> tuple[Batch, Batch, Tensor]:
        if rng.random() >= self.share:
            return self.pairs.draw_pairs(rng, size, crop)
        wide, _, _ = self.pairs.draw_pairs(rng, size, crop + 2 * REACH)
        shifts = draw_shifts(rng, size)
        flow = torch.ones(size, 3, crop, crop, device=wide.source.device)
        flow[:, :2] = torch.from_numpy(shifts).to(flow).view(size, 2, 1, 1)
        return window(wide, 0 * shifts, crop), window(wide, shifts, crop), motion.inside_frame(flow)


def draw_shifts(rng: np.random.Generator, size: int) -> np.ndarray:
    """[size, 2] whole pixels, x before y, not both even."""
    shifts = rng.integers(-REACH, REACH + 1, (size, 2))
    even = (shifts % 2 == 0).all(1)
    shifts[even, rng.integers(2, size=size)[even]] = rng.choice([-1, 1], size)[even]
    return shifts


def window(wide: Batch, shifts: np.ndarray, crop: int) -> Batch:
    """The crop x crop pixels in the middle of each sample, moved by its shift."""
    def cut(pictures: Tensor) -> Tensor:
        return torch.stack([picture[:, REACH + y : REACH + y + crop, REACH + x : REACH + x + crop]
                            for picture, (x, y) in zip(pictures, shifts.tolist())])

    return Batch(cut(wide.source), cut(wide.edited), wide.prompts, wide.edits)
