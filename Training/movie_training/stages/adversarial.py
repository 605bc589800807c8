"""Stage 4: adversarial step distillation (Algorithm 2). One evaluation of the student gives the clean latents."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from .. import losses
from ..batches import Batch
from ..diffusion import euler_timesteps, sample_lcm
from ..discriminator import Discriminator
from .base import Encoded, Stage, parameters_of


class AdversarialStage(Stage):
    """Student: v-prediction, 8 Euler timesteps. Teacher: the guidance-distilled model, 5 LCM steps, frozen.

    Terms of the student's loss, each with a weight in the options: `mse` to the teacher's latents, `generator` against
    the discriminator, and, since the stylizers' pictures are known here, `pixels`: the decoded picture against theirs,
    which also trains the decoder on the latents that it will get. `evaluation_share` of the samples are at the
    evaluation timestep, the rest uniform over the eight (the paper's way: 0).
    """

    name, prediction = "adversarial", "velocity"

    def prepare(self, earlier) -> None:
        self.teacher = earlier("guidance")
        options = self.options
        self.timesteps = torch.tensor(euler_timesteps(options.get("student_timesteps", 8)), device=self.device)
        self.discriminator = Discriminator(
            self.teacher, condition_on_guidance=options.get("condition_on_guidance", True)).to(self.device)
        self.optimizer = torch.optim.AdamW(self.discriminator.parameters(), betas=(0.0, 0.99), weight_decay=0.0,
                                           lr=float(options.get("discriminator_learning_rate", 1e-4)))
        self.weights = {"mse": 1.0, "generator": 0.0, "pixels": 0.0, **options.get("weights", {})}

    def trained(self) -> Iterable[nn.Parameter]:
        editor = self.editor
        return parameters_of(editor.unet, editor.vae.decoder) if self.weights["pixels"] else parameters_of(editor.unet)

    def draw(self, rng, size: int, crop: int) -> tuple:
        """A batch with what both networks' steps need of it: Algorithm 2, lines 2 to 6."""
        with torch.no_grad(), self.autocast():
            batch = self.data.draw(rng, size, crop)
            encoded, scales = self.encode(batch), self.draw_guidance(size)
            # The student's prompt encoder may have been finished since.
            known = Encoded(encoded.image_latents, encoded.features, self.teacher.encode_prompt(batch.prompts))
            real = self.teacher_sample(known, scales)
            latents = real if self.weights["mse"] else self.encode_pixels(self.blended(batch, *scales))
            chosen = self.timesteps[torch.randint(0, len(self.timesteps), (size,), device=self.device)]
            at_evaluation = torch.rand(size, device=self.device) < self.options.get("evaluation_share", 0.0)
            timesteps = torch.where(at_evaluation, self.timesteps[0], chosen)
            noise = torch.randn_like(real)
            noisy = self.schedule.add_noise(latents, noise, timesteps)
            # One step from the evaluation timestep starts from noise alone.
            noisy = torch.where((timesteps == self.timesteps[0]).view(-1, 1, 1, 1), noise, noisy)
        return batch, encoded, known, scales, real, noisy, timesteps

    def teacher_sample(self, encoded: Encoded, scales: tuple[Tensor, Tensor]) -> Tensor:
        denoiser = lambda noisy, timesteps: self.teacher.predict(  # noqa: E731
            noisy, timesteps, encoded.image_latents, encoded.embeddings, *scales)
        return sample_lcm(self.schedule, denoiser, torch.randn_like(encoded.image_latents),
                          self.options.get("teacher_steps", 5))

    def student_sample(self, encoded: Encoded, scales, noisy: Tensor, timesteps: Tensor) -> Tensor:
        velocity = self.editor.predict(noisy, timesteps, encoded.image_latents, encoded.embeddings, *scales).float()
        return self.schedule.from_velocity(noisy, velocity, timesteps)

    def features(self, latents: Tensor, encoded: Encoded, scales, timesteps: Tensor, noise: Tensor) -> list[Tensor]:
        noisy = self.schedule.add_noise(latents, noise, timesteps)
        return self.discriminator.features(noisy, timesteps, encoded.image_latents, encoded.embeddings, *scales)

    def discriminator_timesteps(self, count: int) -> Tensor:
        mean, deviation = self.options.get("noise_logit_normal", [-1.0, 1.0])
        return self.schedule.logit_normal_timesteps(count, mean, deviation)

    def second_step(self, sample: tuple) -> dict[str, Tensor]:
        """The discriminator's update: hinge loss and R1 on the activations of real samples (lines 8 to 12)."""
        if not self.weights["generator"]:
            return {}
        _, encoded, known, scales, real, noisy, timesteps = sample
        later, noise = self.discriminator_timesteps(len(real)), torch.randn_like(real)
        with torch.no_grad(), self.autocast():
            fake = self.student_sample(encoded, scales, noisy, timesteps)
            of_real, of_fake = (self.features(latents, known, scales, later, noise) for latents in (real, fake))
        of_real = [feature.float().requires_grad_() for feature in of_real]
        conditions = (later, known.embeddings.float(), *scales)
        scores = self.discriminator(of_real, *conditions)
        loss = losses.hinge_discriminator(scores, self.discriminator([f.float() for f in of_fake], *conditions))
        slopes = torch.autograd.grad(sum(score.sum() for score in scores), of_real, create_graph=True)
        penalty = torch.stack([slope.square().sum((1, 2, 3)).mean() for slope in slopes]).mean()
        self.optimizer.zero_grad(set_to_none=True)
        (loss + self.options.get("r1", 1e-4) * penalty).backward()
        torch.nn.utils.clip_grad_norm_(self.discriminator.parameters(), 1.0)
        self.optimizer.step()
        return {"discriminator": loss.detach(), "r1": penalty.detach()}

    def losses(self, sample: tuple) -> dict[str, Tensor]:
        """The student's loss (line 14), and the pixels'."""
        batch, encoded, known, scales, real, noisy, timesteps = sample
        fake, terms = self.student_sample(encoded, scales, noisy, timesteps), {}
        if self.weights["mse"]:
            terms["mse"] = self.weights["mse"] * (fake - real).square().mean()
        if self.weights["generator"]:
            later, noise = self.discriminator_timesteps(len(real)), torch.randn_like(real)
            features = self.features(fake, known, scales, later, noise)
            scores = self.discriminator([f.float() for f in features], later, known.embeddings.float(), *scales)
            terms["generator"] = self.weights["generator"] * losses.mean_score(scores)
        if self.weights["pixels"]:
            output = self.editor.decode(fake, encoded.features, self.told(encoded.embeddings, scales)).float()
            target = self.blended(batch, *scales)
            terms["pixels"] = self.weights["pixels"] * self.likeness(output, target, batch.edits)
        return terms

    def extra_state(self) -> dict:
        return {"discriminator": self.discriminator.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_extra_state(self, state: dict) -> None:
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimizer.load_state_dict(state["optimizer"])
