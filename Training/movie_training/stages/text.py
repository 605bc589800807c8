"""The prompt encoder's finish: every paraphrase of an edit must tell the UNet and the decoder what its canonical prompt does."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import prompts, stylizers
from ..batches import Batch
from ..instructions import Instructions
from .base import Stage, parameters_of


class TextStage(Stage):
    """Only nano has it; the paper's CLIP stays as it is.

    Terms: `nearest` and `near`, what modulates the decoder: for each sentence, the vector of its edit's canonical prompt
    must be the nearest (by odds of `temperature`: well below the distance of the nearest two edits, or all are pushed
    apart for ever), and near, with the weight `near`. `same`, with the weight `unet_weight`: the UNet's one step must give the latents that
    the canonical prompt gives, which takes what its cross-attention reads as well. With a weight of 0 (as long as the
    decoder ignores latents) pictures are not looked at. `held`, with the weight `hold`: what the canonical prompts
    themselves tell stays what it was, for that is what everything else was trained with.
    """

    name, prediction = "text", "velocity"

    def prepare(self, earlier) -> None:
        self.instructions = Instructions({})
        self.weight = self.options.get("unet_weight", 0.0)
        with torch.no_grad():
            self.canonical = self.encode_canonical()
            self.goals = self.told(self.canonical)
        self.hold = self.options.get("hold", 0.0)

    def trained(self) -> Iterable[nn.Parameter]:
        return parameters_of(self.editor.text_encoder)

    def encode_canonical(self) -> Tensor:
        """What the prompts that name the edits tell, [edits, tokens, width]."""
        return self.editor.encode_prompt([prompts.CANONICAL[name] for name in stylizers.NAMES])

    def told(self, embeddings: Tensor) -> Tensor:
        """The text's share of the conditioning, [sentences, width]."""
        return self.editor.unet.add_embedding(embeddings).float()

    def draw(self, rng, size: int, crop: int) -> Batch:
        if self.weight:
            return self.data.draw(rng, size, crop)
        edits, sentences = self.instructions.draw(rng, size)
        nothing = torch.empty(0)
        return Batch(nothing, nothing, sentences, edits)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        embeddings = self.editor.encode_prompt(batch.prompts)
        labels = torch.tensor([stylizers.NAMES.index(edit) for edit in batch.edits], device=self.device)
        distances = (self.told(embeddings)[:, None] - self.goals[None]).square().mean(2)
        terms = {"nearest": F.cross_entropy(-distances / self.options.get("temperature", 0.3), labels, label_smoothing=0.02),
                 "near": self.options.get("near", 1.0) * distances.gather(1, labels[:, None]).mean()}
        if self.hold:
            now = self.encode_canonical()
            moved = (now - self.canonical).square().mean() + (self.told(now) - self.goals).square().mean()
            terms["held"] = self.hold * moved
        if self.weight:
            terms["same"] = self.weight * self.difference(batch, embeddings, self.canonical[labels])
        return terms

    def difference(self, batch: Batch, embeddings: Tensor, canonical: Tensor) -> Tensor:
        """Mean squared, of the UNet's velocities at the evaluation timestep for two embeddings of an edit."""
        with torch.no_grad():
            image_latents = self.editor.image_latents(self.editor.encode(batch.source)[0])
            noise, scales = torch.randn_like(image_latents), self.default_guidance(len(batch.edits))
            timesteps = torch.full((len(noise),), self.editor.timestep, device=self.device)
            wanted = self.editor.predict(noise, timesteps, image_latents, canonical, *scales).float()
        velocity = self.editor.predict(noise, timesteps, image_latents, embeddings, *scales).float()
        return (velocity - wanted).square().mean()
