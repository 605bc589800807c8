"""Stage 1: the autoencoder, by reconstruction, and with it the conditioning that modulates nano's decoder."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ..batches import Batch
from .base import Stage, conditioner, parameters_of


class AutoencoderStage(Stage):
    """The latents of the *edited* picture are decoded with the skip features of the *source*: D(E(edited), F(source), c).

    Skips bring the source's detail (faces), latents and conditioning what the edit changes. Latents get some noise, since
    the UNet's will not be exact, and are held at mean 0 and deviation 1, which the diffusion's schedule expects. A share
    of the samples has no instruction, and its edit is the source: doing nothing is what an empty prompt asks for.

    With `only: decoder` the latents stay as they are: the diffusion's stages may go on in them meanwhile.
    """

    name = "autoencoder"

    def trained(self) -> Iterable[nn.Parameter]:
        editor = self.editor
        if self.options.get("only") == "decoder":
            return parameters_of(editor.vae.decoder)
        return parameters_of(editor.vae, editor.text_encoder, *conditioner(editor)) if editor.has_skips \
            else parameters_of(editor.vae)

    def without_instruction(self, batch: Batch) -> Batch:
        """Empties the prompt of some samples, whose edit then is the source."""
        empty = torch.rand(len(batch.prompts), device=self.device) < self.options.get("empty_share", 0.05)
        edited = torch.where(empty.view(-1, 1, 1, 1), batch.source, batch.edited)
        prompts = ["" if is_empty else prompt for prompt, is_empty in zip(batch.prompts, empty.tolist())]
        return Batch(batch.source, edited, prompts, batch.edits)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        batch = self.without_instruction(batch)
        scales = self.draw_guidance(len(batch.prompts))
        target = self.blended(batch, *scales)
        embeddings = self.editor.encode_prompt(batch.prompts)
        features = self.editor.encode(batch.source)[1]
        latents = self.editor.encode(target)[0]
        noise = self.options.get("latent_noise", 0.2) * torch.rand(len(latents), 1, 1, 1, device=self.device)
        conditioning = self.told(embeddings, scales)
        output = self.editor.decode(latents + noise * torch.randn_like(latents), features, conditioning)
        return {"pixels": self.likeness(output.float(), target, batch.edits),
                "latents": self.options.get("latent_penalty", 0.02) * spread(latents.float())}


def spread(latents: Tensor) -> Tensor:
    """How far the channels' means are from 0 and their deviations from 1."""
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    return (mean.square() + (deviation - 1).square()).sum()
