"""Makes an autoencoder ready for integers: every channel gets the same range, and the pictures stay what they are.

On integers the channels of a value share one step. A channel of a narrow range that weighs much behind it then brings
most of the noise of rounding; behind the decoder's last value that noise is seen as flicker. Between two convolutions
with nothing but ReLU, sums, upsampling and modulation in between, a channel may be scaled up before and down behind
without any change of the result (cross-layer equalization: Nagel et al., "Data-Free Quantization Through Weight
Equalization and Bias Correction", section 4.1; here with ranges that are seen instead of estimated).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from . import calibration, evaluate, prompts
from .editor import Editor
from .models import SkipAutoencoder, SkipBlock

#: A channel that hardly ever speaks is not scaled up beyond this part of the usual range.
LEAST = 0.25


@dataclass
class Stream:
    """A value that several layers write to and read from."""

    writers: list[nn.Conv2d]
    readers: list[nn.Conv2d]
    modulated: nn.Linear | None = None  # film: the first half of its rows scales, the second shifts

    def scale(self, factors: Tensor) -> None:
        """Multiplies the channels of this value by `factors`, [channels]."""
        for writer in self.writers:
            writer.weight *= factors.view(-1, 1, 1, 1)
            if writer.bias is not None:
                writer.bias *= factors
        if self.modulated is not None:
            shift = slice(len(factors), None)
            self.modulated.weight[shift] *= factors[:, None]
            self.modulated.bias[shift] *= factors
        for reader in self.readers:
            reader.weight /= factors.view(1, -1, 1, 1)


def _hidden(block: SkipBlock) -> Iterator[Stream]:
    """The two values inside of a block."""
    yield Stream([block.conv[0]], [block.conv[2]], block.film)
    yield Stream([block.conv[2]], [block.conv[4]])


def _levels(layers: nn.Sequential) -> list[tuple[list[nn.Conv2d], list[SkipBlock]]]:
    """Runs of blocks with the convolutions before each run; the last convolution has none behind it."""
    runs: list[tuple[list[nn.Conv2d], list[SkipBlock]]] = []
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            runs.append(([layer], []))
        elif isinstance(layer, SkipBlock):
            runs[-1][1].append(layer)
    return runs


def streams(vae: SkipAutoencoder) -> list[Stream]:
    """All values of the autoencoder whose channels may be scaled, in the order in which they are computed."""
    found: list[Stream] = []
    encoder, decoder = _levels(vae.encoder.layers), _levels(vae.decoder.layers)
    skips = [[skip] for skip in vae.decoder.skips] if vae.decoder.skips is not None else [[] for _ in vae.decoder.starts]
    last = len(decoder) - 2
    for level, ((entry, blocks), (following, _)) in enumerate(zip(encoder, encoder[1:])):
        following = following + skips[len(encoder) - 2 - level]
        found += [stream for block in blocks for stream in _hidden(block)]
        found.append(Stream(entry + [block.conv[4] for block in blocks],
                            [block.conv[0] for block in blocks] + following))
    for level, ((entry, blocks), (following, _)) in enumerate(zip(decoder, decoder[1:])):
        found += [stream for block in blocks for stream in _hidden(block)]
        joined = skips[level] + [vae.decoder.pixel_skip] * (level == last and vae.decoder.pixel_skip is not None)
        found.append(Stream(entry + joined + [block.conv[4] for block in blocks],
                            [block.conv[0] for block in blocks] + following))
    return found


def ranges(found: list[Stream], run: Callable[[], None]) -> list[Tensor]:
    """The largest magnitude of each stream's channels while `run` edits pictures, at what its readers get."""
    seen = [torch.zeros(stream.readers[0].in_channels) for stream in found]

    def look(index: int, value: Tensor) -> None:
        seen[index] = seen[index].maximum(value.detach().abs().amax((0, 2, 3)))

    handles = [reader.register_forward_pre_hook(lambda _, inputs, index=index: look(index, inputs[0]))
               for index, stream in enumerate(found) for reader in stream.readers]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return seen


def edit_pictures(model: Editor, count: int = 42, prompts_each: int = 3, seed: int = 11) -> None:
    """Edits pictures of training, each with some of the canonical prompts in turn, at the default scales and at the
    strongest. Many pictures: a channel that is silent in all of them, and speaks later, would be far too loud."""
    guidance = model.settings["guidance"]
    strongest = guidance["guidance_scale"]["range"][1], guidance["image_guidance_scale"]["range"][0]
    turns = itertools.cycle(prompts.CANONICAL.values())
    for picture in calibration.pictures(count, seed).astype(np.float32) / 255:
        for prompt in itertools.islice(turns, prompts_each):
            evaluate.run(model, picture, prompt)
            evaluate.run(model, picture, prompt, *strongest)


def spoken(ranges: Tensor) -> Tensor:
    """The ranges of a value's channels, [channels], those that hardly ever speak taken for `LEAST` of the median of the
    others: of the widest, a single loud channel would make all others coarse."""
    audible = ranges[ranges > 1e-4 * ranges.max()]
    return ranges.clamp(min=LEAST * audible.median().item()) if len(audible) else torch.ones_like(ranges)


@torch.no_grad()
def equalize(vae: SkipAutoencoder, run: Callable[[], None]) -> None:
    """Gives the channels of every value the range of its widest channel; `run` edits the pictures that tell the ranges."""
    found = streams(vae)
    for stream, seen in zip(found, ranges(found, run)):
        heard = spoken(seen)
        stream.scale(heard.max() / heard)
