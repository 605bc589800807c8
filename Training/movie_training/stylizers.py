"""The classical stylizers that the nano model learns to imitate, one function an edit.

Every stylizer maps an RGB picture, float32 [height, width, 3] in 0...1, to another of the same shape and range.
They keep three rules, so that neighbouring frames of a video agree: they are local (finite support), they use no
statistics of the whole picture, and they contain no noise. Thresholds are soft: a hard one flickers and cannot be learned.
The edits in WHOLE break the second rule on purpose: they need to know the light of the whole picture, and a video of
them is steady only where all frames are edited by the light of one, the anchor.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

cv2.setNumThreads(1)

Picture = np.ndarray
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def luma(picture: Picture) -> np.ndarray:
    """Rec. 601 luma, [height, width]."""
    return picture @ LUMA


def blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def saturate(picture: Picture, factor: float) -> Picture:
    """Moves every colour away from (factor > 1) or towards (factor < 1) its own grey."""
    grey = luma(picture)[..., None]
    return np.clip(grey + (picture - grey) * factor, 0, 1)


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    ramp = np.clip((value - low) / (high - low), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def smooth_colours(picture: Picture, passes: int, diameter: int = 7, range_sigma: float = 0.12) -> Picture:
    """Edge-preserving smoothing by repeated bilateral filters."""
    for _ in range(passes):
        picture = cv2.bilateralFilter(np.ascontiguousarray(picture), diameter, range_sigma, 4)
    return picture


def soft_levels(value: np.ndarray, levels: int, sharpness: float) -> np.ndarray:
    """Posterization whose steps have a slope instead of a jump."""
    scaled = value * levels
    base = np.floor(scaled)
    offset = scaled - base - 0.5
    return (base + 0.5 + 0.5 * np.tanh(2 * sharpness * offset) / np.tanh(sharpness)) / levels


def palette(value: np.ndarray, stops: list[float], colours: list[tuple[float, float, float]]) -> Picture:
    """Looks colours up along a piecewise linear ramp."""
    channels = [np.interp(value, stops, [colour[c] for colour in colours]) for c in range(3)]
    return np.stack(channels, -1).astype(np.float32)


def dark_lines(grey: np.ndarray, sigma: float, threshold: float, width: float) -> np.ndarray:
    """1 on the dark side of an edge, 0 elsewhere: a difference of Gaussians with a soft threshold."""
    return smoothstep(threshold, threshold + width, blur(grey, 1.6 * sigma) - blur(grey, sigma))


def kuwahara(picture: Picture, radius: float, sharpness: float) -> Picture:
    """Smooth Kuwahara filter: eight shifted Gaussian windows, the calmest counting most."""
    grey = luma(picture)
    mean, grey_mean = blur(picture, radius / 2), blur(grey, radius / 2)
    variance = np.maximum(blur(grey * grey, radius / 2) - grey_mean * grey_mean, 0)
    height, width = grey.shape
    total, weights = np.zeros_like(picture), np.zeros_like(grey)
    for sector in range(8):
        angle = sector * np.pi / 4
        shift = np.float32([[1, 0, radius * np.cos(angle)], [0, 1, radius * np.sin(angle)]])
        shifted = [
            cv2.warpAffine(m, shift, (width, height), borderMode=cv2.BORDER_REFLECT) for m in (mean, variance)
        ]
        weight = (1e-4 + shifted[1]) ** (-sharpness / 4)
        total += shifted[0] * weight[..., None]
        weights += weight
    return (total / weights[..., None]).astype(np.float32)


def edge_direction(grey: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors along the edges, from the smoothed structure tensor."""
    gx, gy = cv2.Scharr(grey, cv2.CV_32F, 1, 0), cv2.Scharr(grey, cv2.CV_32F, 0, 1)
    xx, xy, yy = blur(gx * gx, sigma), blur(gx * gy, sigma), blur(gy * gy, sigma)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def smear(picture: Picture, direction: tuple[np.ndarray, np.ndarray], length: int) -> Picture:
    """Line integral convolution: averages the picture along a field of directions."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    total = picture.copy()
    for sign in (1, -1):
        x, y = columns, rows
        step_x, step_y = direction[0] * sign, direction[1] * sign
        for _ in range(length):
            x, y = x + step_x, y + step_y
            total += cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            next_x, next_y = (
                cv2.remap(d, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT) for d in direction
            )
            turn = np.where(next_x * step_x + next_y * step_y < 0, -1, 1).astype(np.float32)
            step_x, step_y = next_x * turn, next_y * turn
    return total / (1 + 2 * length)


def identity(picture: Picture) -> Picture:
    return picture


def pencil(picture: Picture) -> Picture:
    """Graphite on paper: luma divided by its surroundings, with a light tone for dark regions."""
    grey = luma(picture)
    strokes = smoothstep(0.35, 1.02, np.clip(grey / (blur(grey, 7) + 0.02), 0, 1))
    tone = 0.72 + 0.28 * smoothstep(0.05, 0.65, blur(grey, 2))
    value = 0.97 * np.clip(strokes * tone, 0, 1)
    return np.stack([value, value, value * 0.985], -1)


def ink(picture: Picture) -> Picture:
    """Comic book: flat, bright, saturated colours under black contours."""
    flat = smooth_colours(picture, 2)
    grey = luma(flat)
    bright = (0.12 + 0.88 * soft_levels(np.sqrt(np.clip(grey, 0, 1)), 4, 1.6))[..., None]
    colours = saturate(np.clip(flat * bright / (grey[..., None] + 0.03), 0, 1), 1.9)
    lines = dark_lines(blur(grey, 0.6), 1.3, 0.006, 0.02)
    return np.clip(colours * (1 - lines[..., None]), 0, 1)


def watercolor(picture: Picture) -> Picture:
    """Thin washes on white paper, pigment gathering at their borders."""
    wash = kuwahara(blur(smooth_colours(picture, 2, 9, 0.18), 0.8), 3, 6)
    grey = luma(wash)
    border = blur(grey, 1) - blur(grey, 3.5)
    pigment = np.clip(-3 * border, 0, 0.25) + np.clip(1.2 * np.abs(border), 0, 0.12)
    paper = 1 - 0.72 * (1 - saturate(wash, 1.45))
    return np.clip(paper - pigment[..., None], 0, 1)


def oil(picture: Picture) -> Picture:
    """Thick warm paint: strong Kuwahara patches, deep colours, light from the upper left on the relief."""
    paint = kuwahara(picture, 4, 8)
    relief = cv2.filter2D(
        blur(luma(paint), 1), -1, np.float32([[-1, -1, 0], [-1, 0, 1], [0, 1, 1]]), borderType=cv2.BORDER_REFLECT
    )
    warm = saturate(paint, 1.55) * np.float32([1.06, 0.98, 0.84])
    contrast = warm + 0.18 * (smoothstep(0.05, 0.95, warm) - warm)
    return np.clip(contrast + 0.6 * relief[..., None], 0, 1)


def van_gogh(picture: Picture) -> Picture:
    """Swirling strokes along the edges, in the blues and yellows of the Starry Night."""
    grey = luma(picture)
    direction = edge_direction(blur(grey, 1), 3.5)
    strokes = smear(picture, direction, 8)
    grey = luma(strokes)
    ridges = np.clip(2.6 * (grey - blur(grey, 2.2)), -0.28, 0.28)
    strokes = smear(np.clip(strokes + ridges[..., None], 0, 1), direction, 3)
    night = palette(
        luma(strokes),
        [0, 0.25, 0.5, 0.72, 1],
        [(0.02, 0.04, 0.2), (0.06, 0.2, 0.5), (0.28, 0.5, 0.62), (0.9, 0.72, 0.22), (1, 0.96, 0.72)],
    )
    return np.clip(0.42 * saturate(strokes, 1.7) + 0.58 * night, 0, 1)


def sepia(picture: Picture) -> Picture:
    grey = 0.06 + 0.92 * smoothstep(-0.15, 1.12, luma(picture))
    return np.clip(np.stack([1.1 * grey, 0.9 * grey, 0.66 * grey], -1), 0, 1)


def noir(picture: Picture) -> Picture:
    """Black-and-white film with hard light."""
    grey = luma(picture)
    grey = smoothstep(0.12, 0.86, grey + 0.5 * (grey - blur(grey, 4)))
    grey = grey + 0.12 * blur(grey, 5) * (1 - grey)
    return np.repeat(grey[..., None], 3, -1)


def night(picture: Picture) -> Picture:
    """Moonlight: dark, blue and pale, with the brightest spots glowing like lamps."""
    grey = luma(picture)
    moonlit = saturate(picture, 0.45) ** 1.5 * np.float32([0.26, 0.4, 0.72])
    lamps = smoothstep(0.7, 1.0, grey)
    glow = blur(lamps, 4)
    lit = lamps[..., None] * np.float32([0.75, 0.6, 0.3]) + glow[..., None] * np.float32([0.35, 0.26, 0.12])
    return np.clip(moonlit + lit, 0, 1)


def autumn(picture: Picture) -> Picture:
    """Greens turn to orange leaves, everything else into warm low light."""
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    grey = luma(picture)
    leaves = np.clip(4 * (green - np.maximum(red, blue)) + 0.25 * np.clip(3 * (green - blue), 0, 1), 0, 1)[..., None]
    orange = np.stack([1.55 * grey + 0.08, 0.78 * grey + 0.02, 0.2 * grey], -1)
    warm = (picture * (1 - leaves) + orange * leaves) * np.float32([1.15, 0.94, 0.62]) + np.float32([0.06, 0.015, 0])
    return saturate(np.clip(warm, 0, 1), 1.25)


def neon(picture: Picture) -> Picture:
    """Glowing outlines on a dark picture, coloured by their direction."""
    soft = blur(picture, 1)
    gx = sum(cv2.Scharr(soft[..., c], cv2.CV_32F, 1, 0) for c in range(3)) / 48
    gy = sum(cv2.Scharr(soft[..., c], cv2.CV_32F, 0, 1) for c in range(3)) / 48
    squared = gx * gx + gy * gy
    edges = smoothstep(0.02, 0.14, np.sqrt(squared + 1e-8))
    # A floor well above the sensor's noise keeps the colour of faint edges from jumping.
    cosine, sine = (gx * gx - gy * gy) / (squared + 1e-3), 2 * gx * gy / (squared + 1e-3)
    colour = np.stack([0.55 + 0.45 * cosine, 0.5 - 0.35 * cosine + 0.15 * sine, 0.78 + 0.22 * sine], -1)
    tubes = edges[..., None] * colour
    return np.clip(picture * np.float32([0.1, 0.07, 0.2]) + tubes + 1.1 * blur(tubes, 3.5), 0, 1)


def pop_art(picture: Picture) -> Picture:
    """A silkscreen print: four inks for warm regions, four others for cool ones."""
    flat = smooth_colours(picture, 1)
    levels = soft_levels(blur(luma(flat), 0.8), 4, 2.6)
    stops = [0.125, 0.375, 0.625, 0.875]
    warm = palette(levels, stops, [(0.13, 0.05, 0.35), (0.9, 0.1, 0.45), (1, 0.62, 0.05), (1, 0.97, 0.55)])
    cool = palette(levels, stops, [(0.02, 0.1, 0.3), (0, 0.45, 0.65), (0.25, 0.8, 0.7), (0.9, 1, 0.75)])
    coolness = smoothstep(-0.08, 0.08, blur(flat[..., 2] - flat[..., 0], 1.2))[..., None]
    return warm * (1 - coolness) + cool * coolness


def thermal(picture: Picture) -> Picture:
    return palette(
        blur(luma(picture), 1.3),
        [0, 0.2, 0.4, 0.6, 0.8, 1],
        [(0, 0, 0.12), (0.25, 0, 0.55), (0.75, 0.08, 0.5), (0.98, 0.45, 0.1), (1, 0.85, 0.15), (1, 1, 0.9)],
    )


def cinematic(picture: Picture, seen: Picture | None = None) -> Picture:
    """A colourist's grade: light, contrast and white balance corrected by the means and the deviation of all that is
    `seen`, then teal shadows and orange highlights.

    The correction is Reinhard's transfer of colour statistics (2001), in RGB: every frame is given the same mean light.
    """
    seen = picture if seen is None else seen
    contrast = 0.24 / (luma(seen).std() + 0.06)
    balanced = 0.42 + contrast * (picture - seen.mean((0, 1)))
    tone = smoothstep(-0.1, 1.1, saturate(np.clip(balanced, 0, 1), 1.2))
    grey = luma(tone)[..., None]
    return tone + np.float32([-0.09, 0.02, 0.1]) * (1 - grey) + np.float32([0.12, 0.01, -0.14]) * grey


EDITS: dict[str, Callable[[Picture], Picture]] = {
    function.__name__: function
    for function in (
        identity, pencil, ink, watercolor, oil, van_gogh, sepia, noir, night, autumn, neon, pop_art, thermal, cinematic,
    )
}
NAMES = list(EDITS)
#: The edits that depend on the whole picture.
WHOLE = ("cinematic",)
#: The others: what a pool holds, in this order. A crop of theirs is the edit of the crop.
LOCAL = [name for name in NAMES if name not in WHOLE]


def stylize(edit: str, picture: Picture, seen: Picture | None = None) -> Picture:
    """The edited picture, float32 in 0...1. `seen` is the frame whose light counts, this one unless given; only the
    edits in WHOLE look at it. Raises KeyError for an unknown edit."""
    edited = EDITS[edit](picture, seen) if edit in WHOLE else EDITS[edit](picture)
    return np.clip(edited, 0, 1).astype(np.float32)


def strength(guidance_scale, image_guidance_scale):
    """How strongly an edit shows at these guidance scales: 1 at the defaults (7.5, 1.5), at most 1.25.

    Works on numbers and arrays. Rises with the text scale, falls with the image scale, as equation 1 of the paper does.
    """
    ratio = (guidance_scale / 7.5) * (1.5 / image_guidance_scale)
    return np.where(ratio <= 1, ratio, 1 + 0.25 * (1 - np.exp(-4 * (ratio - 1))))


def blend(source: Picture, edited: Picture, amount: float) -> Picture:
    """The training target for a given strength: interpolation below 1, extrapolation above."""
    return np.clip(source + amount * (edited - source), 0, 1)
