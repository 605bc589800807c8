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
    """Only nano has it; the paper's CLIP stays as it is. What modulates the decoder is the goal: for each sentence, the
    vector of its edit's canonical prompt must be the nearest, and near. Pictures are not looked at."""

    name, prediction = "text", "velocity"

    def prepare(self, earlier) -> None:
        self.instructions = Instructions({})
        with torch.no_grad():
            self.goals = self.told([prompts.CANONICAL[name] for name in stylizers.NAMES])

    def trained(self) -> Iterable[nn.Parameter]:
        return parameters_of(self.editor.text_encoder)

    def told(self, sentences: list[str]) -> Tensor:
        """The text's share of the conditioning, [sentences, width]."""
        return self.editor.unet.add_embedding(self.editor.encode_prompt(sentences)).float()

    def draw(self, rng, size: int, crop: int) -> Batch:
        edits, sentences = self.instructions.draw(rng, size)
        nothing = torch.empty(0)
        return Batch(nothing, nothing, sentences, edits)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        told = self.told(batch.prompts)
        labels = torch.tensor([stylizers.NAMES.index(edit) for edit in batch.edits], device=self.device)
        distances = (told[:, None] - self.goals[None]).square().mean(2)
        return {"nearest": F.cross_entropy(-distances / self.options.get("temperature", 0.3), labels, label_smoothing=0.02),
                "near": distances.gather(1, labels[:, None]).mean()}
