"""Procedural scenes in torch: dead leaves, that is shapes of power-law sizes, lit, textured, with shadows and writing.

Scenes are painted layer by layer, a whole batch at a time. All samples share the kind of a layer's shape and of its
surface, which keeps the work for each layer small; everything else is drawn for each sample.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from . import torch_camera
from .outlines import OUTLINES
from .torch_draws import Draws
from .torch_stylizers import pixel_positions
from .torch_writing import write

SHADOW_SHIFT, SHADOW_SOFTNESS = 4, 4.0
#: Shares of scenes that get a first, a second, a third word.
WRITING_SHARES = (0.15, 0.1, 0.05)


def random_colour(draws: Draws, near: Tensor | None = None, spread: float = 0.2) -> Tensor:
    """[count, 3, 1, 1]: any colour, skin, wood and earth, or one like `near`."""
    value = draws.uniform()
    earth = torch.cat([1.05 * value, 0.85 * value + 0.02, 0.7 * value], 1)
    colour = torch.lerp(draws.uniform(channels=3) ** draws.one_of([0.7, 1, 1.5]), earth, draws.chance(0.35))
    if near is not None:
        colour = torch.lerp(colour, near + draws.normal(spread, 3), draws.chance(0.6))
    return colour.clamp(0, 1)


def cloud_noise(draws: Draws, height: int, width: int) -> Tensor:
    """Noise with a power-law spectrum, unit deviation, stretched by chance: clouds; [count, 1, height, width]."""
    fy = torch.fft.fftfreq(height, device=draws.device)[:, None]
    fx = torch.fft.rfftfreq(width, device=draws.device)[None]
    radius = (fx * fx * draws.uniform(0.3, 1) + fy * fy).sqrt() + 1 / 64
    spectrum = torch.fft.rfft2(draws.noise(1, height, width)) / radius ** draws.uniform(0.8, 2)
    noise = torch.fft.irfft2(spectrum, s=(height, width))
    return noise / (noise.std((2, 3), keepdim=True) + 1e-6)


def gradient(draws: Draws, height: int, width: int, start: Tensor, end: Tensor) -> Tensor:
    positions = pixel_positions(start.new_empty(1, 1, height, width))
    x, y = (positions / start.new_tensor([width, height]).view(1, 2, 1, 1)).split(1, 1)
    angle = draws.uniform(0, 2 * math.pi)
    ramp = x * angle.cos() + y * angle.sin()
    least, most = ramp.amin((2, 3), keepdim=True), ramp.amax((2, 3), keepdim=True)
    ramp = ((ramp - least) / (most - least + 1e-6)).clamp_min(1e-6) ** draws.uniform(0.6, 1.6)
    return torch.lerp(start, end, ramp)


def surface(draws: Draws, offset: Tensor, size: Tensor, colour: Tensor) -> Tensor:
    """A gradient, a shaded ball or flat; sometimes textured or striped. `offset` is from its middle, in pixels."""
    height, width = offset.shape[-2:]
    kind = draws.whole(0, 100)
    if kind < 35:
        painted = gradient(draws, height, width, colour, random_colour(draws, colour, 0.25))
    elif kind < 70:
        scaled = offset / size
        facing = (1.2 - scaled.square().sum(1, keepdim=True)).clamp_min(0.02).sqrt()
        shade = ((scaled * draws.normal(0.6, 2)).sum(1, keepdim=True) + 0.8 * facing).clamp(0, 1.2)
        painted = colour * (0.2 + 0.9 * shade) + 0.6 * draws.chance(0.4) * shade.clamp(0, 1) ** 20
    else:
        painted = colour
    if draws.whole(0, 100) < 35:
        painted = painted * (1 + cloud_noise(draws, height, width) * draws.uniform(0.03, 0.25))
    if draws.whole(0, 100) < 15:
        angle, frequency = draws.uniform(0, 2 * math.pi), draws.uniform(0.05, 0.8)
        along = (offset * torch.cat([angle.cos(), angle.sin()], 1)).sum(1, keepdim=True)
        painted = painted * (1 + 0.4 * torch.sin(along * frequency))
    return painted


def shape_size(draws: Draws, crowded: Tensor, width: int) -> Tensor:
    """A power law in crowded scenes, anything up to 0.4 of the width in others; pixels."""
    power_law = (3 / (0.9 * draws.uniform() + 0.0015).sqrt()).clamp(2, 0.55 * width)
    return torch.where(crowded, power_law, draws.uniform(6, 0.4 * width))


def paint_layer(draws: Draws, picture: Tensor, base: Tensor, crowded: Tensor) -> Tensor:
    """One shape on every picture, some with soft outlines, some with a shadow."""
    frame = picture.new_tensor([picture.shape[-1], picture.shape[-2]]).view(1, 2, 1, 1)
    size = shape_size(draws, crowded, picture.shape[-1])
    offset = pixel_positions(picture) - frame * draws.uniform(channels=2)
    inside = OUTLINES[draws.whole(0, len(OUTLINES))](draws, offset, size)
    softness = 1 + draws.chance(0.3) * draws.uniform(0.5, 7)
    if draws.whole(0, 100) < 25:
        shadow = torch.sigmoid(inside.roll((SHADOW_SHIFT, SHADOW_SHIFT), (2, 3)) * (1.7 / SHADOW_SOFTNESS))
        picture = picture * (1 - 0.45 * shadow)
    return torch.lerp(picture, surface(draws, offset, size, random_colour(draws, base, 0.35)),
                      (inside / softness + 0.5).clamp(0, 1))


def procedural(draws: Draws, height: int, width: int) -> Tensor:
    """Scenes, [count, 3, height, width]; colours may leave 0...1 a little. Half have few large shapes, half many."""
    base = random_colour(draws)
    picture = gradient(draws, height, width, base, random_colour(draws, base))
    grain = draws.uniform(0.01, 0.15) * draws.uniform(0.5, 1, 3) * draws.chance(0.6)
    picture = picture + grain * cloud_noise(draws, height, width)
    few = draws.chance(0.5) > 0
    layers = torch.where(few, draws.uniform(4, 20), draws.uniform(30, 90)).floor().flatten()
    order = layers.argsort(descending=True)  # so that those which still get shapes lie at the front
    picture, base, crowded, layers = picture[order], base[order], (layers > 20)[order].view(-1, 1, 1, 1), layers[order]
    for layer, painted in enumerate(remaining(layers.tolist())):
        part = slice(0, painted)
        picture[part] = paint_layer(draws.of(painted), picture[part], base[part], crowded[part])
    picture = picture[order.argsort()]
    for share in WRITING_SHARES:
        picture = torch_camera.apply(draws, share, picture, lambda part, some: write(part, some, random_colour(part)))
    return picture


def remaining(layers: list[float]) -> list[int]:
    """For each layer how many samples have it; `layers` is descending."""
    return [sum(count > layer for count in layers) for layer in range(int(max(layers, default=0)))]
