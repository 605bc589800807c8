"""Training in small: every stage for a few steps on tiny shapes.

    PYTHONPATH=Training python -m pytest Training/tests
"""

from __future__ import annotations

import json
import pathlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file

from movie_training import (batches, checkpoints, datasets, equalize, evaluate, export, latents, losses, pair_pool, pool,
                            prompts, sources, staged, start, stylizers, text, train)
from movie_training.anchors import cross_frame
from movie_training.discriminator import Discriminator
from movie_training.editor import load_folder
from movie_training.models import GuidedUNet
from movie_training.recipe import OPTIMIZERS, load_recipe

NANO = pathlib.Path(__file__).parents[1] / "configs" / "nano.yaml"

#: Every stage, small; what it is about is in the options.
STAGES = [
    {"stage": "autoencoder", "latent_noise": 0.1},
    {"stage": "teacher", "empty_prompt_gives": "source", "clean_loss_weight": 0.1, "condition_dropout": 0.2},
    {"stage": "guidance", "clean_loss_weight": 0.1},
    {"stage": "velocity"},
    {"stage": "adversarial", "evaluation_share": 0.5, "weights": {"mse": 1.0, "generator": 0.1, "pixels": 1.0},
     "sharpness": 0.1},
    {"stage": "temporal", "sharpness": 0.1},
    {"stage": "text", "unet_weight": 1.0, "hold": 10.0},
    {"stage": "temporal", "name": "steady", "only": "autoencoder", "motion_weight": 8.0},
    {"stage": "temporal", "name": "finish", "integers": True, "conditioning_dropout": 0.5, "decibels": 0.01},
]
NAMES = [stage.get("name", stage["stage"]) for stage in STAGES]


@pytest.fixture(scope="module")
def pools(tmp_path_factory) -> dict:
    """The `data` section for a pool of three pictures and one of two pairs."""
    folder = tmp_path_factory.mktemp("pool")
    array = np.lib.format.open_memmap(folder / "pool.npy", "w+", np.uint8, (3, len(stylizers.LOCAL), 64, 64, 3))
    for index in range(3):
        array[index] = pool.one(7, index, 64)
    array.flush()
    (folder / "pool.npy.count").write_text("3")
    frames, flows, _ = pair_pool.open_pool(folder / "pairs.npy", 2, 64)
    for index in range(2):
        frames[index], flows[index] = pair_pool.one(7, index, 64)
    pair_pool.files(folder / "pairs.npy")[1].write_text("2")
    return {"kind": "pools", "paths": [str(folder / "pool.npy")], "pairs": [str(folder / "pairs.npy")], "noise": 0.01}


@pytest.fixture
def settings(pools) -> dict:
    """nano with narrow networks."""
    settings = load_recipe(NANO)
    settings["unet"] |= {"block_out_channels": [16, 16, 32], "norm_num_groups": 8}
    settings["vae"] |= {"encoder_block_out_channels": [8, 8, 16], "decoder_block_out_channels": [16, 8, 8],
                        "conditioning_dim": 64}
    small = {"steps": 3, "batch_size": 2, "crop": 32, "learning_rate": 1e-3, "warmup_steps": 1}
    return {**settings, "device": "cpu", "pretrain_text_steps": 2, "data": pools,
            "stages": [{**small, **stage} for stage in STAGES]}


@pytest.fixture(scope="module")
def work(pools, tmp_path_factory) -> pathlib.Path:
    """A run through all stages."""
    folder = tmp_path_factory.mktemp("work")
    assert train.Recipe(settings.__wrapped__(pools), folder).run()
    return folder


@pytest.mark.parametrize("edit", stylizers.LOCAL)
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


@pytest.mark.parametrize("stage", NAMES)
def test_a_stage_changes_what_it_trains_and_nothing_else(stage, work, settings):
    names = ["start", *NAMES]
    before, after = (load_file(work / name / "weights.safetensors") for name in (names[names.index(stage) - 1], stage))
    moved = {name.split(".")[0] for name in after if not torch.equal(before[name], after[name])}
    expected = {"autoencoder": {"vae", "text_encoder", "unet"}, "adversarial": {"unet", "vae"}, "temporal": {"unet", "vae"},
                "text": {"text_encoder"}, "steady": {"vae"}, "finish": {"unet", "vae"}}
    assert moved == expected.get(stage, {"unet"})
    inside_unet = {name.split(".")[1] for name in after if name.startswith("unet") and not torch.equal(before[name], after[name])}
    assert ("down_blocks" in inside_unet) == (stage not in ("autoencoder", "text", "steady"))
    if stage in ("guidance", "velocity"):  # the decoder is modulated by these
        assert not inside_unet & {"time_embedding", "add_embedding", "guidance_embedding"}


@pytest.mark.parametrize("index", range(len(STAGES)))
def test_a_stage_learns_a_batch(index, work, settings):
    """The same sample again and again: its loss falls."""
    recipe = train.Recipe({**settings, "stages": [{**entry, "steps": 40} for entry in settings["stages"]]}, work)
    learner = recipe.learner(index)
    sample = learner.stage.draw(np.random.default_rng(1), 2, 32)
    losses = []
    for _ in range(20):
        torch.manual_seed(3)
        losses.append(learner.advance(sample)["loss"])
    assert np.mean(losses[-3:]) < 0.97 * np.mean(losses[:3])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_that_is_stopped_goes_on_where_it_was(optimizer, settings, tmp_path):
    """To the bit: the state of the optimizer is kept, too."""
    settings = {**settings, "optimizer": optimizer, "save_seconds": 0, "stages": settings["stages"][:1]}
    stopped = train.Recipe(settings, tmp_path, minutes=0)
    assert not stopped.run()
    state = checkpoints.load_state(tmp_path / "autoencoder")
    assert state["step"] == 1
    learner = train.Recipe(settings, tmp_path).learner(0)
    assert learner.step == 1
    for name, tensor in learner.stage.editor.state_dict().items():
        torch.testing.assert_close(tensor, state["editor"][name])
    again, sample = train.Recipe(settings, tmp_path).learner(0), learner.stage.draw(np.random.default_rng(1), 2, 32)
    for each in (learner, again):
        torch.manual_seed(3)
        each.advance(sample)
    for name, tensor in learner.stage.editor.state_dict().items():
        assert torch.equal(tensor, again.stage.editor.state_dict()[name]), name
    assert train.Recipe(settings, tmp_path).run()
    assert checkpoints.is_finished(tmp_path / "autoencoder") and checkpoints.load_state(tmp_path / "autoencoder") is None


def test_pairs_alone_are_triplets_too(settings, tmp_path):
    """A recipe whose data has no pools of pictures learns from the first frames of its pairs."""
    alone = {"kind": "pools", "pairs": settings["data"]["pairs"], "edit_weights": {"cinematic": 0}}
    assert train.Recipe({**settings, "data": alone, "stages": settings["stages"][:2]}, tmp_path).run()
    pairs, triplets = (open_({"data": alone}, "cpu") for open_ in (datasets.open_pairs, datasets.open_triplets))
    first, batch = pairs.draw_pairs(np.random.default_rng(4), 3, 32)[0], triplets.draw(np.random.default_rng(4), 3, 32)
    assert torch.equal(first.source, batch.source) and first.prompts == batch.prompts


def test_a_decoder_may_not_be_told(work, settings):
    """`conditioning_dropout` of the samples are modulated as by an empty prompt at the same scales, the others as always."""
    recipe = train.Recipe(settings, work)
    for share in (0.0, 0.5, 1.0):
        recipe.entries[0] |= {"name": "untold", "conditioning_dropout": share}
        stage = recipe.learner(0).stage
        scales = stage.default_guidance(64)
        embeddings, empty = (stage.editor.encode_prompt([prompt] * 64) for prompt in ("make it night", ""))
        told = stage.told(embeddings, scales)
        emptied = [torch.allclose(row, other) for row, other in zip(told, stage.editor.conditioning(empty, *scales))]
        full = [torch.allclose(row, other) for row, other in zip(told, stage.editor.conditioning(embeddings, *scales))]
        assert all(one != other for one, other in zip(emptied, full))
        assert abs(np.mean(emptied) - share) < 0.25 and (0 < np.mean(emptied) < 1) == (share == 0.5)


def test_parts_of_a_checkpoint_are_small_and_a_broken_write_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PART_BYTES", 1000)
    checkpoints.save_state(tmp_path, {"step": 1, "weights": torch.arange(1000.0)})
    assert all(part.stat().st_size <= 1000 for part in (tmp_path / "state").iterdir())
    (tmp_path / "state.new").mkdir()  # as a stop in the middle of the next save leaves it
    (tmp_path / "state.new" / "part-00").write_bytes(b"half")
    assert torch.equal(checkpoints.load_state(tmp_path)["weights"], torch.arange(1000.0))


@pytest.mark.parametrize("stage", NAMES)
def test_what_a_stage_ends_with_edits_a_picture(stage, work):
    editing = staged.open_stage(work / stage, steps=2)
    picture = sources.kept_out("coffee", 64, 48)
    edited = editing.edit(picture[None], "make it night")
    assert edited.shape == (1, 48, 64, 3) and np.isfinite(edited).all()
    assert editing.passes == {"autoencoder": 0, "teacher": 6, "guidance": 2, "velocity": 2}.get(stage, 1)


def test_latents_are_measured_beside_those_of_the_edited_picture(work):
    perfect = staged.open_stage(work / "autoencoder")
    error, energy = latents.quality(perfect, 64, 48)
    assert error < 1e-9 and abs(energy - 1) < 1e-6
    untrained = staged.open_stage(work / "temporal")
    assert latents.quality(untrained, 64, 48)[0] > 0.1
    flat = staged.open_stage(work / "temporal")
    flat.latents = lambda frame, source, *task: (
        untrained.wanted_latents(frame, *task).mean((2, 3), keepdim=True).expand(1, 4, 6, 8))
    error, energy = latents.quality(flat, 64, 48)
    assert abs(error - 1) < 1e-3 and energy == 0


def test_a_stage_exports_as_a_model_folder(work, tmp_path):
    model = staged.load_editor(work, "temporal")
    export.export(model, work / "tokenizer", tmp_path / "model")
    picture = sources.kept_out("coffee", 128, 96)
    exported = load_folder(tmp_path / "model")
    assert evaluate.psnr(evaluate.run(model, picture, "make it night"),
                         evaluate.run(exported, picture, "make it night")) > 45
    index = json.loads((tmp_path / "model" / "model_index.json").read_text())
    assert set(export.COMPONENTS) <= set(index)
    assert text.load_tokenizer(tmp_path / "model" / "tokenizer")(["make it night"]).input_ids[0]


def test_equal_ranges_change_no_picture(work):
    """Channels scaled up and down behind, through skips, sums, upsampling and modulation."""
    model = staged.load_editor(work, "temporal")
    with torch.no_grad():
        for name, parameter in model.vae.named_parameters():  # no block is idle, no two channels are alike
            spread = torch.linspace(-1.5, 1.5, len(parameter)).exp().view(-1, *[1] * (parameter.dim() - 1))
            parameter.copy_((parameter + 0.05 * torch.randn_like(parameter)) * (spread if "layers" in name else 1))
    picture = sources.kept_out("coffee", 128, 96)

    def run() -> None:
        for prompt in ("make it night", "add neon edges"):
            evaluate.run(model, picture, prompt)

    found = equalize.streams(model.vae)
    modules = {id(module): name for name, module in model.vae.named_modules()}
    written = {modules[id(layer)] for stream in found for layer in stream.writers}
    everything = {name for name, module in model.vae.named_modules() if isinstance(module, torch.nn.Conv2d)}
    ends = {f"encoder.layers.{len(model.vae.encoder.layers) - 1}", f"decoder.layers.{len(model.vae.decoder.layers) - 1}"}
    assert written == everything - ends, "every value but the latents and the pixels"
    before, latents = evaluate.run(model, picture, "make it night"), model.encode(torch.zeros(1, 3, 32, 32))[0]
    uneven = equalize.ranges(found, run)
    equalize.equalize(model.vae, run)
    np.testing.assert_allclose(evaluate.run(model, picture, "make it night"), before, atol=2e-5)
    torch.testing.assert_close(model.encode(torch.zeros(1, 3, 32, 32))[0], latents, atol=1e-4, rtol=1e-4)
    even = equalize.ranges(found, run)
    for old, new in zip(uneven, even):
        loud = equalize.spoken(old) == old
        torch.testing.assert_close(new[loud], old.max().expand(int(loud.sum())), rtol=1e-3, atol=1e-4)
    assert any(old.min() < 0.5 * old.max() for old in uneven)


def test_silent_channels_are_hardly_scaled_up():
    """One that was silent in all pictures may speak in the next, and would drown the others."""
    ranges = torch.tensor([8.0, 4.0, 2.0, 0.1, 0.0])
    assert equalize.spoken(ranges).tolist() == [8.0, 4.0, 2.0, 0.5, 0.5]  # of 8, 4, 2 and 0.1 the lower middle is 2
    assert equalize.spoken(torch.zeros(3)).tolist() == [1.0, 1.0, 1.0]


def test_an_earlier_model_starts_a_run(work, settings, tmp_path):
    """Its autoencoder, with latents brought to deviation 1, and what modulates its decoder."""
    export.export(staged.load_editor(work, "temporal"), work / "tokenizer", tmp_path / "model")
    goal, far = start.canonical_conditioning(tmp_path / "model"), []
    for steps in (0, 150):
        recipe = {**settings, "start": {"folder": str(tmp_path / "model"), "parts": ["vae", "conditioner"]},
                  "pretrain_text_steps": steps}
        train.Recipe(recipe, tmp_path / f"work-{steps}").make_start()
        new = staged.load_editor(tmp_path / f"work-{steps}", "start")
        told = new.unet.add_embedding(new.encode_prompt([prompts.CANONICAL[name] for name in stylizers.NAMES]))
        far.append((told - goal).norm().item())
    assert far[1] < 0.5 * far[0]
    old = load_folder(tmp_path / "model")
    torch.testing.assert_close(new.unet.guidance_embedding.linear_1.weight, old.unet.guidance_embedding.linear_1.weight)
    assert not torch.equal(new.unet.conv_in.weight, old.unet.conv_in.weight)
    with torch.no_grad():
        latents = new.encode(batches.Pools(settings["data"]["paths"], {}).draw(np.random.default_rng(0), 32, 64).source)[0]
    assert latents.std((0, 2, 3)).sub(1).abs().max() < 0.3


@pytest.mark.parametrize("skips, told", [(False, None), (True, None), (False, 64)])
def test_a_decoder_may_have_less(skips, told, work, settings, tmp_path):
    """A new decoder on an earlier encoder, UNet and prompt encoder, without skips or without being told the edit."""
    export.export(staged.load_editor(work, "temporal"), work / "tokenizer", tmp_path / "model")
    recipe = {**settings, "start": {"folder": str(tmp_path / "model"), "parts": ["unet", "encoder", "text_encoder"]},
              "vae": {**settings["vae"], "skip_connections": skips, "conditioning_dim": told},
              "stages": [{**settings["stages"][0], "only": "decoder"}]}
    assert train.Recipe(recipe, tmp_path / "new").run()
    new, old = staged.load_editor(tmp_path / "new", "autoencoder"), load_folder(tmp_path / "model")
    torch.testing.assert_close(new.unet.conv_in.weight, old.unet.conv_in.weight)
    latents, features = new.encode(torch.rand(1, 3, 32, 32))
    told_night, told_noir = torch.randn(2, 1, 64)
    with torch.no_grad():
        for block in (layer for layer in new.vae.decoder.layers if hasattr(layer, "conv")):
            torch.nn.init.normal_(block.conv[4].weight, std=0.2)
    night = new.decode(latents, features, told_night)
    assert night.equal(new.decode(latents, features, told_noir)) == (told is None)
    assert night.equal(new.decode(latents, [0 * feature for feature in features], told_night)) == (not skips)
    picture = sources.kept_out("coffee", 64, 48)
    before = evaluate.run(new, picture, "make it night")
    equalize.equalize(new.vae, lambda: evaluate.run(new, picture, "make it night"))
    np.testing.assert_allclose(evaluate.run(new, picture, "make it night"), before, atol=2e-5)


def test_a_text_to_image_unet_starts_a_run_without_its_finest_attention():
    """SD's layout: 4 input channels become 8, the second four of zeros; attention that the recipe leaves out is left aside."""
    torch.manual_seed(0)
    shape = {"block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4, "cross_attention_dim": 8,
             "attention_head_dim": 2}
    full = UNet2DConditionModel(in_channels=4, down_block_types=["CrossAttnDownBlock2D"] * 2,
                                up_block_types=["CrossAttnUpBlock2D"] * 2, **shape)
    mobile = GuidedUNet(in_channels=8, down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"],
                        up_block_types=["CrossAttnUpBlock2D", "UpBlock2D"], guidance_embed_dim=8, **shape)
    fresh = start.adopt(mobile, full.state_dict())
    assert all("guidance_embedding" in name for name in fresh)
    torch.testing.assert_close(mobile.conv_in.weight[:, :4], full.conv_in.weight)
    assert not mobile.conv_in.weight[:, 4:].any()
    with pytest.raises(ValueError, match="must describe the same network"):
        start.adopt(mobile, {"conv_out.weight": torch.zeros(3, 3)})


def test_the_standard_autoencoder_trains_too(settings, tmp_path):
    """AutoencoderTiny has no skips and no modulation: the paper's own. Nor does it train on integers, and says so."""
    settings = {**settings, "vae": {"class": "AutoencoderTiny", "encoder_block_out_channels": [8, 8, 8, 8],
                                    "decoder_block_out_channels": [8, 8, 8, 8], "num_encoder_blocks": [1, 1, 1, 1],
                                    "num_decoder_blocks": [1, 1, 1, 1], "latent_channels": 4}}
    with pytest.raises(ValueError, match="integers is set, but AutoencoderTiny"):
        train.Recipe(settings, tmp_path).run()
    settings["stages"] = [stage for stage in settings["stages"] if not stage.get("integers")]
    assert train.Recipe(settings, tmp_path).run()


@pytest.mark.parametrize("text, message", [
    ("stages: [{stage: autoencoder}]", "lacks steps"), ("stages: [{stage: magic}]", "the stages are autoencoder"),
    ("{optimizer: sgd, stages: []}", "optimizer is 'sgd'; allowed are adamw, soap"), ("stage: []", "section 'stage'"), ("just words", "holds no settings")])
def test_a_wrong_recipe_is_refused_in_a_sentence(text, message, tmp_path):
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        load_recipe(tmp_path / "recipe.yaml")


def test_a_recipe_adds_keys_to_the_sections_it_extends():
    vae, base = (load_recipe(path)["vae"] for path in (NANO.parent / "ablations" / "skips.yaml", NANO))
    assert vae == {**base, "skip_connections": True, "conditioning_dim": None} != base


@pytest.mark.parametrize("path", sorted((pathlib.Path(__file__).parents[1] / "configs").rglob("*.yaml")), ids=lambda p: p.stem)
def test_the_recipes_are_whole(path):
    settings = load_recipe(path)
    GuidedUNet(**settings["unet"]) if settings["unet"]["block_out_channels"][0] < 100 else None


def test_the_discriminator_reads_the_encoder_arm_and_its_conditions(work):
    torch.manual_seed(0)
    teacher = staged.load_editor(work, "guidance")
    judge = Discriminator(teacher)
    assert not any(parameter is own for parameter in judge.parameters() for own in teacher.parameters())
    latents = torch.randn(2, 4, 8, 8, requires_grad=True)
    embeddings, timesteps, scales = teacher.encode_prompt(["make it night", "add neon"]), torch.tensor([5, 900]), torch.ones(2)
    features = judge.features(latents, timesteps, latents.detach(), embeddings, scales * 7.5, scales)
    assert len(features) == len(teacher.unet.down_blocks) + 1
    scores = judge(features, timesteps, embeddings, scales * 7.5, scales)
    assert torch.autograd.grad(sum(score.sum() for score in scores), latents, retain_graph=True)[0].abs().max() > 0
    for changed in ((timesteps * 0, embeddings, scales * 7.5, scales), (timesteps, embeddings.flip(0), scales * 7.5, scales),
                    (timesteps, embeddings, scales * 2, scales), (timesteps, embeddings, scales * 7.5, scales * 3)):
        assert not torch.equal(judge(features, *changed)[0], scores[0])
    blind = Discriminator(teacher, condition_on_guidance=False)
    assert torch.equal(blind(features, timesteps, embeddings, scales, scales)[0],
                       blind(features, timesteps, embeddings, scales * 2, scales * 2)[0])


def test_the_second_frame_attends_to_the_first(work):
    torch.manual_seed(0)
    unet = staged.load_editor(work, "temporal").unet
    scales = {"guidance_scale": torch.ones(1), "image_guidance_scale": torch.ones(1)}
    arguments = (999, torch.randn(1, 32, 96))
    frames = [torch.randn(1, 8, 8, 8) for _ in range(2)]
    alone = [unet(frame, *arguments, added_cond_kwargs=scales).sample for frame in frames]
    with cross_frame(unet):
        together = [unet(frame, *arguments, added_cond_kwargs=scales).sample for frame in frames]
    torch.testing.assert_close(together[0], alone[0])
    assert (together[1] - alone[1]).abs().max() > 1e-4
    torch.testing.assert_close(unet(frames[1], *arguments, added_cond_kwargs=scales).sample, alone[1])


def test_the_prompt_encoders_finish_holds_on_to_what_canonical_prompts_tell(work, settings):
    """The term is nothing before the first step and grows with what has changed; without its weight it is not there."""
    recipe = train.Recipe(settings, work)
    index = NAMES.index("text")
    recipe.entries[index] = {**settings["stages"][index], "name": "holding"}
    stage = recipe.learner(index).stage
    sample = stage.draw(np.random.default_rng(2), 2, 32)
    assert stage.losses(sample)["held"] == 0
    with torch.no_grad():
        stage.editor.text_encoder.final_layer_norm.bias += 0.1
    held = stage.losses(sample)["held"].item()
    assert held > 10 * 0.1**2
    stage.hold = 0.0
    assert "held" not in stage.losses(sample)


def seeded_losses(stage, sample, decibels: float) -> dict[str, torch.Tensor]:
    """The same draws each time."""
    torch.manual_seed(5)
    stage.options["decibels"] = decibels
    return stage.losses(sample)


def test_terms_weigh_by_edit(work, settings):
    """Sharpness and motion of one edit may count more than another's; a name that is no edit's is refused."""
    recipe = train.Recipe(settings, work)
    entry, index = settings["stages"][-1], len(STAGES) - 1
    recipe.entries[index] = {**entry, "name": "weighed", "energy": 1.0, "sharp_edits": {"neon": 0, "ink": 3}, "motion_edits": {"neon": 0}}
    stage = recipe.learner(index).stage
    output, target = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    plain = losses.reconstruction(output, target)
    neon, ink, other = (stage.likeness(output, target, [edit] * 2) for edit in ("neon", "ink", "night"))
    torch.testing.assert_close(neon, plain)
    torch.testing.assert_close(ink - plain, 3 * (other - plain), rtol=1e-4, atol=1e-4)
    sample = stage.draw(np.random.default_rng(2), 2, 32)
    for batch in sample[:2]:
        batch.edits[:] = ["neon", "neon"]
    assert stage.losses(sample)["motion"] < 0.01 < stage.losses([replace(b, edits=["ink"] * 2) for b in sample[:2]] + [sample[2]])["motion"]
    weighed = [likeness["decibels"] for likeness in (seeded_losses(stage, sample, decibels) for decibels in (0.01, 0.03))]
    torch.testing.assert_close(weighed[1], 3 * weighed[0])
    assert weighed[0] < -0.01 and "decibels" not in seeded_losses(stage, sample, 0.0)
    recipe.entries[index]["motion_edits"] = {"neno": 0}
    with pytest.raises(ValueError, match="motion_edits of the stage temporal names 'neno'; the edits are identity"):
        recipe.learner(index)
