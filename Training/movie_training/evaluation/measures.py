"""Figures of merit for pictures: float arrays [height, width, 3] in 0...1 unless something else is said."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata
from skimage.metrics import structural_similarity

from ..stylizers import luma


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB; 60 at most."""
    return float(-10 * np.log10(((a - b) ** 2).mean() + 1e-6))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity, mean over the three channels, -1...1."""
    return float(structural_similarity(a, b, channel_axis=-1, data_range=1))


def gradient_energy(picture: np.ndarray) -> float:
    """Mean of the squared differences of neighbouring pixels' luma, both ways: how sharp a picture is."""
    grey = luma(picture)
    return float((np.diff(grey, axis=0) ** 2).mean() + (np.diff(grey, axis=1) ** 2).mean())


def edit_strength(source: np.ndarray, edited: np.ndarray, output: np.ndarray) -> float:
    """How far `output` went from `source` towards `edited`: 0 not at all, 1 all the way, more beyond.

    It is <output - source, edited - source> / |edited - source|^2. Raises ValueError where both are one picture.
    """
    direction = (edited - source).astype(np.float64)
    length = (direction**2).sum()
    if length == 0:
        raise ValueError("the edited picture equals its source: strength needs an edit that changes something")
    return float(((output - source) * direction).sum() / length)


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's: 1 where y rises wherever x does, -1 where it falls; 0 where one of them is constant."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])
