"""What decides a picture: an editor with nothing taken away is the editor itself, and each part that is taken away shows."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import torch

from movie_training import relevance, sources
from movie_training.editor import Editor, load_folder
from movie_training.evaluation.engines import TorchEditing

NANO = pathlib.Path(__file__).parents[2] / "Models" / "nano-float16"
PROMPT = "make it an ink cartoon"


@pytest.fixture(scope="module")
def nano() -> Editor:
    return load_folder(NANO)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """Two photographs, as if they were neighbours: what the second one owes to the first must show."""
    return np.stack([sources.kept_out(name, 64, 48) for name in ("coffee", "china")])


def difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first - second).max())


def test_with_all_parts_it_is_the_editor(nano, frames):
    whole = TorchEditing(nano).edit(frames, PROMPT, 5.0, 2.0)
    assert difference(relevance.Altered(nano, "all").edit(frames, PROMPT, 5.0, 2.0), whole) < 1e-5


def test_what_is_taken_away_shows(nano, frames):
    whole = TorchEditing(nano).edit(frames, PROMPT)
    flat = relevance.mean(torch.arange(24.0).view(1, 2, 3, 4))
    assert flat.shape == (1, 2, 3, 4) and flat[0, :, 0, 0].tolist() == [5.5, 17.5]
    noisy = relevance.Altered(nano, "noise", lambda latents: latents + 3)
    for altered in (noisy, relevance.Altered(nano, "not told", told=False)):
        assert difference(altered.edit(frames, PROMPT), whole) > 0.05


def test_an_anchor_shows_in_later_frames_alone(nano, frames):
    alone, anchored = (editing(nano, "").edit(frames, PROMPT) for editing in (TorchEditing, relevance.Anchored))
    assert difference(alone[0], anchored[0]) == 0 < difference(alone[1], anchored[1])
