"""What data gives to training: batches of (source, instruction, edited picture)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor


@dataclass
class Batch:
    source: Tensor      # [batch, 3, height, width], -1...1, float32, on the run's device
    edited: Tensor      # the same shape: the edit at full strength
    prompts: list[str]
    edits: list[str]    # the stylizer's name of each sample; "" where not known (a data set)


class Triplets(Protocol):
    def draw(self, rng: np.random.Generator, size: int, crop: int) -> Batch: ...
