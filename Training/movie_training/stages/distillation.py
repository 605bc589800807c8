"""Stage 3, multimodal guidance distillation (Algorithm 1), and the v-prediction fine-tuning that begins stage 4."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ..batches import Batch
from .base import Stage, conditioner, parameters_of
from .teacher import Guidance


class _Distillation(Stage):
    """A student that starts as its teacher and learns what it predicts on noisy latents of the edited pictures."""

    teacher_stage = ""

    def prepare(self, earlier) -> None:
        self.teacher = earlier(self.teacher_stage)
        self.held = conditioner(self.editor) if self.editor.has_skips else []

    def trained(self) -> Iterable[nn.Parameter]:
        return parameters_of(self.editor.unet, but=self.held)

    @torch.no_grad()
    def noisy_sample(self, batch: Batch):
        encoded, latents = self.encode(batch), self.encode_pixels(batch.edited)
        timesteps = self.schedule.random_timesteps(len(latents))
        noisy = self.schedule.add_noise(latents, torch.randn_like(latents), timesteps)
        return encoded, noisy, timesteps


class GuidanceStage(_Distillation):
    """One pass with the scales as inputs imitates the three passes of equation 1."""

    name, teacher_stage = "guidance", "teacher"

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        encoded, noisy, timesteps = self.noisy_sample(batch)
        scales = self.draw_guidance(len(noisy))
        guided = Guidance(self.teacher).epsilon(noisy, timesteps, encoded.image_latents, encoded.embeddings, *scales)
        epsilon = self.editor.predict(noisy, timesteps, encoded.image_latents, encoded.embeddings, *scales).float()
        error = (epsilon - guided).square()
        terms = {"epsilon": error.mean()}
        weight = self.options.get("clean_loss_weight", 0.0)
        if weight:
            terms["clean"] = weight * (self.schedule.clean_weight(timesteps, 25.0) * error).mean()
        return terms


class VelocityStage(_Distillation):
    """The same model with v-prediction: the student matches the velocity that the teacher's epsilon means."""

    name, teacher_stage, prediction = "velocity", "guidance", "velocity"

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        encoded, noisy, timesteps = self.noisy_sample(batch)
        inputs = (noisy, timesteps, encoded.image_latents, encoded.embeddings, *self.draw_guidance(len(noisy)))
        with torch.no_grad():
            velocity = self.schedule.velocity(noisy, self.teacher.predict(*inputs).float(), timesteps)
        return {"velocity": (self.editor.predict(*inputs).float() - velocity).square().mean()}
