"""The stylizers of stylizers.py in plain torch, for whole batches, on any device.

Pictures are float32 [batch, 3, height, width] in 0...1, planes [batch, channels, height, width]. Linear filters are
products with small square matrices, one for rows and one for columns: the picture's edge is part of the matrix, and a
matrix product is what every device does best. The edges are OpenCV's: BORDER_REFLECT (cba|abc), or BORDER_REFLECT_101
(cb|abc) where `reflect101` is set.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from . import stylizers


def in_float32(function: Callable) -> Callable:
    """Without gradients, and in float32 even where training runs in bfloat16: thresholds need every bit."""

    @functools.wraps(function)
    def wrapped(*arguments, **options):
        with torch.no_grad(), torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            return function(*arguments, **options)

    return wrapped


def mirrored(index: Tensor, size: int, reflect101: bool = False) -> Tensor:
    """Positions outside 0..<size folded back inside, as OpenCV's borders do."""
    period = max(1, 2 * size - 2) if reflect101 else 2 * size
    index = index.remainder(period)
    return torch.where(index < size, index, period - (0 if reflect101 else 1) - index)


@functools.lru_cache(maxsize=256)
def filter_matrix(taps: tuple[tuple[int, float], ...], size: int, reflect101: bool, device: torch.device) -> Tensor:
    """[size, size]: row i gathers weight x value at i + offset for every (offset, weight) of `taps`."""
    matrix, rows = torch.zeros(size, size, dtype=torch.float64), torch.arange(size)
    for offset, weight in taps:
        columns = mirrored(rows + offset, size, reflect101)
        matrix.index_put_((rows, columns), torch.tensor(weight, dtype=torch.float64), accumulate=True)
    return matrix.to(device, torch.float32)


def separable(planes: Tensor, down: tuple, across: tuple, reflect101: bool = False) -> Tensor:
    """Filters every plane with the taps `down` along columns and `across` along rows."""
    height, width = planes.shape[-2:]
    rows = filter_matrix(down, height, reflect101, planes.device)
    columns = filter_matrix(across, width, reflect101, planes.device)
    return rows @ (planes @ columns.T)


@functools.cache
def gaussian_taps(sigma: float) -> tuple[tuple[int, float], ...]:
    """cv2.GaussianBlur's kernel for float32 and size (0, 0): round(8 sigma + 1), made odd."""
    radius = (round(sigma * 8 + 1) | 1) // 2
    weights = [math.exp(-offset * offset / (2 * sigma * sigma)) for offset in range(-radius, radius + 1)]
    return tuple((offset, weight / sum(weights)) for offset, weight in zip(range(-radius, radius + 1), weights))


def shift_taps(distance: float) -> tuple[tuple[int, float], ...]:
    """Moves a picture by `distance` pixels towards larger positions, bilinear."""
    whole = math.floor(-distance)
    part = -distance - whole
    return ((whole, 1 - part), (whole + 1, part))


def luma(picture: Tensor) -> Tensor:
    """Rec. 601 luma, [batch, 1, height, width]."""
    return tint(picture, tuple(stylizers.LUMA.tolist())).sum(1, keepdim=True)


def tint(planes: Tensor, colour: tuple[float, float, float]) -> Tensor:
    return planes * planes.new_tensor(colour).view(3, 1, 1)


def blur(planes: Tensor, sigma: float) -> Tensor:
    taps = gaussian_taps(sigma)
    return separable(planes, taps, taps)


def saturate(picture: Tensor, factor: float) -> Tensor:
    """Moves every colour away from (factor > 1) or towards (factor < 1) its own grey."""
    return torch.lerp(luma(picture), picture, factor).clamp(0, 1)


def smoothstep(low: float, high: float, value: Tensor) -> Tensor:
    ramp = ((value - low) / (high - low)).clamp(0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def smooth_colours(picture: Tensor, passes: int, diameter: int = 7, range_sigma: float = 0.12,
                   space_sigma: float = 4) -> Tensor:
    """Repeated bilateral filters: a circular window, a range kernel on the L1 distance of colours; tap after tap."""
    radius, (height, width) = diameter // 2, picture.shape[-2:]
    reach = range(-radius, radius + 1)
    window = [(y, x) for y in reach for x in reach if y * y + x * x <= radius * radius]
    for _ in range(passes):
        padded = F.pad(picture, (radius,) * 4, mode="reflect")
        total, weights = torch.zeros_like(picture), torch.zeros_like(picture[:, :1])
        for y, x in window:
            near = padded[..., radius + y : radius + y + height, radius + x : radius + x + width]
            distance = (near - picture).abs_().sum(1, keepdim=True)
            space = -(y * y + x * x) / (2 * space_sigma * space_sigma)
            weight = distance.square_().mul_(-0.5 / (range_sigma * range_sigma)).add_(space).exp_()
            total.addcmul_(near, weight)
            weights += weight
        picture = total / weights
    return picture


def soft_levels(value: Tensor, levels: int, sharpness: float) -> Tensor:
    """Posterization whose steps have a slope instead of a jump."""
    scaled = value * levels
    base = scaled.floor()
    return (base + 0.5 + 0.5 * torch.tanh(2 * sharpness * (scaled - base - 0.5)) / math.tanh(sharpness)) / levels


def palette(value: Tensor, stops: list[float], colours: list[tuple[float, float, float]]) -> Tensor:
    """Looks colours up along a piecewise linear ramp: [batch, 1, ...] to [batch, 3, ...]."""
    looked_up = value.new_tensor(colours[0]).view(3, 1, 1).expand(-1, *value.shape[-2:])
    for low, high, start, end in zip(stops, stops[1:], colours, colours[1:]):
        step = tuple(b - a for a, b in zip(start, end))
        looked_up = looked_up + tint(((value - low) / (high - low)).clamp(0, 1), step)
    return looked_up


def dark_lines(grey: Tensor, sigma: float, threshold: float, width: float) -> Tensor:
    """1 on the dark side of an edge, 0 elsewhere: a difference of Gaussians with a soft threshold."""
    return smoothstep(threshold, threshold + width, blur(grey, 1.6 * sigma) - blur(grey, sigma))


def kuwahara(picture: Tensor, radius: float, sharpness: float) -> Tensor:
    """Smooth Kuwahara filter: eight shifted Gaussian windows, the calmest counting most."""
    grey = luma(picture)
    mean, grey_mean, square_mean = blur(torch.cat([picture, grey, grey * grey], 1), radius / 2).split([3, 1, 1], 1)
    calm = torch.cat([mean, (square_mean - grey_mean * grey_mean).clamp_min(0)], 1)
    total, weights = torch.zeros_like(picture), torch.zeros_like(grey)
    for sector in range(8):
        angle = sector * math.pi / 4
        moved = separable(calm, shift_taps(radius * math.sin(angle)), shift_taps(radius * math.cos(angle)))
        weight = (1e-4 + moved[:, 3:]) ** (-sharpness / 4)
        total.addcmul_(moved[:, :3], weight)
        weights += weight
    return total / weights


def scharr(planes: Tensor) -> tuple[Tensor, Tensor]:
    """cv2.Scharr along x and y."""
    slope, smooth = ((-1, -1.0), (1, 1.0)), ((-1, 3.0), (0, 10.0), (1, 3.0))
    return separable(planes, smooth, slope, reflect101=True), separable(planes, slope, smooth, reflect101=True)


def edge_direction(grey: Tensor, sigma: float) -> Tensor:
    """Unit vectors (x, y) along the edges, [batch, 2, height, width], from the smoothed structure tensor."""
    gx, gy = scharr(grey)
    xx, xy, yy = blur(torch.cat([gx * gx, gx * gy, gy * gy], 1), sigma).split(1, 1)
    angle = 0.5 * torch.atan2(2 * xy, xx - yy) + math.pi / 2
    return torch.cat([angle.cos(), angle.sin()], 1)


def pixel_positions(planes: Tensor) -> Tensor:
    """(x, y) of every pixel, [1, 2, height, width]."""
    height, width = planes.shape[-2:]
    ranges = [torch.arange(size, device=planes.device) for size in (height, width)]
    rows, columns = torch.meshgrid(*ranges, indexing="ij")
    return torch.stack([columns, rows])[None].to(planes.dtype)


def look_up(planes: Tensor, positions: Tensor, mode: str = "bilinear") -> Tensor:
    """cv2.remap with BORDER_REFLECT: the planes at positions [batch, 2, height, width] in pixels (x, y)."""
    size = planes.new_tensor([planes.shape[-1], planes.shape[-2]]).view(1, 2, 1, 1)
    grid = ((2 * positions + 1) / size - 1).permute(0, 2, 3, 1)
    return F.grid_sample(planes, grid, mode=mode, padding_mode="reflection", align_corners=False)


def smear(picture: Tensor, direction: Tensor, length: int) -> Tensor:
    """Line integral convolution: averages the picture along a field of directions."""
    channels, total = torch.cat([picture, direction], 1), picture.clone()
    for sign in (1, -1):
        position, step = pixel_positions(picture), direction * sign
        for _ in range(length):
            position = position + step
            colour, following = look_up(channels, position).split([3, 2], 1)
            total += colour
            step = torch.where((following * step).sum(1, keepdim=True) < 0, -following, following)
    return total / (1 + 2 * length)


def identity(picture: Tensor) -> Tensor:
    return picture


def pencil(picture: Tensor) -> Tensor:
    grey = luma(picture)
    strokes = smoothstep(0.35, 1.02, (grey / (blur(grey, 7) + 0.02)).clamp(0, 1))
    tone = 0.72 + 0.28 * smoothstep(0.05, 0.65, blur(grey, 2))
    return tint(0.97 * (strokes * tone).clamp(0, 1), (1, 1, 0.985))


def ink(picture: Tensor) -> Tensor:
    flat = smooth_colours(picture, 2)
    grey = luma(flat)
    bright = 0.12 + 0.88 * soft_levels(grey.clamp(0, 1).sqrt(), 4, 1.6)
    colours = saturate((flat * bright / (grey + 0.03)).clamp(0, 1), 1.9)
    return colours * (1 - dark_lines(blur(grey, 0.6), 1.3, 0.006, 0.02))


def watercolor(picture: Tensor) -> Tensor:
    wash = kuwahara(blur(smooth_colours(picture, 2, 9, 0.18), 0.8), 3, 6)
    grey = luma(wash)
    border = blur(grey, 1) - blur(grey, 3.5)
    pigment = (-3 * border).clamp(0, 0.25) + (1.2 * border.abs()).clamp(0, 0.12)
    return 1 - 0.72 * (1 - saturate(wash, 1.45)) - pigment


def relief_light(grey: Tensor) -> Tensor:
    """Light from the upper left: three neighbours to the lower right less three to the upper left."""
    height, width = grey.shape[-2:]
    padded = F.pad(grey, (1, 1, 1, 1), mode="replicate")
    lower = sum(padded[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in ((0, 1), (1, 0), (1, 1)))
    return lower - sum(padded[..., 1 - y : 1 - y + height, 1 - x : 1 - x + width] for y, x in ((0, 1), (1, 0), (1, 1)))


def oil(picture: Tensor) -> Tensor:
    paint = kuwahara(picture, 4, 8)
    relief = relief_light(blur(luma(paint), 1))
    warm = tint(saturate(paint, 1.55), (1.06, 0.98, 0.84))
    return torch.lerp(warm, smoothstep(0.05, 0.95, warm), 0.18) + 0.6 * relief


def van_gogh(picture: Tensor) -> Tensor:
    direction = edge_direction(blur(luma(picture), 1), 3.5)
    strokes = smear(picture, direction, 8)
    grey = luma(strokes)
    ridges = (2.6 * (grey - blur(grey, 2.2))).clamp(-0.28, 0.28)
    strokes = smear((strokes + ridges).clamp(0, 1), direction, 3)
    starry = palette(luma(strokes), [0, 0.25, 0.5, 0.72, 1],
                     [(0.02, 0.04, 0.2), (0.06, 0.2, 0.5), (0.28, 0.5, 0.62), (0.9, 0.72, 0.22), (1, 0.96, 0.72)])
    return 0.42 * saturate(strokes, 1.7) + 0.58 * starry


def sepia(picture: Tensor) -> Tensor:
    return tint(0.06 + 0.92 * smoothstep(-0.15, 1.12, luma(picture)), (1.1, 0.9, 0.66))


def noir(picture: Tensor) -> Tensor:
    grey = luma(picture)
    grey = smoothstep(0.12, 0.86, grey + 0.5 * (grey - blur(grey, 4)))
    return (grey + 0.12 * blur(grey, 5) * (1 - grey)).expand(-1, 3, -1, -1)


def night(picture: Tensor) -> Tensor:
    lamps = smoothstep(0.7, 1.0, luma(picture))
    moonlit = tint(saturate(picture, 0.45) ** 1.5, (0.26, 0.4, 0.72))
    return moonlit + tint(lamps, (0.75, 0.6, 0.3)) + tint(blur(lamps, 4), (0.35, 0.26, 0.12))


def autumn(picture: Tensor) -> Tensor:
    red, green, blue = picture.split(1, 1)
    leaves = (4 * (green - torch.maximum(red, blue)) + 0.25 * (3 * (green - blue)).clamp(0, 1)).clamp(0, 1)
    orange = tint(luma(picture), (1.55, 0.78, 0.2)) + picture.new_tensor([0.08, 0.02, 0]).view(3, 1, 1)
    warm = tint(torch.lerp(picture, orange, leaves), (1.15, 0.94, 0.62))
    return saturate((warm + picture.new_tensor([0.06, 0.015, 0]).view(3, 1, 1)).clamp(0, 1), 1.25)


def neon(picture: Tensor) -> Tensor:
    gx, gy = scharr(blur(picture, 1).sum(1, keepdim=True) / 48)
    squared = gx * gx + gy * gy
    edges = smoothstep(0.02, 0.14, (squared + 1e-8).sqrt())
    cosine, sine = (gx * gx - gy * gy) / (squared + 1e-3), 2 * gx * gy / (squared + 1e-3)
    colour = torch.cat([0.55 + 0.45 * cosine, 0.5 - 0.35 * cosine + 0.15 * sine, 0.78 + 0.22 * sine], 1)
    tubes = edges * colour
    return tint(picture, (0.1, 0.07, 0.2)) + tubes + 1.1 * blur(tubes, 3.5)


def pop_art(picture: Tensor) -> Tensor:
    flat, stops = smooth_colours(picture, 1), [0.125, 0.375, 0.625, 0.875]
    levels = soft_levels(blur(luma(flat), 0.8), 4, 2.6)
    warm = palette(levels, stops, [(0.13, 0.05, 0.35), (0.9, 0.1, 0.45), (1, 0.62, 0.05), (1, 0.97, 0.55)])
    cool = palette(levels, stops, [(0.02, 0.1, 0.3), (0, 0.45, 0.65), (0.25, 0.8, 0.7), (0.9, 1, 0.75)])
    return torch.lerp(warm, cool, smoothstep(-0.08, 0.08, blur(flat[:, 2:] - flat[:, :1], 1.2)))


def thermal(picture: Tensor) -> Tensor:
    return palette(blur(luma(picture), 1.3), [0, 0.2, 0.4, 0.6, 0.8, 1],
                   [(0, 0, 0.12), (0.25, 0, 0.55), (0.75, 0.08, 0.5), (0.98, 0.45, 0.1), (1, 0.85, 0.15), (1, 1, 0.9)])


def cinematic(picture: Tensor, seen: Tensor) -> Tensor:
    contrast = 0.24 / (luma(seen).std((1, 2, 3), unbiased=False, keepdim=True) + 0.06)
    balanced = 0.42 + contrast * (picture - seen.mean((2, 3), keepdim=True))
    tone = smoothstep(-0.1, 1.1, saturate(balanced.clamp(0, 1), 1.2))
    grey = luma(tone)
    return tone + tint(1 - grey, (-0.09, 0.02, 0.1)) + tint(grey, (0.12, 0.01, -0.14))


EDITS: dict[str, Callable[..., Tensor]] = {name: globals()[name] for name in stylizers.NAMES}


@in_float32
def stylize(edit: str, pictures: Tensor, seen: Tensor | None = None) -> Tensor:
    """The edited pictures, [batch, 3, height, width] float32 in 0...1. `seen` are the frames whose light counts, these
    unless given; only the edits in stylizers.WHOLE look at them. Raises KeyError for an unknown edit."""
    pictures = pictures.float()
    if edit in stylizers.WHOLE:
        return EDITS[edit](pictures, pictures if seen is None else seen.float()).clamp(0, 1)
    return EDITS[edit](pictures).clamp(0, 1)
