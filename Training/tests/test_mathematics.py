"""What the stages compute with: parametrizations, samplers, guidance, noise, warping and losses.

    PYTHONPATH=Training python -m pytest Training/tests/test_mathematics.py
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from movie_training import diffusion, losses
from movie_training.stages.temporal import warp


def test_parametrizations_agree():
    schedule = diffusion.Schedule(reach=100)
    clean, noise, timesteps = torch.randn(5, 4, 3, 3), torch.randn(5, 4, 3, 3), torch.tensor([1, 100, 400, 700, 999])
    noisy = schedule.add_noise(clean, noise, timesteps)
    torch.testing.assert_close(schedule.from_epsilon(noisy, noise, timesteps), clean, rtol=1e-3, atol=1e-3)
    velocity = schedule.velocity(noisy, noise, timesteps)
    alpha, sigma = schedule.alpha_sigma(timesteps)
    torch.testing.assert_close(velocity, alpha * noise - sigma * clean, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(schedule.from_velocity(noisy, velocity, timesteps), clean, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(schedule.epsilon_of_velocity(noisy, velocity, timesteps), noise, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("sample", [diffusion.sample_ddim, diffusion.sample_lcm])
def test_samplers_find_what_a_perfect_denoiser_knows(sample):
    schedule, clean = diffusion.Schedule(), torch.randn(2, 4, 6, 6).clamp(-3, 3)

    def denoiser(noisy, timesteps):
        alpha, sigma = schedule.alpha_sigma(timesteps)
        return (noisy - alpha * clean) / sigma

    torch.testing.assert_close(sample(schedule, denoiser, torch.randn_like(clean), 5), clean, rtol=0.02, atol=0.02)


def test_guidance_is_equation_1():
    values = [torch.full((2, 1, 1, 1), value) for value in (1.0, 3.0, 10.0)]
    guided = diffusion.three_pass(*values, image_guidance_scale=torch.tensor([1.5, 1.0]), guidance_scale=torch.tensor([7.5, 1.0]))
    assert guided.flatten().tolist() == [1 + 1.5 * 2 + 7.5 * 7, 10.0]


def test_the_students_timesteps_are_euler_discretes():
    timesteps = diffusion.euler_timesteps(8)
    assert len(timesteps) == 8 and timesteps[0] == 999 and timesteps[-1] == 0 and sorted(timesteps, reverse=True) == timesteps


def test_discriminator_noise_is_logit_normal():
    torch.manual_seed(0)
    timesteps = diffusion.Schedule().logit_normal_timesteps(4000, -1.0, 1.0)
    assert abs(timesteps.float().median().item() - 1000 / (1 + np.e)) < 15
    assert timesteps.max() < 1000


def test_warping_undoes_a_known_motion():
    first = torch.rand(1, 3, 20, 24)
    second = torch.roll(first, (2, 3), (2, 3))
    flow = torch.stack([torch.full((1, 20, 24), -3.0), torch.full((1, 20, 24), -2.0)], 1)
    torch.testing.assert_close(warp(first, flow)[..., 3:, 4:], second[..., 3:, 4:], rtol=1e-4, atol=1e-4)


def test_sharpness_is_a_loss_of_its_own():
    """A blurred picture costs more with it than without, against the same picture."""
    target = torch.rand(1, 3, 32, 32) * 2 - 1
    blurred = torch.nn.functional.avg_pool2d(target, 3, 1, 1)
    assert losses.reconstruction(blurred, target, 0.5) > losses.reconstruction(blurred, target) + 0.05
    torch.testing.assert_close(losses.reconstruction(target, target, 0.5), losses.reconstruction(target, target), rtol=0.1, atol=0.01)


def test_the_loss_sees_every_pixel():
    target = torch.zeros(1, 3, 32, 32)
    for row, column in ((0, 0), (31, 31), (16, 0)):
        output = target.clone()
        output[..., row, column] = 1
        assert losses.reconstruction(output, target).item() > losses.reconstruction(target, target).item() + 1e-4


def test_the_energy_ratio_is_free_of_scale():
    picture = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(losses.energy_ratio(picture, picture), torch.zeros(len(picture)))
    torch.testing.assert_close(losses.energy_ratio(picture * 0.5, picture), torch.full((2,), np.log(4)), rtol=0.01, atol=0.01)


def test_decibels_are_minus_the_psnr_of_each_picture():
    target = torch.rand(3, 3, 32, 32) * 2 - 1
    errors = torch.tensor([0.2, 0.02, 0.0]).view(3, 1, 1, 1)
    torch.testing.assert_close(losses.decibels(target + errors, target), torch.tensor([-20.0, -39.58, -50.0]), rtol=0, atol=0.01)
