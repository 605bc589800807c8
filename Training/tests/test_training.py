"""Training in small: every stage for a few steps on tiny shapes.

    PYTHONPATH=Training python -m pytest Training/tests
"""

from __future__ import annotations

import copy
import json
import pathlib

import numpy as np
import pytest
import torch
import yaml

from movie_training import evaluate, export, pool, prompts, sources, stylizers, text, train

CONFIG = pathlib.Path(__file__).parents[1] / "configs" / "nano-cpu.yaml"


@pytest.fixture(scope="module")
def pools(tmp_path_factory) -> train.Pools:
    path = tmp_path_factory.mktemp("pool") / "pool.npy"
    array = np.lib.format.open_memmap(path, "w+", np.uint8, (3, len(stylizers.NAMES), 64, 64, 3))
    for index in range(3):
        array[index] = pool.one(7, index, 64)
    array.flush()
    path.with_suffix(".npy.count").write_text("3")
    return train.Pools([path])


@pytest.fixture
def settings() -> dict:
    settings = copy.deepcopy(yaml.safe_load(CONFIG.read_text()))
    settings["train"] |= {"pretrain_text_steps": 2, "steps": 6, "batch_size": 2, "crop": 32, "warmup_steps": 2}
    return settings


@pytest.mark.parametrize("edit", stylizers.NAMES)
def test_a_stylizer_is_local_and_stable(edit):
    """A change far away changes nothing here, and a little noise changes little: no global statistics, no hard steps."""
    picture = sources.sample(np.random.default_rng(1), 96, 128)
    moved = picture.copy()
    moved[:, 96:] = 1 - moved[:, 96:]
    edited = stylizers.stylize(edit, picture)
    assert edited.shape == picture.shape and edited.dtype == np.float32
    assert edited.min() >= 0 and edited.max() <= 1
    np.testing.assert_allclose(stylizers.stylize(edit, moved)[:, :32], edited[:, :32], atol=1e-3)
    noisy = np.clip(picture + np.random.default_rng(2).normal(0, 1e-3, picture.shape), 0, 1).astype(np.float32)
    assert np.abs(stylizers.stylize(edit, noisy) - edited).mean() < 0.02


def test_stylizers_differ_from_the_source_and_each_other():
    picture = sources.kept_out("coffee", 256, 192)
    edited = {name: stylizers.stylize(name, picture) for name in stylizers.NAMES}
    for first in edited:
        for second in edited:
            if first != second:
                assert evaluate.psnr(edited[first], edited[second]) < 28, (first, second)


def test_strength_rises_with_text_and_falls_with_image_guidance():
    assert stylizers.strength(7.5, 1.5) == pytest.approx(1)
    text_scales = stylizers.strength(np.linspace(2, 14, 20), 1.5)
    image_scales = stylizers.strength(7.5, np.linspace(1, 3, 20))
    assert (np.diff(text_scales) > 0).all() and (np.diff(image_scales) < 0).all()
    assert text_scales.max() <= 1.25


def test_every_edit_has_enough_prompts_and_none_is_kept_out_and_trained():
    rng = np.random.default_rng(0)
    drawn = {edit: {prompts.sample(rng, edit) for _ in range(300)} for edit in stylizers.NAMES}
    for edit, sentences in drawn.items():
        assert len(sentences) >= 20, edit
    seen = set().union(*drawn.values())
    assert not seen & {prompt for edit in prompts.KEPT_OUT.values() for prompt in edit}


def test_kept_out_photographs_are_not_trained_on():
    assert not set(sources.TRAINING) & set(sources.KEPT_OUT.values())


def test_a_run_learns_resumes_and_exports(pools, settings, tmp_path):
    torch.manual_seed(0)
    run = train.Run(settings, tmp_path / "work")
    batch = train.make_batch(settings, pools, run.rng, 2, 32)
    losses = [run.advance(batch) for _ in range(6)]
    assert losses[-1] < losses[0]
    run.save()
    resumed = train.Run(settings, tmp_path / "work")
    assert resumed.step == 6
    for name, tensor in run.average.state_dict().items():
        torch.testing.assert_close(resumed.average.state_dict()[name], tensor)
    export.export(run.average, tmp_path / "work" / "tokenizer", tmp_path / "model")
    picture = sources.kept_out("coffee", 128, 96)
    likeness = evaluate.psnr(evaluate.run(run.average, picture, "make it night"),
                             evaluate.run(evaluate.load(tmp_path / "model"), picture, "make it night"))
    assert likeness > 45
    index = json.loads((tmp_path / "model" / "model_index.json").read_text())
    assert set(export.COMPONENTS) <= set(index)
    assert text.load_tokenizer(tmp_path / "model" / "tokenizer")(["make it night"]).input_ids[0]


def test_the_loss_sees_every_pixel():
    target = torch.zeros(1, 3, 32, 32)
    for row, column in ((0, 0), (31, 31), (16, 0)):
        output = target.clone()
        output[..., row, column] = 1
        assert train.loss_of(output, target).item() > train.loss_of(target, target).item() + 1e-4
