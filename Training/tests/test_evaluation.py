"""The evaluation tells good editings from bad ones: each measure passes the stylizers and fails what it is there for.

    PYTHONPATH=Training python -m pytest Training/tests/test_evaluation.py
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import runpy
import shutil

import cv2
import numpy as np
import pytest
import torch
import yaml
from transformers import CLIPConfig, CLIPModel

from movie_training import checkpoints, prompts, stylizers, text
from movie_training.editor import load_folder
from movie_training.evaluation import command, measures, native, references, report, semantic, sequences, sheets
from movie_training.evaluation.cost import cost
from movie_training.evaluation.engines import Stylizing, TorchEditing
from movie_training.evaluation.flicker import change, flicker
from movie_training.evaluation.guidance import guidance
from movie_training.evaluation.measure import load_report, measure, save_report
from movie_training.evaluation.quality import quality
from movie_training.evaluation.references import Scope

MODELS = pathlib.Path(__file__).parents[2] / "Models"
SMALL = Scope(width=128, height=96, photographs=("astronaut", "china"), edits=("pencil", "sepia", "night", "thermal"),
              frames=4, guidance_scales=(2, 7.5, 14), image_guidance_scales=(1, 1.5, 3))
PERFECT = Stylizing()


class Spoiled:
    """The stylizers' editing with something wrong."""

    name, passes = "spoiled", 1

    def __init__(self, spoil=lambda frames, edited: edited, prompt=lambda prompt: prompt, scales=lambda *pair: pair):
        self.spoil, self.prompt, self.scales = spoil, prompt, scales

    def edit(self, frames, prompt, guidance_scale=7.5, image_guidance_scale=1.5):
        edited = PERFECT.edit(frames, self.prompt(prompt), *self.scales(guidance_scale, image_guidance_scale))
        return self.spoil(frames, edited).astype(np.float32)

    @staticmethod
    def gmac(width, height):
        return 1.0


def noisy(frames, edited):
    return np.clip(edited + np.random.default_rng(0).normal(0, 6 / 255, edited.shape), 0, 1)


def blurred(frames, edited):
    return np.stack([stylizers.blur(frame, 1) for frame in edited])


def reached(figures: dict) -> set[str]:
    """The goals that a summary's figures reach."""
    return {goal.key for goal in report.GOALS if goal.key in figures and goal.reached(figures[goal.key], goal.must)}


@pytest.fixture(scope="module")
def perfect() -> dict:
    return measure(PERFECT, SMALL)


def test_a_perfect_editing_reaches_every_goal(perfect):
    figures = perfect["summary"]
    assert not report.missed(perfect)
    assert {goal.key for goal in report.GOALS} - set(figures) == {"kept_of_teacher", "flicker_stabilized"}
    assert figures["psnr"] == figures["psnr_worst"] == 60 and figures["ssim"] == 1 and figures["sharpness"] == 1
    assert figures["accuracy"] == figures["paraphrase_accuracy"] == 1
    assert figures["strength_correlation"] == figures["likeness_correlation"] == 1
    assert figures["flicker_to_stylizer"] == pytest.approx(1, abs=1e-4)


def test_an_editing_that_does_nothing_fails_accuracy():
    rows = quality(Spoiled(lambda frames, edited: frames), SMALL)
    assert rows["identity"]["accuracy"] == 1
    for edit in SMALL.edits:
        assert rows[edit]["accuracy"] == rows[edit]["paraphrase_accuracy"] == 0
        assert rows[edit]["psnr"] == rows[edit]["psnr_of_source"] < 21


def test_a_wrong_edit_for_a_paraphrase_fails_there_and_is_named():
    lost = prompts.KEPT_OUT["pencil"][1]
    expected = 1 - 1 / len(prompts.KEPT_OUT["pencil"])
    rows = quality(Spoiled(prompt=lambda prompt: prompts.CANONICAL["night"] if prompt == lost else prompt), SMALL)
    assert rows["pencil"]["accuracy"] == 1 and rows["pencil"]["paraphrase_accuracy"] == expected
    assert rows["pencil"]["paraphrases_missed"] == {lost: ["night", "night"]}
    assert f'pencil: "{lost}": 2 of 2 came out as night' in report.missed_prompts({"edits": rows})


def test_a_constant_strength_fails_guidance():
    for row in guidance(Spoiled(scales=lambda *_: (7.5, 1.5)), SMALL).values():
        assert row["strength_correlation"] == row["likeness_correlation"] == 0
    for row in guidance(Spoiled(scales=lambda text, image: (16 - text, 4 - image)), SMALL).values():
        assert row["strength_correlation"] == row["likeness_correlation"] == -1


def test_noise_fails_flicker(perfect):
    rows = flicker(Spoiled(noisy), SMALL)
    for edit, row in rows.items():
        assert row["flicker"] > 1.3 and row["flicker"] > 1.5 * perfect["edits"][edit]["flicker"], edit
        assert row["flicker_of_stylizer"] == pytest.approx(perfect["edits"][edit]["flicker"], abs=1e-4)


def test_blur_fails_sharpness_and_flatters_flicker(perfect):
    rows = quality(Spoiled(blurred), SMALL)
    assert all(rows[edit]["sharpness"] < 0.85 for edit in SMALL.edits)
    calmer = flicker(Spoiled(blurred), SMALL)
    assert all(calmer[edit]["flicker"] < perfect["edits"][edit]["flicker"] for edit in SMALL.edits)


def test_a_sequences_motion_is_known():
    """Along the motion little but the noise is left; along any other more."""
    sequence = sequences.render("china", "astronaut", 256, 192, 3)
    noise = sequences.NOISE * np.linalg.norm(stylizers.LUMA) * np.sqrt(2) * np.sqrt(2 / np.pi)
    assert 0.8 * noise < change(sequence.frames, sequence) < 1.6 * noise
    still = np.stack(np.meshgrid(np.arange(256), np.arange(192)), -1).astype(np.float32)
    for wrong in (np.broadcast_to(still, sequence.flow.shape), 2 * still - sequence.flow):
        other = dataclasses.replace(sequence, flow=np.ascontiguousarray(wrong))
        assert change(sequence.frames, other) > 3 * change(sequence.frames, sequence)
    assert sequence.valid.mean() > 0.95
    black, white = np.zeros_like(sequence.frames[0]), np.ones_like(sequence.frames[0])
    assert change(np.stack([black, white, white]), sequence) == pytest.approx(255 / 2, abs=1)


def test_the_patch_moves_with_its_own_motion():
    sequence = sequences.render("coffee", "china", 256, 192, 3)
    still = np.stack(np.meshgrid(np.arange(256), np.arange(192)), -1)
    moves = (still - sequence.flow[0]).reshape(-1, 2)
    inside = np.abs(moves - sequences.PATCH_STEP).max(-1) < 1e-3
    assert 0.03 < inside.mean() < 0.1
    assert np.abs(moves[~inside] + sequences.PAN).max() < 0.7


def test_strength_and_rank_correlation():
    source, edited = np.zeros((4, 4, 3)), np.ones((4, 4, 3))
    assert measures.edit_strength(source, edited, 0.25 * edited) == 0.25
    with pytest.raises(ValueError, match="equals its source"):
        measures.edit_strength(source, source, edited)
    assert measures.rank_correlation([1, 2, 3], [1, 10, 100]) == pytest.approx(1)
    assert measures.rank_correlation([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)
    assert measures.rank_correlation([1, 2, 3], [5, 5, 5]) == 0


def test_cost_is_counted_where_the_editing_does_not_say():
    """nano's figure is the Swift program's, 4.98 GMAC: `movied model info` prints 9.97 GFLOP."""
    editing = TorchEditing(load_folder(MODELS / "nano-float16"))
    counted = cost(editing, 512, 384)
    assert counted["passes"] == 1 and counted["gmac"] == pytest.approx(4.98, rel=0.005)
    assert cost(Spoiled(), 256, 192) == {"gmac": 1.0, "passes": 1}


def test_a_report_is_kept_and_told(perfect, tmp_path):
    poor = perfect | {"name": "poor", "summary": perfect["summary"] | {"psnr": 48, "flicker": 1.4}}
    both = report.with_teacher(poor, perfect)
    assert both["summary"]["kept_of_teacher"] == 0.8 and both["kept_of_teacher"]["ssim"] == 1
    against = perfect | {"summary": perfect["summary"] | {"clip_direction": -0.1}}
    assert "clip_direction" not in report.kept(against, against)
    assert [goal.key for goal in report.missed(both)] == ["kept_of_teacher", "flicker"]
    told = report.markdown(both)
    assert "| flicker of the network alone, times the source's | <= 1.3 | <= 1 | 1.40 | **missed** |" in told
    assert "| mean PSNR to the stylizer, dB | >= 26 | >= 28.5 | 48.00 | aim |" in told
    save_report(both, tmp_path / "poor.json")
    assert load_report(tmp_path / "poor.json") == both
    rows = report.ladder([perfect, both]).splitlines()
    assert rows[2].startswith("| stylizers | 0 | 0.00 | 60.00 |") and rows[3].startswith("| poor | 0 | 0.00 | 48.00 |")
    assert rows[-1].startswith("| stylizers | 0.800 | 1.000 |")


def test_the_command_gates_and_explains(perfect, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "editings", lambda options: (PERFECT, None))
    bad = perfect | {"summary": perfect["summary"] | {"accuracy": 0.5}}
    for figures, code in ((perfect, 0), (bad, 1)):
        monkeypatch.setattr(command, "measure", lambda *_, figures=figures: figures)
        assert command.main(["model", "--gate", "--json", str(tmp_path / "report.json")]) == code
        assert command.main(["model"]) == 0
    assert "missed: edit accuracy: 0.5, must be 0.99" in capsys.readouterr().err
    assert command.main(["--stages", str(tmp_path / "report.json")]) == 0
    (tmp_path / "other.json").write_text("[]")
    assert command.main(["--stages", str(tmp_path / "other.json")]) == 1
    assert command.main(["model", "--clip", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "is no report of Training/evaluate.py" in error and "holds no config.json" in error
    for wrong in (["model", "--size", "500x384"], []):
        with pytest.raises(SystemExit):
            command.main(wrong)


def test_the_sheets_show_every_edit(tmp_path):
    sheet = sheets.edit_sheet(PERFECT, "china", SMALL)
    tile = SMALL.height + sheets.CAPTION
    assert sheet.shape == (3 * tile, sheets.BAND * SMALL.width, 3)
    column = sheet[sheets.CAPTION :, SMALL.width : 2 * SMALL.width]  # pencil
    assert np.allclose(column[tile : tile + SMALL.height], column[2 * tile : 2 * tile + SMALL.height], atol=1e-6)
    assert not np.allclose(column[: SMALL.height], column[tile : tile + SMALL.height], atol=0.1)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory) -> pathlib.Path:
    """A tiny CLIP with random weights, as transformers writes it."""
    folder = tmp_path_factory.mktemp("clip")
    tokenizer = text.load_tokenizer(MODELS / "nano" / "tokenizer")
    torch.manual_seed(0)
    layers = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config=layers | {"vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id},
        vision_config=layers | {"image_size": 32, "patch_size": 8}, projection_dim=16)
    CLIPModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_the_papers_metrics(clip_folder):
    clip = semantic.Clip(clip_folder)
    pictures = np.random.default_rng(0).random((3, 40, 60, 3), np.float32)
    vectors = clip.images(pictures)
    assert vectors.shape == (3, 16) and torch.allclose(vectors.norm(dim=-1), torch.ones(3))
    like, _ = semantic.directional(clip, pictures[0], pictures[1], "a photo of a cat", "a pencil drawing of a cat")
    assert like == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-5)
    assert semantic.frame_consistency(clip, pictures[[0, 0, 0]]) == pytest.approx(1, abs=1e-5)
    steps = [float(vectors[0] @ vectors[1]), float(vectors[1] @ vectors[2])]
    assert semantic.frame_consistency(clip, pictures) == pytest.approx(np.mean(steps), abs=1e-5)
    scale, caption = clip.model.logit_scale.detach().exp(), clip.text("a cat")
    assert semantic.pick_score(clip, pictures[0], "a cat") == pytest.approx(
        float(scale * (vectors[0] @ caption)), abs=1e-4)
    assert not torch.allclose(caption, clip.text("a dog at night"), atol=1e-3)


def test_the_direction_is_from_caption_to_caption(clip_folder, monkeypatch):
    """An output that moved in the captions' direction scores 1, one that moved against it -1."""
    clip = semantic.Clip(clip_folder)
    direction = clip.text("a pencil drawing of a cat") - clip.text("a photo of a cat")
    for sign in (1, -1):
        moved = torch.stack([torch.zeros(16), sign * direction])
        monkeypatch.setattr(clip, "images", lambda pictures, moved=moved: moved)
        _, score = semantic.directional(clip, np.zeros((4, 4, 3)), np.zeros((4, 4, 3)), "a photo of a cat",
                                        "a pencil drawing of a cat")
        assert score == pytest.approx(sign, abs=1e-5)


def test_the_papers_metrics_join_the_report(clip_folder):
    scope = dataclasses.replace(SMALL, photographs=("china",), edits=("sepia",), frames=2)
    clip = semantic.Clip(clip_folder)
    row = semantic.semantic(PERFECT, scope, clip, clip)["sepia"]
    assert set(row) == {"clip_image", "clip_direction", "clip_frame", "pick_score"}
    assert set(semantic.EDITED_CAPTIONS) == set(Scope().edits) and set(semantic.SUBJECTS) == set(Scope().photographs)


def test_stages_of_a_run_are_opened_too(tmp_path):
    """A stage folder with nano's weights edits as nano does; what is neither stage nor model is explained."""
    model = load_folder(MODELS / "nano-float16")
    entries = [{"stage": "teacher"}, {"stage": "adversarial", "name": "student"}]
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(model.settings | {"stages": entries}))
    shutil.copytree(MODELS / "nano-float16" / "tokenizer", tmp_path / "tokenizer")
    checkpoints.save_weights(tmp_path / "student", model)
    checkpoints.save_weights(tmp_path / "teacher", model)
    options = command.arguments().parse_args([str(tmp_path / "student")])
    frames = sequences.render("coffee", "china", 64, 48, 2).frames
    student, _ = command.editings(options)
    assert student.name == "student" and student.passes == 1
    outputs = student.edit(frames, "make it night")
    assert measures.psnr(outputs, TorchEditing(model).edit(frames, "make it night")) > 45
    options = command.arguments().parse_args([str(tmp_path / "teacher"), "--steps", "4", "--name", "slow"])
    slow, _ = command.editings(options)
    assert slow.name == "slow" and slow.passes == 12
    assert cost(slow, 64, 48)["gmac"] > 5 * cost(student, 64, 48)["gmac"]
    (tmp_path / "other" / "stage").mkdir(parents=True)
    for wrong in ("absent", "other/stage"):
        with pytest.raises((FileNotFoundError, ValueError), match="is neither|is no stage"):
            command.editings(command.arguments().parse_args([str(tmp_path / wrong)]))


def test_own_photographs_are_measured_instead(tmp_path, capsys):
    """The pictures of a folder, whatever else is in it; without one, or with captions asked for, a sentence says so."""
    rng, folder = np.random.default_rng(0), tmp_path / "own"
    folder.mkdir()
    for name in ("b.jpg", "a.png"):
        cv2.imwrite(str(folder / name), cv2.resize(rng.integers(0, 255, (9, 12, 3), np.uint8), (200, 150)))
    (folder / "notes.txt").write_text("no picture")
    own = command.pictures_in(folder)
    assert [pathlib.Path(path).name for path in own] == ["a.png", "b.jpg"]
    scope = dataclasses.replace(SMALL, photographs=own, edits=("sepia",), frames=2)
    report = measure(PERFECT, scope)
    assert report["photographs"] == ["a", "b"] and report["edits"]["sepia"]["psnr"] == pytest.approx(60)
    assert report["summary"]["flicker_to_stylizer"] == pytest.approx(1)
    arguments = [str(MODELS / "nano"), "--photographs", str(tmp_path)]
    assert command.main(arguments) == 1 and "holds no picture" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main([*arguments, "--clip", str(tmp_path)])
    assert "need captions" in capsys.readouterr().err


def test_a_folder_is_measured_on_the_edits_that_it_names(tmp_path):
    assert command.known_edits(tmp_path) == tuple(references.EDITS)
    (tmp_path / "prompts.txt").write_text("leave it as it is\nmake it night\nmake it a pencil drawing\n")
    assert command.known_edits(tmp_path) == ("pencil", "night")


@pytest.mark.parametrize("config, anchor", [({}, "none"), ({"rolling_anchor": False}, "none"), ({"rolling_anchor": True}, "rolling")])
def test_on_video_a_model_has_the_anchor_that_it_asks_for(config, anchor, tmp_path):
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(json.dumps(config))
    assert command.model_anchor(tmp_path) == anchor


def test_a_missing_library_is_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match="build it with 'swift build -c release'"):
        native.NativeEditing(MODELS / "nano", tmp_path)


@pytest.mark.skipif(not (native.BUILD / "libmovie.so").exists(), reason="no release build of libmovie.so")
def test_the_engine_edits_as_pytorch_does():
    """int8 against float: within 38 dB, frame by frame and in order; a wrong folder is the engine's own sentence."""
    frames = sequences.render("coffee", "china", 128, 96, 3).frames
    engine, reference = native.NativeEditing(MODELS / "nano"), TorchEditing(load_folder(MODELS / "nano-float16"))
    for prompt, scales in (("make it night", (7.5, 1.5)), ("make it a sepia photograph", (4, 2))):
        for output, expected in zip(engine.edit(frames, prompt, *scales), reference.edit(frames, prompt, *scales)):
            assert measures.psnr(output, expected) > 38
    with pytest.raises(native.EngineError, match="guidance"):
        engine.edit(frames, "make it night", 99)
    with pytest.raises(native.EngineError):
        native.NativeEditing(MODELS / "no-such-model")


def test_the_script_is_the_command():
    script = pathlib.Path(__file__).parents[1] / "evaluate.py"
    assert runpy.run_path(str(script), run_name="evaluate")["main"] is command.main
