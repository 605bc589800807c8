"""The networks that peers are given, and the random models."""

from __future__ import annotations

import math
import pathlib

import make_models
import numpy as np
import pytest
import torch
from movie_training.editor import load_folder
from safetensors.torch import load_file

from peers import networks, quality

NANO = pathlib.Path(__file__).resolve().parents[2] / "Models" / "nano"
PROMPT = "make it a pencil drawing"


def picture(size: int = 64) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (size, size, 3), dtype=np.uint8)


def outputs(folder: pathlib.Path, work: str) -> torch.Tensor:
    network = networks.load_network(folder, work, 64, 64)
    inputs = networks.make_inputs(folder, work, [picture()], [PROMPT])[0]
    assert set(inputs) == set(network.names)
    with torch.inference_mode():
        return network.module(*(inputs[name] for name in network.names))


@pytest.mark.parametrize("work, shape", [
    ("unet", [1, 4, 8, 8]), ("vae-encoder", [1, 4, 8, 8]), ("vae-decoder", [1, 3, 64, 64]), ("nano-frame", [64, 64, 3]),
])
def test_a_random_model_gives_ordinary_numbers(tiny, work, shape):
    values = outputs(tiny, work)
    assert list(values.shape) == shape
    assert torch.isfinite(values.float()).all() and 0.05 < values.float().std() < 100


def test_the_same_seed_gives_the_same_weights(tiny, tmp_path):
    make_models.write_model("tiny", tmp_path / "same")
    make_models.write_model("tiny", tmp_path / "other", seed=1)
    weights = [load_file(folder / "unet" / "diffusion_pytorch_model.safetensors")
               for folder in (tiny, tmp_path / "same", tmp_path / "other")]
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())
    assert not torch.equal(weights[0]["conv_in.weight"], weights[2]["conv_in.weight"])
    assert all(tensor.dtype == torch.float16 for tensor in weights[0].values())


def test_a_model_without_guidance_embeddings(tmp_path):
    make_models.write_model("tiny", tmp_path / "base", has_guidance=False)
    assert networks.static_names(tmp_path / "base") == ("encoder_hidden_states",)
    assert torch.isfinite(outputs(tmp_path / "base", "unet")).all()


def test_a_frame_of_nano_is_the_editor_of_training():
    editor = load_folder(NANO)
    noise = networks.daemon_noise(8, 8, 4)
    with torch.inference_mode():
        edited = editor.edit(networks.to_sample(picture()), noise, editor.encode_prompt([PROMPT]),
                             torch.tensor([7.5]), torch.tensor([1.5]))
    wanted = (edited[0].permute(1, 2, 0) * 127.5 + 127.5).clamp(0, 255).round().to(torch.uint8)
    assert quality.psnr(outputs(NANO, "nano-frame").numpy(), wanted.numpy()) > 50


def test_the_noise_is_the_daemon_s():
    """Against SplitMix64 with Python's own integers."""
    mask, state, uniform = 2**64 - 1, 5, []
    for _ in range(8):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        uniform.append((((z ^ (z >> 31)) >> 11) + 0.5) * 2**-53)
    wanted = [math.sqrt(-2 * math.log(a)) * math.cos(2 * math.pi * b) for a, b in zip(uniform[::2], uniform[1::2])]
    noise = networks.daemon_noise(1, 2, 2, seed=5)
    np.testing.assert_allclose(noise.permute(0, 2, 3, 1).flatten().numpy(), wanted, rtol=1e-6)
