"""AutoencoderTiny and SkipAutoencoder: encoders and decoders."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import AutoencoderTiny
from fixture import Fixture, compute, prune_config, randomize, store_model, write_tensors
from movie_training.models import SkipAutoencoder
from torch import Tensor, nn


@dataclass
class Tiny:
    """encoder: `pixels` to `latents`; decoder: `sample` (latents) to `sample` (pixels)."""

    name: str
    settings: dict
    pixels: tuple[int, int]
    latents: tuple[int, int]
    batch: int = 1
    pruned: bool = False

    def write(self, folder: pathlib.Path) -> None:
        model = randomize(AutoencoderTiny(**self.settings))
        store_model(model, folder / "vae")
        if self.pruned:
            prune_config(folder / "vae" / "config.json", set(self.settings))
        pixels = torch.rand(self.batch, model.config.in_channels, *self.pixels) * 2 - 1
        latents = 2 * torch.randn(self.batch, model.config.latent_channels, *self.latents)
        write_run(folder, "encoder", model, lambda model, sample: {"latents": model.encode(sample).latents},
                  {"sample": pixels})
        write_run(folder, "decoder", model, lambda model, sample: {"sample": model.decode(sample).sample},
                  {"sample": latents})


@dataclass
class Skip:
    """encoder: `sample` to `latents`, `features.N`; decoder: `sample`, `features.N`, `conditioning` to `sample`."""

    name: str
    settings: dict
    pixels: tuple[int, int]
    batch: int = 1

    def write(self, folder: pathlib.Path) -> None:
        model = randomize(SkipAutoencoder(**self.settings))
        store_model(model, folder / "vae")
        pixels = torch.rand(self.batch, 3, *self.pixels) * 2 - 1
        encoded = write_run(folder, "encoder", model, encode, {"sample": pixels})
        latents = encoded.pop("latents")
        conditioning = torch.randn(self.batch, model.config.conditioning_dim)
        write_run(folder, "decoder", model, decode,
                  {"sample": latents + torch.randn_like(latents), "conditioning": conditioning, **encoded})


def encode(model: SkipAutoencoder, sample: Tensor) -> dict[str, Tensor]:
    latents, features = model.encoder(sample)
    return {"latents": latents, **{f"features.{index}": feature for index, feature in enumerate(features)}}


def decode(model: SkipAutoencoder, sample: Tensor, conditioning: Tensor, **features: Tensor) -> dict[str, Tensor]:
    return {"sample": model.decoder(sample, list(features.values()), conditioning)}


def write_run(folder: pathlib.Path, part: str, model: nn.Module, run: Callable[..., dict[str, Tensor]],
              inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    outputs = compute(model, run, inputs)
    write_tensors(folder / f"{part}-inputs.safetensors", **inputs)
    write_tensors(folder / f"{part}-outputs.safetensors", **outputs)
    return outputs


CASES = [
    Tiny("vae-tiny",
         {"encoder_block_out_channels": [6, 6, 6, 6], "decoder_block_out_channels": [6, 6, 6, 6],
          "num_encoder_blocks": [1, 3, 3, 3], "num_decoder_blocks": [3, 3, 3, 1]},
         pixels=(16, 24), latents=(3, 5)),
    Tiny("vae-tiny-16-latents",
         {"encoder_block_out_channels": [8, 8, 8], "decoder_block_out_channels": [8, 8, 8],
          "num_encoder_blocks": [1, 2, 1], "num_decoder_blocks": [1, 2, 1], "latent_channels": 16},
         pixels=(18, 22), latents=(5, 3), batch=2),
    Tiny("vae-tiny-gelu",
         {"encoder_block_out_channels": [8, 8], "decoder_block_out_channels": [8, 8], "num_encoder_blocks": [2, 1],
          "num_decoder_blocks": [1, 2], "act_fn": "gelu", "scaling_factor": 0.5},
         pixels=(13, 11), latents=(7, 9), pruned=True),
    Tiny("vae-tiny-silu",
         {"encoder_block_out_channels": [10, 10, 10], "decoder_block_out_channels": [6, 6, 6],
          "num_encoder_blocks": [0, 1, 2], "num_decoder_blocks": [2, 0, 1], "act_fn": "silu",
          "upsampling_scaling_factor": 2},
         pixels=(20, 15), latents=(3, 4)),
    Skip("vae-skip",
         {"encoder_block_out_channels": [4, 6, 8], "num_encoder_blocks": [1, 1, 1],
          "decoder_block_out_channels": [8, 6, 4], "num_decoder_blocks": [1, 1, 2], "patch_size": 2,
          "conditioning_dim": 16, "image_latents_scaling_factor": 1.7},
         pixels=(16, 24)),
    Skip("vae-skip-patch-1",
         {"encoder_block_out_channels": [4, 8], "num_encoder_blocks": [2, 1], "decoder_block_out_channels": [6, 5],
          "num_decoder_blocks": [1, 1], "patch_size": 1, "conditioning_dim": 12},
         pixels=(10, 14), batch=2),
]

FIXTURES = [Fixture(case.name, case.write) for case in CASES]
