"""Stage 2: Mobile-Pix2Pix, the multi-step teacher with epsilon-prediction and classifier-free guidance (equation 1)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ..batches import Batch
from ..diffusion import three_pass
from ..editor import Editor
from .base import Encoded, Stage, conditioner, parameters_of


class TeacherStage(Stage):
    """Instruction fine-tuning on triplets, conditions dropped at random as InstructPix2Pix does: the text, the image and
    both, `condition_dropout` (0.05) of the samples each.

    `empty_prompt_gives: source` makes the source the target where only the text is dropped. The stylizers' edits are far
    from their source; the mean over all of them, which `edited` (InstructPix2Pix's way) teaches, is no starting point for
    guidance. `clean_loss_weight` adds the error of x_0 (capped): at high noise, where one step has to work, the error of
    epsilon alone hardly asks for what the source already tells.
    """

    name = "teacher"

    def prepare(self, earlier) -> None:
        self.held = conditioner(self.editor)[1:] if self.editor.has_skips else []
        with torch.no_grad():
            self.pin = self._evaluation_time().clone()

    def trained(self) -> Iterable[nn.Parameter]:
        return parameters_of(self.editor.unet, but=self.held)

    def _evaluation_time(self) -> Tensor:
        """The time embedding at the evaluation timestep. Nano's decoder is modulated by it, so it must not move."""
        unet = self.editor.unet
        timestep = torch.full((1,), self.editor.timestep, device=self.device)
        return unet.time_embedding(unet.get_time_embed(torch.zeros(1, device=self.device), timestep))

    def drop(self, batch: Batch, encoded: Encoded) -> tuple[Encoded, Tensor]:
        """Conditions dropped at random, and the pictures that the samples then stand for."""
        share, chance = self.options.get("condition_dropout", 0.05), torch.rand(len(batch.prompts), device=self.device)
        no_text = (chance < share) | ((chance >= 2 * share) & (chance < 3 * share))
        no_image = (chance >= share) & (chance < 3 * share)
        empty = self.editor.encode_prompt([""])
        target = batch.edited
        if self.options.get("empty_prompt_gives", "edited") == "source":
            target = torch.where((no_text & ~no_image).view(-1, 1, 1, 1), batch.source, target)
        image_latents = encoded.image_latents * ~no_image.view(-1, 1, 1, 1)
        embeddings = torch.where(no_text.view(-1, 1, 1), empty, encoded.embeddings)
        return Encoded(image_latents, encoded.features, embeddings), target

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        with torch.no_grad():
            encoded, target = self.drop(batch, self.encode(batch))
            latents = self.encode_pixels(target)
        count = len(latents)
        noise, timesteps = torch.randn_like(latents), self.schedule.random_timesteps(count)
        noisy = self.schedule.add_noise(latents, noise, timesteps)
        epsilon = self.editor.predict(noisy, timesteps, encoded.image_latents, encoded.embeddings,
                                      *self.default_guidance(count)).float()
        error = (epsilon - noise).square()
        terms = {"epsilon": error.mean()}
        weight = self.options.get("clean_loss_weight", 0.0)
        if weight:
            terms["clean"] = weight * (self.schedule.clean_weight(timesteps, 25.0) * error).mean()
        if self.held:
            terms["pin"] = (self._evaluation_time() - self.pin).square().mean()
        return terms


class Guidance:
    """Three-pass guidance of a frozen teacher.

    The interface's scales are divided by `teacher_unit` (1 in the paper). Nano's edits are exact, so its teacher gives the
    whole edit at a scale of 1, and the interface's default of 7.5 has the unit 7.5.
    """

    def __init__(self, teacher: Editor):
        self.teacher = teacher
        self.units = [float(teacher.settings["guidance"][key].get("teacher_unit", 1.0))
                      for key in ("guidance_scale", "image_guidance_scale")]
        self.defaults = [float(teacher.settings["guidance"][key]["default"])
                         for key in ("guidance_scale", "image_guidance_scale")]

    @torch.no_grad()
    def epsilon(self, noisy: Tensor, timesteps: Tensor, image_latents: Tensor, embeddings: Tensor,
                guidance_scale: Tensor, image_guidance_scale: Tensor) -> Tensor:
        """Equation 1, in one batch of three times the size."""
        count = len(noisy)
        empty = self.teacher.encode_prompt([""]).expand(count, -1, -1)
        constants = [torch.full((3 * count,), value, device=noisy.device) for value in self.defaults]
        passes = self.teacher.predict(
            noisy.repeat(3, 1, 1, 1), timesteps.repeat(3), torch.cat([image_latents * 0, image_latents, image_latents]),
            torch.cat([empty, empty, embeddings]), *constants).float()
        return three_pass(*passes.chunk(3), image_guidance_scale / self.units[1], guidance_scale / self.units[0])
