"""The whole editor as one PyTorch module: prompt and frame in, edited frame out, in one step."""

from __future__ import annotations

import copy
import pathlib

import torch
from diffusers import LCMScheduler
from torch import Tensor, nn

from . import text
from .models import GuidedUNet, SkipAutoencoder


class Editor(nn.Module):
    """`edit` is MoViE's frame: encode, one UNet step at the evaluation timestep, decode."""

    def __init__(self, settings: dict, tokenizer_folder: pathlib.Path):
        super().__init__()
        self.settings = copy.deepcopy(settings)
        self.tokenizer = text.load_tokenizer(tokenizer_folder)
        self.text_encoder = text.build_encoder(settings["text_encoder"], self.tokenizer)
        self.unet = GuidedUNet(**settings["unet"])
        self.vae = SkipAutoencoder(**settings["vae"])
        self.scheduler = LCMScheduler(prediction_type="v_prediction", clip_sample=False, set_alpha_to_one=False)
        self.timestep = 999
        alpha_bar = self.scheduler.alphas_cumprod[self.timestep].item()
        self.alpha, self.sigma = alpha_bar**0.5, (1 - alpha_bar) ** 0.5

    def encode_prompt(self, texts: list[str]) -> Tensor:
        return self.text_encoder(text.tokenize(self.tokenizer, texts)).last_hidden_state

    def edit(self, pixels: Tensor, noise: Tensor, embeddings: Tensor, guidance_scale: Tensor,
             image_guidance_scale: Tensor) -> Tensor:
        """pixels [batch, 3, height, width] in -1...1, noise [batch, 4, height / 8, width / 8]; edited pixels."""
        latents, features = self.vae.encoder(pixels)
        image_latents = latents / self.vae.config.image_latents_scaling_factor
        scales = {"guidance_scale": guidance_scale, "image_guidance_scale": image_guidance_scale}
        timestep = torch.full((pixels.shape[0],), self.timestep)
        velocity = self.unet(torch.cat([noise, image_latents], 1), timestep, embeddings, added_cond_kwargs=scales).sample
        denoised = self.alpha * noise - self.sigma * velocity
        return self.vae.decoder(denoised, features, self.unet.conditioning)

    @property
    def factor(self) -> int:
        """Frame sizes must be a multiple of this."""
        return self.settings["vae"]["patch_size"] * 2 ** (len(self.settings["vae"]["encoder_block_out_channels"]) - 1)
