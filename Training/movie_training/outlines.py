"""Outlines of random shapes in torch, as the (rough) distance inside them in pixels: positive inside, negative outside.

Each function takes the draws, positions relative to the shape's middle [count, 2, height, width] in pixels and its size
[count, 1, 1, 1] in pixels, and returns [count, 1, height, width].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .torch_draws import Draws


def turned(positions: Tensor, angle: Tensor) -> Tensor:
    """Positions (x, y) turned by `angle` radians about the origin."""
    x, y = positions.split(1, 1)
    return torch.cat([x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], 1)


@dataclass
class Blob:
    """A smooth closed outline: its radius is a short Fourier series of the direction."""

    radius: Tensor      # [count, 1, 1, 1], pixels
    amplitudes: Tensor  # [count, waves, 1, 1]
    phases: Tensor

    @staticmethod
    def draw(draws: Draws, radius: Tensor, waves: int = 5) -> Blob:
        fall = torch.arange(1, waves + 1, device=draws.device).view(1, waves, 1, 1)
        return Blob(radius, draws.normal(0.23, waves) / fall, draws.uniform(0, 2 * math.pi, waves))

    def inside(self, offset: Tensor) -> Tensor:
        x, y = offset.split(1, 1)
        direction, reach = torch.atan2(y, x), 1.0
        for wave in range(self.amplitudes.shape[1]):
            amplitude, phase = self.amplitudes[:, wave : wave + 1], self.phases[:, wave : wave + 1]
            reach = reach + amplitude * torch.cos((wave + 1) * direction + phase)
        return self.radius * reach - (x * x + y * y).sqrt()


def blob(draws: Draws, offset: Tensor, size: Tensor) -> Tensor:
    return Blob.draw(draws, size).inside(offset)


def ellipse(draws: Draws, offset: Tensor, size: Tensor) -> Tensor:
    axes = torch.cat([size, size * draws.uniform(0.3, 1)], 1)
    scaled = turned(offset, draws.uniform(0, math.pi)) / axes
    length = scaled.square().sum(1, keepdim=True).sqrt() + 1e-6
    # The distance, to first order: the level's value over its slope.
    return (1 - length) * length / ((scaled / axes).square().sum(1, keepdim=True).sqrt() + 1e-6)


def box(draws: Draws, offset: Tensor, size: Tensor) -> Tensor:
    half = torch.cat([size, size * draws.uniform(0.1, 1)], 1)
    return (half - turned(offset, draws.uniform(0, math.pi)).abs()).amin(1, keepdim=True)


def polygon(draws: Draws, offset: Tensor, size: Tensor) -> Tensor:
    """A star-shaped polygon of three to seven corners at sorted angles, their number the same for all samples."""
    corners = draws.whole(3, 8)
    angle = draws.uniform(0, 2 * math.pi, corners).sort(1).values
    points = torch.stack([angle.cos(), angle.sin()], 1) * (size * draws.uniform(0.4, 1, corners))[:, None]
    inside = torch.zeros_like(offset[:, :1], dtype=torch.bool)
    nearest = torch.full_like(offset[:, :1], torch.inf)
    for start, end in zip(points.unbind(2), points.roll(-1, 2).unbind(2)):  # [count, 2, 1, 1] each
        nearest = torch.minimum(nearest, distance_to_segment(offset, start, end))
        # A ray to the right crosses this side: an odd number of crossings means inside.
        above = (start[:, 1:] > offset[:, 1:]) != (end[:, 1:] > offset[:, 1:])
        slope = (end[:, :1] - start[:, :1]) / (end[:, 1:] - start[:, 1:] + 1e-9)
        inside ^= above & (offset[:, :1] < start[:, :1] + slope * (offset[:, 1:] - start[:, 1:]))
    return torch.where(inside, nearest, -nearest)


def stroke(draws: Draws, offset: Tensor, size: Tensor) -> Tensor:
    """A broken line of two to six parts that wanders from the middle."""
    points = draws.normal(0.6, 2) * 0
    nearest, thickness = torch.full_like(offset[:, :1], torch.inf), draws.uniform(0.5, 2.5)
    for _ in range(draws.whole(2, 7)):
        following = points + draws.normal(0.6, 2) * size
        nearest = torch.minimum(nearest, distance_to_segment(offset, points, following))
        points = following
    return thickness - nearest


def distance_to_segment(positions: Tensor, start: Tensor, end: Tensor) -> Tensor:
    side = end - start
    along = ((positions - start) * side).sum(1, keepdim=True) / (side.square().sum(1, keepdim=True) + 1e-9)
    return (positions - start - side * along.clamp(0, 1)).square().sum(1, keepdim=True).sqrt()


#: sources.py draws an ellipse, a box, a polygon, a blob or a stroke, each as often.
OUTLINES = [ellipse, box, polygon, blob, stroke]
