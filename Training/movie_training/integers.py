"""The autoencoder as it will be computed on integers, while it is still trained (quantization-aware training).

Rounding is not noise that averages away: what it does to a picture shifted by a pixel is another thing, so it flickers.
Within `on_integers` the weights and everything that a convolution reads are rounded as in the engine, after the export has
given channels equal ranges (equalize.py): a value's channel has 255 steps over its own range, and of a row of weights each
has the step of the largest *part* that a weight times its channel's range can have, 127 of them either way. Gradients pass
as if nothing were rounded (the straight-through estimator; Jacob et al., "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", section 3).
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from .equalize import spoken
from .models import SkipAutoencoder, SkipBlock

#: The engine's ranges come from more pictures than a batch has: how much wider they are taken to be.
MARGIN = 1.3


def straight_through(value: Tensor, step: Tensor) -> Tensor:
    """`value` in whole steps; its gradient is that of `value`."""
    with torch.no_grad():
        lost = torch.round(value / step).mul_(step).sub_(value)
    return value + lost


@torch.no_grad()
def channel_ranges(value: Tensor) -> Tensor:
    """How far the channels of a value [batch, channels, height, width] reach, zero included: [1, channels, 1, 1].

    Channels that hardly speak count as the export counts them. Those with a sign share one range: the latents do so in the
    engine; the encoder's first value does not, and is rounded more coarsely here than there.
    """
    high, low = value.amax((0, 2, 3)).clamp(min=0), value.amin()
    ranges = (high.max() - low).expand_as(high) if low < 0 else spoken(high)
    return MARGIN * ranges.view(1, -1, 1, 1)


def rounded(value: Tensor) -> Tensor:
    """A value that a layer reads, in levels of its channels' ranges."""
    return straight_through(value, channel_ranges(value) / 255)


def rounded_weight(weight: Tensor, ranges: Tensor) -> Tensor:
    """A convolution's weight [out, in, height, width] that reads channels of these ranges [1, in, 1, 1]."""
    widest = (weight.detach() * ranges).abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-8)
    return straight_through(weight, widest / (127 * ranges))


def _convolve(layer: nn.Conv2d, reads_levels: bool, value: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    ranges = channel_ranges(value)
    levels = value if reads_levels else straight_through(value, ranges / 255)
    return nn.Conv2d._conv_forward(layer, levels, rounded_weight(weight, ranges), bias)


@contextlib.contextmanager
def on_integers(vae: SkipAutoencoder) -> Iterator[None]:
    """Within it the autoencoder's convolutions compute as on integers. Pixels are levels already and stay what they are."""
    blocks = [module for module in vae.modules() if isinstance(module, SkipBlock)]
    # A block's input is read twice, by its first convolution and by the sum behind its last: both read the levels.
    exact = [vae.encoder.layers[0], vae.decoder.pixel_skip, *(block.conv[0] for block in blocks)]
    layers = [module for module in vae.modules() if isinstance(module, nn.Conv2d)]
    hooks = [block.register_forward_pre_hook(lambda _, inputs: (rounded(inputs[0]), *inputs[1:])) for block in blocks]
    for layer in layers:
        layer._conv_forward = functools.partial(_convolve, layer, any(layer is one for one in exact))
    try:
        yield
    finally:
        for layer in layers:
            del layer._conv_forward
        for hook in hooks:
            hook.remove()
