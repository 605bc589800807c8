"""Pictures to time and to calibrate on."""

from __future__ import annotations

import pathlib

import cv2
import numpy as np
from movie_training import sources

from . import BenchmarkError

MOST_READ = 300  # frames of a clip


def to_bytes(picture: np.ndarray) -> np.ndarray:
    """Floats in 0...1 to uint8."""
    return (picture * 255).round().astype(np.uint8)


def test_frame(width: int, height: int) -> np.ndarray:
    """A photograph that neither training nor calibration sees, uint8 [height, width, 3]."""
    return to_bytes(sources.kept_out("coffee", width, height))


def clip_frames(clip: pathlib.Path, width: int, height: int, count: int) -> list[np.ndarray]:
    """Frames spread evenly over the first seconds of a clip."""
    capture, frames = cv2.VideoCapture(str(clip)), []
    while len(frames) < MOST_READ:
        is_read, frame = capture.read()
        if not is_read:
            break
        frames.append(frame)
    capture.release()
    if not frames:
        raise BenchmarkError(f"{clip} has no frame that can be read: name a video clip to calibrate on")
    chosen = [frames[round(index)] for index in np.linspace(0, len(frames) - 1, count)]
    return [cv2.cvtColor(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
            for frame in chosen]


def calibration_frames(clips: list[pathlib.Path], width: int, height: int, most: int) -> list[np.ndarray]:
    """`most` frames: of the clips, or without clips pictures as training has them."""
    if not clips:
        pictures = [to_bytes(sources.sample(np.random.default_rng(seed), 384, 512)) for seed in range(most)]
        return [cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for picture in pictures]
    each = -(-most // len(clips))
    return [frame for clip in clips for frame in clip_frames(clip, width, height, each)][:most]
