"""Random numbers for every sample of a batch at once."""

from __future__ import annotations

import random

import torch
from torch import Tensor


class Draws:
    """Random numbers for `count` samples at a time, shaped [count, channels, 1, 1] to go with pictures."""

    def __init__(self, generator: torch.Generator, count: int, shared: random.Random | None = None):
        self.generator, self.count, self.device = generator, count, generator.device
        # Numbers for the whole batch come from the host, so that it need not wait for the device.
        self.shared = shared or random.Random(int(torch.randint(2**62, (), generator=generator, device=self.device)))

    def of(self, count: int) -> Draws:
        """The same randomness for another number of samples."""
        return Draws(self.generator, count, self.shared)

    def uniform(self, low: float = 0, high: float = 1, channels: int = 1) -> Tensor:
        draws = torch.rand(self.count, channels, 1, 1, generator=self.generator, device=self.device)
        return low + (high - low) * draws

    def normal(self, deviation: float = 1, channels: int = 1) -> Tensor:
        return deviation * torch.randn(self.count, channels, 1, 1, generator=self.generator, device=self.device)

    def chance(self, share: float) -> Tensor:
        """1 in this share of the samples, else 0."""
        return (self.uniform() < share).float()

    def one_of(self, values: list[float]) -> Tensor:
        choice = torch.randint(len(values), (self.count, 1, 1, 1), generator=self.generator, device=self.device)
        return torch.tensor(values, dtype=torch.float32, device=self.device)[choice]

    def noise(self, channels: int, height: int, width: int) -> Tensor:
        return torch.randn(self.count, channels, height, width, generator=self.generator, device=self.device)

    def whole(self, low: int, high: int) -> int:
        """One number in low..<high that all samples share."""
        return self.shared.randrange(low, high)
