"""What integers will do to the autoencoder, as training sees it."""

from __future__ import annotations

import contextlib
import copy

import pytest
import torch

from movie_training import equalize, integers
from movie_training.models import SkipAutoencoder, SkipBlock

CONDITIONING = 8


@pytest.fixture
def vae() -> SkipAutoencoder:
    """One whose channels differ much in range, and none of whose blocks is idle."""
    torch.manual_seed(3)
    model = SkipAutoencoder(encoder_block_out_channels=(8, 12), num_encoder_blocks=(1, 1),
                            decoder_block_out_channels=(12, 8), num_decoder_blocks=(1, 1), conditioning_dim=CONDITIONING)
    with torch.no_grad():
        for block in (module for module in model.modules() if isinstance(module, SkipBlock)):
            block.conv[4].weight.normal_(std=0.05)
        for stream in equalize.streams(model):
            stream.scale(torch.linspace(-1, 1, stream.readers[0].in_channels).exp())
    return model.requires_grad_(False)


def picture(vae: SkipAutoencoder, pixels: torch.Tensor, decoder_on_integers: bool = False) -> torch.Tensor:
    latents, features = vae.encoder(pixels)
    with integers.on_integers(vae) if decoder_on_integers else contextlib.nullcontext():
        return vae.decoder(latents, features, torch.ones(len(pixels), CONDITIONING))


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    return (a - b).square().mean().sqrt().item()


def test_rounding_moves_half_a_step_at_most_and_lets_gradients_pass():
    value = torch.linspace(-1, 1, 101, requires_grad=True)
    out = integers.straight_through(value, torch.tensor(0.1))
    assert (out - value).abs().max() <= 0.05 + 1e-6
    torch.testing.assert_close(out / 0.1, (out / 0.1).round(), atol=1e-5, rtol=0)
    out.square().sum().backward()
    torch.testing.assert_close(value.grad, 2 * out.detach())


def test_every_channel_has_steps_of_its_own_range():
    value = torch.rand(2, 3, 16, 16) * torch.tensor([1.0, 0.1, 1e-5]).view(1, 3, 1, 1)
    value[0, :, 0, 0] = torch.tensor([1.0, 0.1, 1e-5])
    ranges = integers.channel_ranges(value).flatten() / integers.MARGIN
    torch.testing.assert_close(ranges, torch.tensor([1.0, 0.1, equalize.LEAST * 0.1]))
    signed = integers.channel_ranges(value - 0.5).flatten()
    assert (signed == signed[0]).all()
    lost = (integers.rounded(value) - value).abs().amax((0, 2, 3))
    assert lost[0] > 5 * lost[1]
    assert (lost <= ranges * integers.MARGIN / 255 / 2 + 1e-7).all()


def test_weights_share_the_step_of_what_they_bring():
    weight, ranges = torch.randn(4, 3, 3, 3), torch.tensor([1.0, 0.1, 0.02]).view(1, 3, 1, 1)
    parts, rounded = weight * ranges, integers.rounded_weight(weight, ranges) * ranges
    steps = parts.abs().amax((1, 2, 3), keepdim=True) / 127
    torch.testing.assert_close(rounded / steps, (rounded / steps).round(), atol=1e-3, rtol=0)
    assert ((rounded - parts).abs() <= steps / 2 + 1e-6).all()


def one_range(value: torch.Tensor) -> torch.Tensor:
    """The engine's: all channels of a value share the widest range."""
    low, high = value.amin().clamp(max=0), value.amax().clamp(min=0)
    return (integers.MARGIN * (high - low)).expand(1, value.shape[1], 1, 1)


def test_it_brings_the_noise_that_rounding_will_bring_behind_the_export(vae, monkeypatch):
    """Channel by channel as much as with one range for all once they are equal, which is less than now."""
    pixels = torch.rand(4, 3, 32, 32) * 2 - 1
    exact = picture(vae, pixels)
    here = distance(picture(vae, pixels, decoder_on_integers=True), exact)
    even = copy.deepcopy(vae)
    equalize.equalize(even, lambda: picture(even, pixels))
    torch.testing.assert_close(picture(even, pixels), exact, atol=1e-4, rtol=1e-4)
    monkeypatch.setattr(integers, "channel_ranges", one_range)
    there = distance(picture(even, pixels, decoder_on_integers=True), exact)
    uneven = distance(picture(vae, pixels, decoder_on_integers=True), exact)
    assert 1e-4 < here < 0.1 * exact.std()
    assert 0.8 < here / there < 1.25
    assert uneven > 1.3 * there


def test_afterwards_nothing_is_rounded(vae):
    pixels = torch.rand(1, 3, 16, 16) * 2 - 1
    before = picture(vae, pixels)
    with pytest.raises(RuntimeError), integers.on_integers(vae):
        raise RuntimeError
    assert torch.equal(picture(vae, pixels), before)
