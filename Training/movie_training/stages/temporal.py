"""Stage 5: temporal coherence. The one-step editor is finished on pairs of neighbouring frames, with the first frame as
anchor of the second, end to end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import losses
from ..anchors import cross_frame
from ..integers import on_integers
from .base import Stage, parameters_of


def warp(pictures: Tensor, flow: Tensor) -> Tensor:
    """pictures(x + flow(x)); pictures [batch, c, h, w], flow [batch, 2, h, w] in pixels, x before y."""
    height, width = pictures.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(height, device=flow.device), torch.arange(width, device=flow.device),
                                   indexing="ij")
    x = (columns + flow[:, 0]) * (2 / max(width - 1, 1)) - 1
    y = (rows + flow[:, 1]) * (2 / max(height - 1, 1)) - 1
    return F.grid_sample(pictures, torch.stack([x, y], -1).to(pictures.dtype), align_corners=True, padding_mode="border")


class TemporalStage(Stage):
    """Two neighbouring frames with the same latent noise, as the daemon edits them, each with camera noise of its own
    (`data.noise`); the targets are the stylizers' pictures of the frames without it. At scales other than the defaults the
    target is blended with the noisy source and keeps a part of its noise.

    Terms: `first` and `second`, the frames against their pictures (the first without an anchor, the second with it), and
    `motion`: what changes between the outputs, the known motion taken out, against what changes between the targets.

    The weight `decibels` adds both frames' PSNR itself: `losses.decibels`.

    The motion has the weight `motion_weight`, times what `motion_edits` gives an edit (1): where an edit's lines are the
    brightest, standing still comes dearest in likeness.

    With `only: autoencoder` the UNet stays as it is, and no gradient passes through it: two thirds of the time.
    With `integers: true` the autoencoder computes as on integers (integers.py).
    """

    name, prediction = "temporal", "velocity"

    pairs = True

    def trained(self) -> Iterable[nn.Parameter]:
        return parameters_of(self.editor.vae) if self.holds_unet else parameters_of(self.editor.unet, self.editor.vae)

    def prepare(self, earlier) -> None:
        if self.options.get("integers") and not self.editor.has_skips:
            raise ValueError("integers is set, but AutoencoderTiny has no arithmetic of integers here: leave it out")

    @property
    def holds_unet(self) -> bool:
        return self.options.get("only") == "autoencoder"

    def draw(self, rng, size: int, crop: int) -> tuple:
        return self.data.draw_pairs(rng, size, crop)

    def losses(self, pair: tuple) -> dict[str, Tensor]:
        first, second, flow = pair
        count = len(first.prompts)
        scales = self.draw_guidance(count)
        targets = [self.blended(frame, *scales) for frame in (first, second)]
        with torch.no_grad():
            embeddings = self.editor.encode_prompt(first.prompts)
        factor = self.editor.factor
        noise = torch.randn(count, self.editor.vae.config.latent_channels, first.source.shape[2] // factor,
                            first.source.shape[3] // factor, device=self.device)
        with torch.set_grad_enabled(not self.holds_unet):
            told = self.told(embeddings, scales)
        arithmetic = on_integers(self.editor.vae) if self.options.get("integers") else contextlib.nullcontext()
        with cross_frame(self.editor.unet), arithmetic:
            outputs = [self.editor.edit(frame.source, noise, embeddings, *scales, self.holds_unet, told).float()
                       for frame in (first, second)]
        terms = {name: self.likeness(output, target, first.edits)
                 for name, output, target in zip(("first", "second"), outputs, targets)}
        if weight := self.options.get("decibels"):
            terms["decibels"] = weight * sum(losses.decibels(*pictures).mean() for pictures in zip(outputs, targets))
        changes = [after - warp(before, flow[:, :2].float()) for before, after in (outputs, targets)]
        difference = (changes[0] - changes[1]) * flow[:, 2:].float()
        weights = self.options.get("motion_weight", 1.0) * self.by_edit("motion_edits", first.edits)
        # The weight stands inside of the root: what is left to calm is smaller than where the root begins to round off.
        terms["motion"] = losses.charbonnier(difference * weights.view(-1, 1, 1, 1))
        return terms
