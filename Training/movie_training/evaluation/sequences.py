"""Video with known motion, made from photographs: a slow pan and zoom, a moving patch, a camera's noise."""

from __future__ import annotations

import dataclasses
import functools
import zlib

import cv2
import numpy as np

from .. import sources, stylizers
from .references import eight_bit

#: Of the camera, deviation in levels of 255.
NOISE = 2.0
#: Of the lens, in pixels: a picture as sharp as a photograph made smaller cannot be moved by fractions of pixels.
LENS = 0.7
#: Pixels a frame, and enlargement a frame.
PAN, ZOOM = (1.37, 0.61), 1.0015
#: The patch: pixels a frame, its radius in parts of the height, the softness of its rim in pixels.
PATCH_STEP, PATCH_RADIUS, PATCH_RIM = (3.3, -1.7), 0.14, 2.0


@dataclasses.dataclass
class Sequence:
    """`frames` float32 [n, height, width, 3] in 0...1, multiples of 1/255. For each pair of neighbours: `flow` float32
    [n - 1, height, width, 2], where (x, y) in pixels each pixel was in the frame before, and `valid` bool
    [n - 1, height, width], whether it was seen there."""

    frames: np.ndarray
    flow: np.ndarray
    valid: np.ndarray


@dataclasses.dataclass
class Scene:
    """A background larger than the frame, and another picture of which a round patch moves before it."""

    background: np.ndarray
    foreground: np.ndarray
    width: int
    height: int

    def camera(self, t: int) -> np.ndarray:
        """[2, 3] matrix: background position of a frame's pixel."""
        rows, columns = self.background.shape[:2]
        scale = ZOOM**-t
        left = (columns - self.width) / 2 - PAN[0] * 4 + PAN[0] * t + self.width * (1 - scale) / 2
        top = (rows - self.height) / 2 - PAN[1] * 4 + PAN[1] * t + self.height * (1 - scale) / 2
        return np.array([[scale, 0, left], [0, scale, top]])

    def offset(self, t: int) -> np.ndarray:
        """How far the patch has moved, (x, y) pixels."""
        return np.array(PATCH_STEP) * t

    def cover(self, t: int) -> np.ndarray:
        """How much of a pixel the patch covers, 0...1, [height, width]."""
        rows, columns = np.mgrid[: self.height, : self.width]
        x, y = np.array([0.35 * self.width, 0.6 * self.height]) + self.offset(t)
        distance = np.hypot(columns - x, rows - y)
        return np.clip((PATCH_RADIUS * self.height - distance) / PATCH_RIM + 0.5, 0, 1).astype(np.float32)

    def render(self, t: int) -> np.ndarray:
        """The frame without noise."""
        take = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        size = self.width, self.height
        behind = cv2.warpAffine(self.background, self.camera(t), size, flags=take, borderMode=cv2.BORDER_REFLECT)
        shift = np.column_stack([np.eye(2), -self.offset(t)])
        patch = cv2.warpAffine(self.foreground, shift, size, flags=take, borderMode=cv2.BORDER_REFLECT)
        cover = self.cover(t)[..., None]
        return np.clip(stylizers.blur(behind + cover * (patch - behind), LENS), 0, 1)

    def motion(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Where frame t's pixels were at t - 1, and whether they were seen there (see `Sequence`)."""
        rows, columns = np.mgrid[: self.height, : self.width].astype(np.float64)
        own, last = self.camera(t), self.camera(t - 1)
        flow = np.stack([(own[axis, axis] * at + own[axis, 2] - last[axis, 2]) / last[axis, axis]
                         for axis, at in enumerate((columns, rows))], -1)
        cover = self.cover(t)
        flow[cover > 0.5] = (np.stack([columns, rows], -1) - np.array(PATCH_STEP))[cover > 0.5]
        flow = flow.astype(np.float32)
        covered = cv2.remap(self.cover(t - 1), flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        inside = ((flow >= 0) & (flow <= [self.width - 1, self.height - 1])).all(-1)
        return flow, inside & (np.abs(cover - covered) < 0.02) & ((cover < 0.01) | (cover > 0.99))


@functools.lru_cache(maxsize=8)
def render(photograph: str, other: str, width: int = 512, height: int = 384, frames: int = 8) -> Sequence:
    """The sequence of one photograph, with a patch of another before it; the same on every call."""
    margin = 64
    scene = Scene(sources.kept_out(photograph, width + margin, height + margin * 3 // 4),
                  sources.kept_out(other, width, height), width, height)
    names = list(sources.KEPT_OUT)
    rng = np.random.default_rng(names.index(photograph) if photograph in names else zlib.crc32(photograph.encode()))
    clean = np.stack([scene.render(t) for t in range(frames)])
    noisy = clean + rng.normal(0, NOISE / 255, clean.shape)
    flow, valid = zip(*(scene.motion(t) for t in range(1, frames)))
    return Sequence(eight_bit(noisy), np.stack(flow), np.stack(valid))
