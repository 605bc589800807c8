"""The sources of sources.py in torch, for whole batches: procedural scenes and augmented crops of packaged photographs.

Everything is drawn from one torch.Generator and computed on its device. Photographs lie there in several sizes, so that
a crop at any scale is neither blurred nor aliased. The photographs kept out of training are never read here.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from . import sources, torch_camera
from .torch_draws import Draws
from .torch_scenes import cloud_noise, gradient, procedural, random_colour
from .torch_stylizers import in_float32, look_up, pixel_positions

#: Photographs are kept at 1, 1/sqrt(2), 1/2, ... of their size, down to the smallest scale that is drawn.
SCALES = [2 ** (-step / 2) for step in range(5)]


@functools.cache
def photographs(device: torch.device) -> tuple[list[list[Tensor]], Tensor, Tensor]:
    """Training photographs [1, 3, height, width] at every scale, faces [100, 1, 25, 25], and the weight of each."""
    whole = [torch.from_numpy(sources.load(path)).permute(2, 0, 1)[None].to(device) for path in sources.TRAINING]
    pyramids = [pyramid(picture) for picture in whole]
    faces = torch.from_numpy(np.load(sources.FACES).astype(np.float32))[:, None].to(device)
    weights = torch.tensor([*sources.TRAINING.values(), sources.FACES_WEIGHT], dtype=torch.float32, device=device)
    return pyramids, faces, weights


def pyramid(picture: Tensor) -> list[Tensor]:
    """The picture at every scale of SCALES."""
    sizes = [[round(side * scale) for side in picture.shape[-2:]] for scale in SCALES[1:]]
    return [picture] + [F.interpolate(picture, size, mode="bicubic", antialias=True) for size in sizes]


def crop_positions(draws: Draws, rows: int, columns: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Where each pixel of a crop lies in a picture, [count, 2, height, width], and the crop's scale, [count]."""
    least = max(height / rows, width / columns)
    scale = draws.uniform(math.log(max(0.35, least)), math.log(max(1.4, 1.05 * least))).exp()
    tilted = draws.chance(0.5)
    scale = scale * (1 + 0.25 * tilted)  # a turned crop is enlarged, so that few of its corners leave the picture
    angle = tilted * draws.uniform(-20, 20) * (math.pi / 180)
    mirror = 1 - 2 * draws.chance(0.5)
    size, frame = (angle.new_tensor(pair).view(1, 2, 1, 1) for pair in ((columns, rows), (width, height)))
    half = frame / scale / 2
    centre = half + (size - 2 * half).clamp_min(0) * draws.uniform(channels=2)
    x, y = (pixel_positions(angle.new_empty(1, 1, height, width)) - (frame - 1) / 2).split(1, 1)
    x = x * mirror
    turned = torch.cat([x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], 1)
    return turned / scale + centre - 0.5, scale.flatten()


def crops(draws: Draws, sizes: list[Tensor], height: int, width: int) -> Tensor:
    """Scaled, turned, mirrored crops of one photograph, each from the size that is nearest to its scale."""
    positions, scale = crop_positions(draws, *sizes[0].shape[-2:], height, width)
    level = (-2 * scale.log2()).round().clamp(0, len(SCALES) - 1).long()
    picture = torch.empty(draws.count, 3, height, width, device=draws.device)
    for index in level.unique().tolist():
        chosen, source = level == index, sizes[index]
        ratio = positions.new_tensor([source.shape[side] / sizes[0].shape[side] for side in (-1, -2)])
        scaled = (positions[chosen] + 0.5) * ratio.view(1, 2, 1, 1) - 0.5
        picture[chosen] = look_up(source.expand(len(scaled), -1, -1, -1), scaled, "bicubic")
    return picture


def portraits(draws: Draws, faces: Tensor, scenes: Tensor) -> Tensor:
    """Small grey faces, enlarged, tinted like skin, half before these scenes, half before plain backgrounds."""
    height, width = scenes.shape[-2:]
    side = min(height, width)
    size = draws.uniform(min(60, side / 2), side - 2)
    frame = size.new_tensor([width, height]).view(1, 2, 1, 1)
    centre = size / 2 + (frame - size) * draws.uniform(channels=2)
    offset = (pixel_positions(size.new_empty(1, 1, height, width)) - centre) / size
    offset = torch.cat([offset[:, :1] * (1 - 2 * draws.chance(0.5)), offset[:, 1:]], 1)
    chosen = faces[(draws.uniform().flatten() * len(faces)).long().clamp_max(len(faces) - 1)]
    face = look_up(chosen, (offset + 0.5) * faces.shape[-1] - 0.5, "bicubic")
    tint = torch.cat([torch.ones_like(size), draws.uniform(0.75, 1), draws.uniform(0.55, 1)], 1)
    oval = (offset / offset.new_tensor([0.38, 0.5]).view(1, 2, 1, 1)).square().sum(1, keepdim=True).sqrt()
    cover = torch.sigmoid((1 - oval) * size * 0.22)
    plain = gradient(draws, height, width, random_colour(draws), random_colour(draws))
    plain = plain + 0.1 * cloud_noise(draws, height, width)
    return torch.lerp(torch.lerp(plain, scenes, draws.chance(0.5)), face * tint, cover)


def pictures(draws: Draws, height: int, width: int, photograph_share: float) -> Tensor:
    """Scenes, portraits and crops of photographs. All scenes are painted at once: each layer has a fixed cost."""
    pyramids, faces, weights = photographs(draws.device)
    portrait, scene = len(pyramids), -1
    which = torch.multinomial(weights, draws.count, replacement=True, generator=draws.generator)
    which[draws.uniform().flatten() >= photograph_share] = scene
    picture = torch.empty(draws.count, 3, height, width, device=draws.device)
    painted = (which == scene) | (which == portrait)
    if painted.any():
        picture[painted] = procedural(draws.of(int(painted.sum())), height, width)
    for index in which.unique().tolist():
        chosen = which == index
        part = draws.of(int(chosen.sum()))
        if index == portrait:
            picture[chosen] = portraits(part, faces, picture[chosen])
        elif index != scene:
            picture[chosen] = crops(part, pyramids[index], height, width)
    return picture


@in_float32
def sample(generator: torch.Generator, count: int, height: int, width: int, device: torch.device | str,
           photograph_share: float = 0.65) -> Tensor:
    """Source pictures, float32 [count, 3, height, width] in 0...1. The generator must be on `device`."""
    if generator.device.type != torch.device(device).type:
        raise ValueError(f"the generator is on {generator.device}, the pictures on {device}: make one with "
                         f"torch.Generator('{device}')")
    draws = Draws(generator, count)
    return torch_camera.augment(draws, pictures(draws, height, width, photograph_share))
