"""Edits that depend on the whole picture: their light, their anchor, and how the latter is measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from movie_training import sources, stylizers, torch_stylizers, whole
from movie_training.batches import Batch
from movie_training.evaluation import pumping, report
from movie_training.evaluation.engines import Stylizing
from movie_training.evaluation.references import Scope

EDITS = ["cinematic", "sepia", "cinematic", "cinematic"]


class Still:
    """Pairs that do not move: neighbouring frames are the same photograph."""

    def __init__(self):
        photographs = [sources.kept_out(name, 64, 64) for name in sources.KEPT_OUT]
        self.pictures = torch.from_numpy(np.stack(photographs)).permute(0, 3, 1, 2) * 2 - 1

    def draw(self, rng, size: int, crop: int) -> Batch:
        return Batch(self.pictures.clone(), self.pictures.clone(), EDITS, EDITS)

    def draw_pairs(self, rng, size: int, crop: int):
        return self.draw(rng, size, crop), self.draw(rng, size, crop), torch.ones(4, 3, 64, 64)


def graded(source: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    return torch_stylizers.stylize("cinematic", (source[None] + 1) / 2, (seen[None] + 1) / 2)[0] * 2 - 1


@pytest.mark.parametrize("edit", stylizers.WHOLE)
def test_light_and_colour_of_the_room_are_taken_out(edit):
    picture = sources.kept_out("coffee", 128, 96)
    dim = picture * np.float32([0.5, 0.42, 0.3])
    mean, deviation = (lambda p: p.mean((0, 1)).round(3)), (lambda p: stylizers.luma(p).std())
    bright, corrected = stylizers.stylize(edit, picture), stylizers.stylize(edit, dim)
    assert np.abs(mean(bright) - mean(corrected)).max() < 0.05 < np.abs(mean(picture) - mean(dim)).max()
    assert abs(deviation(corrected) / deviation(bright) - 1) < 0.3 < abs(deviation(dim) / deviation(picture) - 1)


@pytest.mark.parametrize("edit", stylizers.WHOLE)
def test_by_the_light_of_another_frame_what_did_not_change_stays(edit):
    before, after = pumping.frames(*(sources.kept_out(name, 128, 96) for name in ("coffee", "china")))[[0, -1]]
    own, anchored = stylizers.stylize(edit, after), stylizers.stylize(edit, after, seen=before)
    expected = stylizers.stylize(edit, before)[:, 64:]
    np.testing.assert_array_equal(anchored[:, 64:], expected)
    assert np.abs(own[:, 64:] - expected).mean() > 0.01


def test_triplets_are_edited_by_the_light_of_the_crop_and_others_are_left_alone():
    still = Still()
    batch = whole.WholeFrames(still).draw(np.random.default_rng(0), 4, 64)
    for index in (0, 2, 3):
        torch.testing.assert_close(batch.edited[index], graded(batch.source[index], batch.source[index]))
    torch.testing.assert_close(batch.source[1], still.pictures[1], atol=0, rtol=0)
    torch.testing.assert_close(batch.edited[1], still.pictures[1], atol=0, rtol=0)
    assert any(not torch.equal(batch.source[i], still.pictures[i]) for i in (0, 2, 3))  # another light in some


def test_the_second_frame_has_the_light_of_the_first():
    covered = 0
    for seed in range(6):
        first, second, flow = whole.WholeFrames(Still()).draw_pairs(np.random.default_rng(seed), 4, 64)
        for index in (0, 2, 3):
            torch.testing.assert_close(second.edited[index], graded(second.source[index], first.source[index]))
            same = flow[index, 2] == 1
            assert same.float().mean() >= 0.5
            torch.testing.assert_close(second.source[index][:, same], first.source[index][:, same], atol=0, rtol=0)
            torch.testing.assert_close(second.edited[index][:, same], first.edited[index][:, same])
            assert torch.equal(second.source[index], first.source[index]) == bool(same.all())
            covered += not same.all()
        assert (flow[1] == 1).all()
    assert 6 <= covered <= 16  # 60 % of 18


def test_pumping_is_that_of_the_stylizer_without_an_anchor_and_none_with_one():
    class Anchored(Stylizing):
        def edit(self, frames, prompt, *scales):
            return np.stack([stylizers.stylize("cinematic", frame, frames[0]) for frame in frames])

    scope = Scope(width=128, height=96, photographs=("coffee", "china"))
    alone = pumping.pumping(Stylizing(), scope)
    assert set(alone) == set(stylizers.WHOLE)
    assert alone["cinematic"]["pumping"] == pytest.approx(alone["cinematic"]["pumping_of_stylizer"], rel=0.01)
    assert alone["cinematic"]["pumping"] > 3
    assert pumping.pumping(Anchored(), scope)["cinematic"]["pumping"] == 0
    told = report.pumping({"edits": {"sepia": {"psnr": 30.0}, **alone}})
    assert told.startswith("Pumping of cinematic, levels: the network ") and "as on video" not in told
