"""Writing on pictures, in torch: words drawn once with OpenCV's fonts, then placed at random."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import torch
from torch import Tensor

from .torch_draws import Draws
from .torch_stylizers import look_up, pixel_positions

WORDS, HEIGHT, WIDTH = 128, 64, 448
LETTERS = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ 0123456789")


@functools.cache
def words(device: torch.device) -> Tensor:
    """Masks of words in several fonts and sizes, [words, 1, HEIGHT, WIDTH] in 0...1."""
    rng, masks = np.random.default_rng(0), np.zeros((WORDS, 1, HEIGHT, WIDTH), np.uint8)
    for mask in masks[:, 0]:
        text = "".join(rng.choice(LETTERS, rng.integers(3, 14)))
        cv2.putText(mask, text, (4, 44), int(rng.integers(0, 5)), rng.uniform(0.3, 1.6), 255, int(rng.integers(1, 3)),
                    cv2.LINE_AA)
    return torch.from_numpy(masks).to(device).float() / 255


def write(draws: Draws, picture: Tensor, colour: Tensor) -> Tensor:
    """One word of this colour [count, 3, 1, 1] on every picture, at most partly outside."""
    frame = picture.new_tensor([picture.shape[-1], picture.shape[-2]]).view(1, 2, 1, 1)
    place = torch.cat([draws.uniform(-20, 0.6 * frame[0, 0].item()), draws.uniform(-34, frame[0, 1].item() - 44)], 1)
    position = pixel_positions(picture) - place.round()
    chosen = words(draws.device)[(draws.uniform().flatten() * WORDS).long().clamp_max(WORDS - 1)]
    last = position.new_tensor([WIDTH - 1, HEIGHT - 1]).view(1, 2, 1, 1)
    within = ((position >= 0) & (position <= last)).all(1, keepdim=True)
    return torch.lerp(picture, colour, look_up(chosen, position) * within)
