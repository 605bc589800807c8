"""Training data on tiny shapes: stylizers and sources in torch, pairs of frames, pools, data sets on disk."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from movie_training import instructions, motion, pair_pool, sources, stylizers, torch_stylizers


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
        assert psnr(one, other) > 50


def test_flow_leads_back_to_the_first_frame():
    """Where a flow can be trusted, the first frame looked up along it is the second one; much of each frame can be trusted."""
    canvas, other = (torch.from_numpy(np.stack([smooth_scene(seed + index) for index in range(6)])) for seed in (1, 7))
    first, second, flow = motion.neighbours(canvas, other, torch.Generator().manual_seed(2), 64, 80)
    assert first.shape == second.shape == (6, 3, 64, 80) and flow.shape == (6, 3, 64, 80)
    positions = torch_stylizers.pixel_positions(flow) + flow[:, :2]
    back, seen = torch_stylizers.look_up(first, positions, "bicubic"), flow[:, 2:]
    light = (second * seen).sum((2, 3), keepdim=True) / (back * seen).sum((2, 3), keepdim=True)
    wrong = torch_stylizers.look_up(first, torch_stylizers.pixel_positions(flow) - flow[:, :2], "bicubic")
    for index in range(6):
        error, opposite = (((picture * light - second)[index] * seen[index]).abs().mean() for picture in (back, wrong))
        assert error < 0.004 and seen[index].mean() > 0.6
        assert opposite > 3 * error or flow[index, :2].abs().max() < 1
    assert (flow[:, :2].abs().amax((1, 2, 3)) > 1).any() and (seen == 0).any()


def smooth_scene(seed: int) -> np.ndarray:
    """[3, 112, 128] without the fine detail that interpolation loses."""
    scene = sources.procedural(np.random.default_rng(seed), 112, 128)
    return np.clip(stylizers.blur(scene, 1.5), 0, 0.9).transpose(2, 0, 1)


@pytest.fixture(scope="module")
def pair_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "pairs.npy"
    sys.argv = ["pair_pool", str(path), "--count", "3", "--size", "48"]
    pair_pool.main()
    return path


def test_a_pool_of_pairs_gives_crops_that_belong_together(pair_file):
    pool = pair_pool.PairPool([pair_file], {"data": {"edit_weights": {name: 0 for name in stylizers.NAMES if name != "sepia"}}})
    first, second, flow = pool.draw_pairs(np.random.default_rng(4), 8, 32)
    assert first.edits == second.edits == ["sepia"] * 8 and first.prompts == second.prompts
    for batch in (first, second):
        assert batch.source.shape == batch.edited.shape == (8, 3, 32, 32) and batch.source.dtype == torch.float32
        expected = torch_stylizers.stylize("sepia", batch.source / 2 + 0.5) * 2 - 1
        assert (expected - batch.edited).abs().max() < 0.03
    assert motion.inside_frame(flow).equal(flow) and flow.shape == (8, 3, 32, 32)
    back = torch_stylizers.look_up(first.source, torch_stylizers.pixel_positions(flow) + flow[:, :2])
    moved, still = (((picture - second.source) * flow[:, 2:]).abs().mean((1, 2, 3)) for picture in (back, first.source))
    assert moved.mean() < still.mean()


def test_a_pool_of_pairs_goes_on_where_it_stopped(pair_file):
    before = np.load(pair_file)
    pair_pool.files(pair_file)[1].write_text("2")
    pair_pool.main()
    np.testing.assert_array_equal(np.load(pair_file), before)
    with pytest.raises(ValueError, match="not of 4 at 48"):
        pair_pool.open_pool(pair_file, 4, 48)


def test_noise_differs_between_frames_and_spares_the_edits(pair_file):
    quiet, noisy = (pair_pool.PairPool([pair_file], {}, noise=noise).draw_pairs(np.random.default_rng(1), 2, 32)
                    for noise in (0, 0.02))
    assert noisy[0].edited.equal(quiet[0].edited)
    difference = [(noisy[frame].source - quiet[frame].source) for frame in (0, 1)]
    assert difference[0].std() > 0.002 and not difference[0].equal(difference[1])


def test_wrong_pools_and_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="pair_pool"):
        pair_pool.PairPool([tmp_path / "none.npy"], {})
    with pytest.raises(ValueError, match="neno"):
        instructions.Instructions({"neno": 1})
