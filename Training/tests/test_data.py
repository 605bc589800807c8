"""Training data on tiny shapes: stylizers and sources in torch, pairs of frames, pools, data sets on disk."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from movie_training import sources, stylizers, torch_stylizers

torch.set_num_threads(1)


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    return -10 * np.log10(np.mean((np.asarray(first) - np.asarray(second)) ** 2) + 1e-12)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """A photograph and a procedural scene, [2, 96, 128, 3]."""
    rng = np.random.default_rng(3)
    return np.stack([sources.kept_out("astronaut", 128, 96), sources.augment(rng, sources.procedural(rng, 96, 128))])


@pytest.mark.parametrize("edit", stylizers.NAMES)
def test_a_torch_stylizer_is_the_opencv_one(edit, pictures):
    """To the picture's very edge, so a wrong border, sign, kernel or channel shows."""
    expected = np.stack([stylizers.stylize(edit, picture) for picture in pictures])
    edited = torch_stylizers.stylize(edit, torch.from_numpy(pictures).permute(0, 3, 1, 2))
    assert edited.dtype == torch.float32
    for one, other in zip(edited.permute(0, 2, 3, 1).numpy(), expected):
        assert psnr(one, other) > 60
