"""What makes a decoded picture sharp and like its target, without a downloaded perceptual network."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def charbonnier(difference: Tensor, weight: Tensor | float = 1.0) -> Tensor:
    """Weighted mean of sqrt(d^2 + 4e-5): the absolute value, smooth at zero."""
    return (weight * (difference * difference + 4e-5).sqrt()).mean()


def squared_gradients(pictures: Tensor) -> Tensor:
    """Squared differences of neighbouring pixels' luma, both ways, [batch, 1, height - 1, width - 1]."""
    luma = (pictures * pictures.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return luma.diff(dim=-2)[..., :, :-1].square() + luma.diff(dim=-1)[..., :-1, :].square()


def gradient_energy(pictures: Tensor) -> Tensor:
    """Root mean square of the luma's gradient in windows of 8 x 8 pixels, [batch, 1, height / 8, width / 8]."""
    return (F.avg_pool2d(squared_gradients(pictures), 8, ceil_mode=True) + 1e-4).sqrt()


def energy_ratio(output: Tensor, target: Tensor) -> Tensor:
    """|log| of the pictures' gradient energies in proportion, [batch]: dark and pale pictures count alike."""
    own, wanted = (squared_gradients(pictures).mean((1, 2, 3)) + 1e-4 for pictures in (output, target))
    return (own / wanted).log().abs()


def decibels(output: Tensor, target: Tensor) -> Tensor:
    """Minus the PSNR of pictures in -1...1, in dB, [batch]: an error counts in parts of what its picture's error is, so easy
    edits are finished as well as hard ones (the loss of NAFNet, arXiv:2204.04676). Beyond 50 dB nothing more is asked for."""
    return 10 * ((output - target).square().mean((1, 2, 3)) / 4 + 1e-5).log10()


def reconstruction(output: Tensor, target: Tensor, sharpness: Tensor | float = 0.0, energy: Tensor | float = 0.0) -> Tensor:
    """Charbonnier on pixels, gradients and two pooled sizes; pictures [batch, 3, height, width] in -1...1.

    `sharpness` weighs the difference of the windows' gradient energies: what the other terms leave blurred, since a
    blurred line in the right place costs them less than a sharp one a pixel off. `energy` weighs `energy_ratio`. Both
    are one weight or one for each sample, [batch].
    """
    difference = output - target
    coarse = F.avg_pool2d(difference, 4)
    gradients = charbonnier(difference.diff(dim=-2)) + charbonnier(difference.diff(dim=-1))
    loss = (charbonnier(difference) + 0.5 * gradients + 0.5 * charbonnier(coarse)
            + 0.25 * charbonnier(F.avg_pool2d(coarse, 4)))
    sharpness, energy = (torch.as_tensor(weight, device=output.device) for weight in (sharpness, energy))
    if sharpness.any():
        loss = loss + charbonnier(gradient_energy(output) - gradient_energy(target), sharpness.view(-1, 1, 1, 1))
    if energy.any():
        loss = loss + (energy * energy_ratio(output, target)).mean()
    return loss


def hinge_discriminator(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Algorithm 2, line 11 without R1: the discriminator is low for real samples and high for fake ones."""
    terms = [F.relu(1 + a).mean() + F.relu(1 - b).mean() for a, b in zip(real, fake)]
    return torch.stack(terms).mean()


def mean_score(scores: list[Tensor]) -> Tensor:
    return torch.stack([score.mean() for score in scores]).mean()
