"""What cameras do to pictures, in torch for whole batches: colour, exposure, gamma, focus, noise, compression."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor
from torch.nn import functional as F

from .torch_draws import Draws
from .torch_stylizers import mirrored

#: The quantization tables of the JPEG standard (annex K), for quality 50.
LUMINANCE = [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
             14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
             49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99]
CHROMINANCE = [17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
               47, 66, 99, 99, 99, 99, 99, 99] + [99] * 32
#: JFIF: luma, blue and red difference.
YCBCR = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]


def turn_hue(picture: Tensor, angle: Tensor) -> Tensor:
    """Turns colours about the grey axis by `angle` radians, [count, 1, 1, 1]."""
    cosine, sine, third = angle.cos(), angle.sin() / math.sqrt(3), (1 - angle.cos()) / 3
    return picture * cosine + third * picture.sum(1, keepdim=True) + sine * (picture.roll(1, 1) - picture.roll(-1, 1))


def change_colours(draws: Draws, picture: Tensor) -> Tensor:
    grey = picture.mean(1, keepdim=True)
    # A third of those that change their colours is nearly grey, as in sources.py.
    picture = grey + (picture - grey) * torch.where(draws.chance(0.33) > 0, draws.uniform(0, 0.3), draws.uniform(0.3, 1.8))
    picture = turn_hue(picture, draws.chance(0.4) * draws.uniform(-math.pi, math.pi))
    picture = (picture - 0.5) * draws.uniform(0.6, 1.35) + 0.5 + draws.uniform(-0.15, 0.15)
    return picture * (1 + draws.chance(0.7) * draws.uniform(-0.15, 0.15, 3))


def gaussian_matrix(sigma: Tensor, size: int) -> Tensor:
    """[count, 1, size, size] that blurs columns (from the left) with a deviation of `sigma` pixels for each sample."""
    radius = 7  # enough for a deviation of 1.8
    offsets = torch.arange(-radius, radius + 1, device=sigma.device)
    weights = (-offsets.square() / (2 * sigma * sigma)).exp()
    weights = (weights / weights.sum(-1, keepdim=True)).expand(-1, -1, size, -1)
    columns = mirrored(torch.arange(size, device=sigma.device)[:, None] + offsets, size)
    matrix = torch.zeros(len(sigma), 1, size, size, device=sigma.device)
    return matrix.scatter_add_(3, columns.expand_as(weights), weights)


def defocus(draws: Draws, picture: Tensor) -> Tensor:
    sigma = draws.uniform(0.4, 1.8)
    rows, columns = (gaussian_matrix(sigma, size) for size in picture.shape[-2:])
    return rows @ picture @ columns.transpose(-1, -2)


@functools.cache
def cosine_matrix(device: torch.device) -> Tensor:
    """The orthonormal 8 x 8 cosine transform."""
    frequency, position = torch.arange(8.0)[:, None], torch.arange(8.0)[None]
    matrix = torch.cos((2 * position + 1) * frequency * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    return matrix.to(device)


def quantize(planes: Tensor, table: list[int], quality: Tensor) -> Tensor:
    """Planes [count, channels, height, width] in levels about 0 after JPEG's quantization; sides are multiples of 8."""
    factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
    steps = (planes.new_tensor(table).view(1, 1, 1, 1, 8, 8) * factor[..., None, None]).round().clamp(1, 255)
    count, channels, height, width = planes.shape
    transform = cosine_matrix(planes.device)
    blocks = planes.view(count, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    coefficients = (transform @ blocks @ transform.T / steps).round() * steps
    return (transform.T @ coefficients @ transform).transpose(3, 4).reshape(planes.shape)


def jpeg(picture: Tensor, quality: Tensor) -> Tensor:
    """Pictures in 0...1 as JPEG of this quality [count, 1, 1, 1] shows them: chroma at half the size, 8 x 8 blocks."""
    height, width = picture.shape[-2:]
    padded = F.pad(picture, (0, -width % 16, 0, -height % 16), mode="replicate") * 255
    matrix = picture.new_tensor(YCBCR)
    planes = torch.einsum("ij,bjhw->bihw", matrix, padded)
    grey = quantize(planes[:, :1] - 128, LUMINANCE, quality) + 128
    chroma = quantize(F.avg_pool2d(planes[:, 1:], 2), CHROMINANCE, quality)
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    decoded = torch.einsum("ij,bjhw->bihw", torch.linalg.inv(matrix), torch.cat([grey, chroma], 1))
    return (decoded[..., :height, :width] / 255).clamp(0, 1)


def augment(draws: Draws, picture: Tensor) -> Tensor:
    """Pictures in 0...1 as different cameras would show them; each effect in its share of the samples."""
    picture = apply(draws, 0.6, picture, change_colours)
    picture = picture.clamp(0, 1) ** draws.uniform(0.7, 1.5)
    picture = apply(draws, 0.3, picture, defocus)
    deviation = draws.chance(0.5) * draws.uniform(0.003, 0.03)
    picture = (picture + deviation * draws.noise(3, *picture.shape[-2:])).clamp(0, 1)
    return apply(draws, 0.3, picture, lambda part, chosen: jpeg(chosen, part.uniform(35, 95).floor()))


def apply(draws: Draws, share: float, picture: Tensor, effect) -> Tensor:
    """`effect(draws, pictures)` on this share of the samples."""
    chosen = draws.chance(share).flatten() > 0
    if chosen.any():
        picture = picture.clone()
        picture[chosen] = effect(draws.of(int(chosen.sum())), picture[chosen])
    return picture
