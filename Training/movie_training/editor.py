"""The whole editor as one PyTorch module: prompt and frame in, edited frame out, in one step."""

from __future__ import annotations

import copy
import inspect
import json
import pathlib

import torch
from diffusers import LCMScheduler, UNet2DConditionModel
from safetensors.torch import load_file
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
