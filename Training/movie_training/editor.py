"""The whole editor as one PyTorch module: prompt and frame in, edited frame out, in one step."""

from __future__ import annotations

import copy
import inspect
import json
import pathlib

import torch
from diffusers import AutoencoderTiny, LCMScheduler, UNet2DConditionModel
from safetensors.torch import load_file
from torch import Tensor, nn

from . import text
from .models import GuidedUNet, SkipAutoencoder


class Editor(nn.Module):
    """`edit` is MoViE's frame: encode, one UNet step at the evaluation timestep, decode.

    `settings` has the sections text_encoder, unet, vae and guidance of a recipe. The autoencoder is diffusers'
    AutoencoderTiny where `vae` says `class: AutoencoderTiny`, else nano's SkipAutoencoder.
    """

    def __init__(self, settings: dict, tokenizer_folder: pathlib.Path):
        super().__init__()
        self.settings = copy.deepcopy(settings)
        self.tokenizer = text.load_tokenizer(tokenizer_folder)
        self.text_encoder = text.build_encoder(settings["text_encoder"], self.tokenizer)
        self.unet = GuidedUNet(**settings["unet"])
        vae = {key: value for key, value in settings["vae"].items() if key != "class"}
        self.vae = (AutoencoderTiny if settings["vae"].get("class") == "AutoencoderTiny" else SkipAutoencoder)(**vae)
        self.scheduler = LCMScheduler(prediction_type="v_prediction", clip_sample=False, set_alpha_to_one=False)
        self.timestep = 999
        alpha_bar = self.scheduler.alphas_cumprod[self.timestep].item()
        self.alpha, self.sigma = alpha_bar**0.5, (1 - alpha_bar) ** 0.5

    @property
    def device(self) -> torch.device:
        return self.unet.device

    @property
    def has_skips(self) -> bool:
        return isinstance(self.vae, SkipAutoencoder)

    def encode_prompt(self, texts: list[str]) -> Tensor:
        """[batch, tokens, width] embeddings."""
        ids = text.tokenize(self.tokenizer, texts).to(self.text_encoder.device)
        return self.text_encoder(ids).last_hidden_state

    def encode(self, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Latents and the skip features (none for AutoencoderTiny) of pixels [batch, 3, height, width] in -1...1."""
        if self.has_skips:
            return self.vae.encoder(pixels)
        return self.vae.encoder(pixels), []

    def decode(self, latents: Tensor, features: list[Tensor], conditioning: Tensor) -> Tensor:
        """Pixels in -1...1 of clean latents, the source's skip features and the UNet's conditioning at timestep 999."""
        if self.has_skips:
            return self.vae.decoder(latents, features, conditioning)
        return self.vae.decoder(latents)

    def image_latents(self, latents: Tensor) -> Tensor:
        """What the UNet sees of a source: its latents, divided by the scaling factor that the folder's config tells."""
        return latents / getattr(self.vae.config, "image_latents_scaling_factor", 1.0)

    def predict(self, noisy: Tensor, timesteps: Tensor, image_latents: Tensor, embeddings: Tensor,
                guidance_scale: Tensor, image_guidance_scale: Tensor) -> Tensor:
        """The UNet's output (epsilon or velocity, whatever it was trained for), [batch, channels, height, width]."""
        scales = {"guidance_scale": guidance_scale, "image_guidance_scale": image_guidance_scale}
        return self.unet(torch.cat([noisy, image_latents], 1), timesteps, embeddings, added_cond_kwargs=scales).sample

    def denoise(self, noise: Tensor, image_latents: Tensor, embeddings: Tensor, guidance_scale: Tensor,
                image_guidance_scale: Tensor) -> Tensor:
        """The one step from noise to clean latents, [batch, channels, height, width], of a UNet that predicts velocities."""
        timesteps = torch.full((len(noise),), self.timestep, device=noise.device)
        velocity = self.predict(noise, timesteps, image_latents, embeddings, guidance_scale, image_guidance_scale)
        return self.alpha * noise - self.sigma * velocity

    def conditioning(self, embeddings: Tensor, guidance_scale: Tensor, image_guidance_scale: Tensor) -> Tensor:
        """What modulates the decoder: the sum of the UNet's embeddings at the evaluation timestep, [batch, width]."""
        timesteps = torch.full((len(embeddings),), self.timestep, device=embeddings.device)
        unet = self.unet
        time = unet.time_embedding(unet.get_time_embed(embeddings, timesteps).to(embeddings.dtype))
        scales = {"guidance_scale": guidance_scale, "image_guidance_scale": image_guidance_scale}
        return time + unet.get_aug_embed(time, embeddings, scales)

    def edit(self, pixels: Tensor, noise: Tensor, embeddings: Tensor, guidance_scale: Tensor,
             image_guidance_scale: Tensor, hold_unet: bool = False, told: Tensor | None = None) -> Tensor:
        """pixels [batch, 3, height, width] in -1...1, noise [batch, 4, height / 8, width / 8]; edited pixels.

        With `hold_unet` no gradient passes through the UNet. `told` modulates the decoder; without it, what the UNet was
        conditioned on does.
        """
        latents, features = self.encode(pixels)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not hold_unet):
            denoised = self.denoise(noise, self.image_latents(latents), embeddings, guidance_scale, image_guidance_scale)
        return self.decode(denoised, features, self.unet.conditioning if told is None else told)

    @property
    def factor(self) -> int:
        """Frame sizes must be a multiple of this."""
        return (getattr(self.vae.config, "patch_size", 1)
                * 2 ** (len(self.vae.config.encoder_block_out_channels) - 1))


def _known(config: dict, *constructors) -> dict:
    """The keys of `config` that one of the constructors takes."""
    names = {name for constructor in constructors for name in inspect.signature(constructor).parameters}
    return {key: value for key, value in config.items() if key in names}


def _floats(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """All tensors in float32; int8 weights [out, ...] are multiplied by their `_scale` [out]."""
    scales = {key: value for key, value in tensors.items() if key.endswith("weight_scale")}
    floats = {key: value.float() for key, value in tensors.items() if key not in scales}
    for key, scale in scales.items():
        name = key.removesuffix("_scale")
        floats[name] *= scale.view(-1, *[1] * (floats[name].dim() - 1))
    return floats


def load_folder(folder: pathlib.Path) -> Editor:
    """The editor of a model folder, as the daemon would load it. Raises FileNotFoundError for a missing part."""
    read = lambda path: json.loads((folder / path).read_text(encoding="utf-8"))  # noqa: E731
    unet, vae, encoder = read("unet/config.json"), read("vae/config.json"), read("text_encoder/config.json")
    settings = {
        "text_encoder": {key: encoder[key] for key in (
            "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings",
            "hidden_act")},
        "unet": _known(unet, UNet2DConditionModel.__init__, GuidedUNet.__init__),
        "vae": _known(vae, SkipAutoencoder.__init__),
        "guidance": {key: {"range": unet[f"{key}_range"], "default": unet[f"{key}_default"]}
                     for key in ("guidance_scale", "image_guidance_scale")},
    }
    model = Editor(settings, folder / "tokenizer")
    for part, module, name in (("unet", model.unet, "diffusion_pytorch_model"),
                               ("vae", model.vae, "diffusion_pytorch_model"),
                               ("text_encoder", model.text_encoder, "model")):
        tensors = _floats(load_file(folder / part / f"{name}.safetensors"))
        module.load_state_dict(tensors, strict=part != "text_encoder")
    return model.eval().requires_grad_(False)
