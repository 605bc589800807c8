"""The discriminator of the adversarial distillation: a frozen encoder arm and trainable spatial heads (Figure 11)."""

from __future__ import annotations

import torch
from diffusers.models.embeddings import TimestepEmbedding, get_timestep_embedding
from torch import Tensor, nn
from torch.nn import functional as F

from .editor import Editor


class SpatialHead(nn.Module):
    """Scores every place of one layer's activations, [batch, channels, h, w] -> [batch, 1, h, w].

    The activations are modulated by embeddings of timestep and guidance scales; the score is a projection onto the prompt
    (Miyato and Koyama 2018) plus one that needs no prompt.
    """

    def __init__(self, channels: int, width: int, prompt_width: int):
        super().__init__()
        self.enter = nn.Conv2d(channels, width, 1)
        self.norm = nn.GroupNorm(8, width)
        self.condition = nn.Linear(width, 2 * width)
        self.block = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.GroupNorm(8, width), nn.SiLU())
        self.score = nn.Conv2d(width, 1, 1)
        self.prompt = nn.Linear(prompt_width, width)

    def forward(self, activations: Tensor, condition: Tensor, prompt: Tensor) -> Tensor:
        scale, shift = self.condition(condition)[:, :, None, None].chunk(2, 1)
        h = F.silu(self.norm(self.enter(activations)) * (1 + scale) + shift)
        h = h + self.block(h)
        toward = (h * self.prompt(prompt)[:, :, None, None]).mean(1, keepdim=True)
        return self.score(h) + toward


class Discriminator(nn.Module):
    """Low for the teacher's samples, high for the student's (Algorithm 2's signs).

    `condition_on_guidance` false leaves the guidance scales out: the ablation of Table 2.
    """

    def __init__(self, teacher: Editor, width: int = 64, condition_on_guidance: bool = True):
        super().__init__()
        self._teacher = [teacher]  # in a list: its parameters are not the discriminator's
        channels = [teacher.unet.config.block_out_channels[i] for i in range(len(teacher.unet.down_blocks))]
        prompt_width = teacher.unet.config.cross_attention_dim
        self.heads = nn.ModuleList(SpatialHead(c, width, prompt_width) for c in [*channels, channels[-1]])
        self.embeddings = nn.ModuleList(TimestepEmbedding(width, width) for _ in range(3))
        self.width, self.condition_on_guidance = width, condition_on_guidance

    def features(self, noisy: Tensor, timesteps: Tensor, image_latents: Tensor, embeddings: Tensor,
                 guidance_scale: Tensor, image_guidance_scale: Tensor) -> list[Tensor]:
        """The activations at the end of each down block and of the middle block; differentiable to `noisy`."""
        unet, kept = self._teacher[0].unet, []
        hooks = [block.register_forward_hook(
                    lambda _, __, output: kept.append(output[0] if isinstance(output, tuple) else output))
                 for block in [*unet.down_blocks, unet.mid_block]]
        skip_rest = unet.up_blocks[0].register_forward_pre_hook(_stop)
        try:
            self._teacher[0].predict(noisy, timesteps, image_latents, embeddings, guidance_scale, image_guidance_scale)
        except _Stop:
            pass
        finally:
            skip_rest.remove()
            for hook in hooks:
                hook.remove()
        return kept

    def forward(self, features: list[Tensor], timesteps: Tensor, embeddings: Tensor, guidance_scale: Tensor,
                image_guidance_scale: Tensor) -> list[Tensor]:
        """A map of scores for each head."""
        inputs = [timesteps.float()]
        if self.condition_on_guidance:
            inputs += [guidance_scale * 16, image_guidance_scale * 16]
        condition = torch.stack([
            embedding(get_timestep_embedding(value, self.width)) for embedding, value in zip(self.embeddings, inputs)
        ]).sum(0)
        prompt = embeddings.mean(1)
        return [head(feature, condition, prompt) for head, feature in zip(self.heads, features)]


class _Stop(Exception):
    """Ends a forward pass after the encoder arm."""


def _stop(*_) -> None:
    raise _Stop
