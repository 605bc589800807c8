"""The networks of a movied model as PyTorch modules: diffusers' classes, and what the paper and nano add to them.

Additions are named extra configuration keys and extra tensors; with the keys absent each class is diffusers' own:

* `GuidedUNet` is UNet2DConditionModel with embeddings of the two guidance scales (MoViE, section 3.3), added to the
  time embedding. Extra keys: guidance_embed_dim, guidance_embed_scale.
* `SkipAutoencoder` is AutoencoderTiny that may work on patches of pixels, have a different width at each level, pass
  encoder features to the decoder and modulate the decoder's blocks by the UNet's conditioning vector. Extra keys:
  patch_size, skip_connections, conditioning_dim, image_latents_scaling_factor.
"""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.embeddings import TimestepEmbedding, get_timestep_embedding
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional as F


class GuidedUNet(UNet2DConditionModel):
    """UNet2DConditionModel with guidance_scale and image_guidance_scale embeddings.

    `forward(sample, timestep, encoder_hidden_states, added_cond_kwargs={"guidance_scale": [batch],
    "image_guidance_scale": [batch]})`. Afterwards `conditioning` holds the sum of all embeddings, [batch, time_embed_dim].
    """

    def __init__(self, guidance_embed_dim: int = 64, guidance_embed_scale: float = 16.0, **kwargs):
        super().__init__(**kwargs)
        self.register_to_config(guidance_embed_dim=guidance_embed_dim, guidance_embed_scale=guidance_embed_scale)
        width = self.time_embedding.linear_2.out_features
        self.guidance_embedding = TimestepEmbedding(guidance_embed_dim, width)
        self.image_guidance_embedding = TimestepEmbedding(guidance_embed_dim, width)
        self.conditioning: Tensor | None = None

    def _sinusoid(self, scale: Tensor, dtype: torch.dtype) -> Tensor:
        embedding = get_timestep_embedding(
            scale * self.config.guidance_embed_scale, self.config.guidance_embed_dim,
            flip_sin_to_cos=True, downscale_freq_shift=0)
        return embedding.to(dtype)

    def get_aug_embed(self, emb: Tensor, encoder_hidden_states: Tensor, added_cond_kwargs: dict) -> Tensor:
        added = super().get_aug_embed(emb, encoder_hidden_states, added_cond_kwargs)
        text = self.guidance_embedding(self._sinusoid(added_cond_kwargs["guidance_scale"], emb.dtype))
        image = self.image_guidance_embedding(self._sinusoid(added_cond_kwargs["image_guidance_scale"], emb.dtype))
        total = text + image if added is None else added + text + image
        self.conditioning = emb + total
        return total


class SkipBlock(nn.Module):
    """AutoencoderTinyBlock (three 3x3 convolutions and a residual), optionally modulated after the first one."""

    def __init__(self, channels: int, conditioning_dim: int | None = None):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1))
        self.film = nn.Linear(conditioning_dim, 2 * channels) if conditioning_dim else None
        nn.init.zeros_(self.conv[4].weight)
        nn.init.zeros_(self.conv[4].bias)
        if self.film is not None:
            nn.init.normal_(self.film.weight, std=0.05)
            nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, conditioning: Tensor | None = None) -> Tensor:
        h = self.conv[0](x)
        if self.film is not None:
            scale, shift = self.film(F.silu(conditioning))[:, :, None, None].chunk(2, 1)
            h = h * (1 + scale) + shift
        h = self.conv[4](F.relu(self.conv[2](F.relu(h))))
        return F.relu(x + h)


class SkipEncoder(nn.Module):
    def __init__(self, channels: list[int], blocks: list[int], latent_channels: int, patch_size: int):
        super().__init__()
        layers: list[nn.Module] = []
        self.ends: list[int] = []  # the layer whose output is a level's feature
        for level, width in enumerate(channels):
            if level == 0:
                layers.append(nn.Conv2d(3 * patch_size**2, width, 3, padding=1))
            else:
                layers.append(nn.Conv2d(channels[level - 1], width, 3, padding=1, stride=2, bias=False))
            layers += [SkipBlock(width) for _ in range(blocks[level])]
            self.ends.append(len(layers) - 1)
        layers.append(nn.Conv2d(channels[-1], latent_channels, 3, padding=1))
        self.layers = nn.Sequential(*layers)
        self.patch_size = patch_size

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """[-1, 1] pixels to latents, and the skip features: the patches, then the levels, finest first."""
        h = F.pixel_unshuffle(x.add(1).div(2), self.patch_size)
        features = [h]
        for index, layer in enumerate(self.layers):
            h = layer(h)
            if index in self.ends:
                features.append(h)
        return h, features


class SkipDecoder(nn.Module):
    def __init__(self, channels: list[int], blocks: list[int], encoder_channels: list[int] | None, latent_channels: int,
                 patch_size: int, conditioning_dim: int | None):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(latent_channels, channels[0], 3, padding=1), nn.ReLU()]
        self.starts: list[int] = []  # the layer before which a level's skip is added
        for level, width in enumerate(channels):
            self.starts.append(len(layers))
            layers += [SkipBlock(width, conditioning_dim) for _ in range(blocks[level])]
            last = level == len(channels) - 1
            if not last:
                layers.append(nn.Upsample(scale_factor=2))
            layers.append(nn.Conv2d(
                width, 3 * patch_size**2 if last else channels[level + 1], 3, padding=1, bias=last))
        self.layers = nn.Sequential(*layers)
        self.skips = self.pixel_skip = None
        if encoder_channels is not None:
            self.skips = nn.ModuleList(
                nn.Conv2d(encoder_channels[-1 - level], width, 1) for level, width in enumerate(channels))
            self.pixel_skip = nn.Conv2d(3 * patch_size**2, channels[-1], 1)
        self.patch_size = patch_size

    def forward(self, x: Tensor, features: list[Tensor], conditioning: Tensor) -> Tensor:
        """Latents to [-1, 1] pixels."""
        h = torch.tanh(x / 3) * 3
        level = 0
        for index, layer in enumerate(self.layers):
            if index in self.starts and self.skips is not None:
                h = h + self.skips[level](features[-1 - level])
                if index == self.starts[-1]:
                    h = h + self.pixel_skip(features[0])
                h = F.relu(h)
                level += 1
            h = layer(h, conditioning) if isinstance(layer, SkipBlock) else layer(h)
        return F.pixel_shuffle(h, self.patch_size).mul(2).sub(1)


class SkipAutoencoder(ModelMixin, ConfigMixin):
    """AutoencoderTiny with patches, skips, widths by level and a conditioned decoder; see the module's docstring.

    Without `skip_connections` the decoder has the latents alone, with `conditioning_dim: null` nobody tells it the edit.
    """

    @register_to_config
    def __init__(self, in_channels: int = 3, out_channels: int = 3, latent_channels: int = 4, act_fn: str = "relu",
                 encoder_block_out_channels: tuple[int, ...] = (16, 32, 64), num_encoder_blocks: tuple[int, ...] = (1, 1, 2),
                 decoder_block_out_channels: tuple[int, ...] = (64, 32, 16), num_decoder_blocks: tuple[int, ...] = (1, 1, 2),
                 upsampling_scaling_factor: int = 2, upsample_fn: str = "nearest", scaling_factor: float = 1.0,
                 latent_magnitude: int = 3, latent_shift: float = 0.5, patch_size: int = 2, skip_connections: bool = True,
                 conditioning_dim: int | None = 256, image_latents_scaling_factor: float = 1.0):
        super().__init__()
        encoder_channels = list(encoder_block_out_channels)
        self.encoder = SkipEncoder(encoder_channels, list(num_encoder_blocks), latent_channels, patch_size)
        self.decoder = SkipDecoder(list(decoder_block_out_channels), list(num_decoder_blocks),
                                   encoder_channels if skip_connections else None, latent_channels, patch_size,
                                   conditioning_dim)
