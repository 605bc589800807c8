"""The noise schedule, the three parametrizations of a denoiser, guidance and sampling.

x_t = alpha_t x_0 + sigma_t epsilon, with alpha_t^2 = alpha_bar_t and alpha_t^2 + sigma_t^2 = 1. Latents are
[batch, channels, height, width], timesteps [batch] of integers from 0 to 999.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers import EulerDiscreteScheduler, LCMScheduler
from torch import Tensor

STEPS = 1000

#: A denoiser as samplers see it: (x_t, timesteps [batch]) -> epsilon.
Denoiser = Callable[[Tensor, Tensor], Tensor]


class Schedule:
    """Stable Diffusion's schedule. `reach` bounds |x_0|, as the decoder's tanh does; predictions are clamped to it."""

    def __init__(self, device: torch.device | str = "cpu", reach: float = 4.0):
        self.scheduler = LCMScheduler(prediction_type="epsilon", clip_sample=True, clip_sample_range=reach,
                                      set_alpha_to_one=False)
        self.alpha_bars = self.scheduler.alphas_cumprod.to(device)
        self.device, self.reach = device, reach

    def alpha_sigma(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """alpha_t and sigma_t, each [batch, 1, 1, 1]."""
        alpha_bar = self.alpha_bars[timesteps].view(-1, 1, 1, 1)
        return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()

    def add_noise(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        alpha, sigma = self.alpha_sigma(timesteps)
        return alpha * latents + sigma * noise

    def from_epsilon(self, noisy: Tensor, epsilon: Tensor, timesteps: Tensor) -> Tensor:
        """x_0 = (x_t - sigma epsilon) / alpha, within the reach."""
        alpha, sigma = self.alpha_sigma(timesteps)
        return ((noisy - sigma * epsilon) / alpha).clamp(-self.reach, self.reach)

    def from_velocity(self, noisy: Tensor, velocity: Tensor, timesteps: Tensor) -> Tensor:
        """x_0 = alpha x_t - sigma v (Salimans and Ho 2022)."""
        alpha, sigma = self.alpha_sigma(timesteps)
        return alpha * noisy - sigma * velocity

    def velocity(self, noisy: Tensor, epsilon: Tensor, timesteps: Tensor) -> Tensor:
        """v = alpha epsilon - sigma x_0. Where noise prevails x_0 is kept within the reach; elsewhere v = (epsilon - sigma x_t)
        / alpha, which is the same and does not divide by a small sigma."""
        alpha, sigma = self.alpha_sigma(timesteps)
        bounded = (alpha * noisy - self.from_epsilon(noisy, epsilon, timesteps)) / sigma.clamp(min=0.02)
        return torch.where(sigma > 0.7, bounded, (epsilon - sigma * noisy) / alpha)

    def epsilon_of_velocity(self, noisy: Tensor, velocity: Tensor, timesteps: Tensor) -> Tensor:
        """epsilon = alpha v + sigma x_t."""
        alpha, sigma = self.alpha_sigma(timesteps)
        return alpha * velocity + sigma * noisy

    def clean_weight(self, timesteps: Tensor, cap: float) -> Tensor:
        """min(sigma^2 / alpha^2, cap), [batch, 1, 1, 1]: what makes a squared error of epsilon one of x_0."""
        alpha, sigma = self.alpha_sigma(timesteps)
        return (sigma / alpha).square().clamp(max=cap)

    def random_timesteps(self, count: int) -> Tensor:
        return torch.randint(0, STEPS, (count,), device=self.device)

    def logit_normal_timesteps(self, count: int, mean: float, deviation: float) -> Tensor:
        """Timesteps whose logit of t / 1000 is normal (Zhang et al. 2024; the paper's section B)."""
        share = torch.sigmoid(torch.randn(count, device=self.device) * deviation + mean)
        return (share * STEPS).long().clamp(0, STEPS - 1)


def euler_timesteps(count: int) -> list[int]:
    """The timesteps of EulerDiscreteScheduler for `count` steps, from 999 down."""
    scheduler = EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    scheduler.set_timesteps(count)
    return [round(float(timestep)) for timestep in scheduler.timesteps]


def three_pass(unconditional: Tensor, image: Tensor, full: Tensor, image_guidance_scale: Tensor,
               guidance_scale: Tensor) -> Tensor:
    """Equation 1 of the paper: no conditions, the image alone, image and text; scales [batch]."""
    image_scale, text_scale = (scale.view(-1, 1, 1, 1) for scale in (image_guidance_scale, guidance_scale))
    return unconditional + image_scale * (image - unconditional) + text_scale * (full - image)


@torch.no_grad()
def sample_lcm(schedule: Schedule, denoiser: Denoiser, noise: Tensor, steps: int) -> Tensor:
    """x_0 by the LCM sampler: predict the clean latents, add less noise, again (Luo et al. 2023)."""
    scheduler = LCMScheduler.from_config(schedule.scheduler.config)
    scheduler.set_timesteps(steps, device=noise.device)
    latents = noise
    for timestep in scheduler.timesteps:
        epsilon = denoiser(latents, timestep.expand(len(latents)))
        step = scheduler.step(epsilon.float(), timestep, latents)
        latents = step.prev_sample
    return step.denoised


@torch.no_grad()
def sample_ddim(schedule: Schedule, denoiser: Denoiser, noise: Tensor, steps: int) -> Tensor:
    """x_0 by DDIM from timestep 999 in equal steps, predictions clamped to the reach."""
    timesteps = [round((STEPS - 1) * (steps - index) / steps) for index in range(steps)]
    latents = noise
    for index, timestep in enumerate(timesteps):
        now = torch.full((len(latents),), timestep, device=latents.device)
        clean = schedule.from_epsilon(latents, denoiser(latents, now).float(), now)
        if index == steps - 1:
            return clean
        alpha, sigma = schedule.alpha_sigma(now)
        epsilon = (latents - alpha * clean) / sigma
        latents = schedule.add_noise(clean, epsilon, now * 0 + timesteps[index + 1])
    return latents
