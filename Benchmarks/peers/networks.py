"""The works that are timed, as PyTorch modules with a model folder's weights, and the inputs they are timed on.

Inputs are of two kinds. *Dynamic* ones change with every frame. *Static* ones are what the prompt and its settings give
(hidden states, guidance scales, timestep): the daemon computes what depends on them alone once, so a peer may have them
as constants.
"""

from __future__ import annotations

import inspect
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderTiny, LCMScheduler, UNet2DConditionModel
from movie_training import text
from movie_training.models import GuidedUNet, SkipAutoencoder
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from . import BenchmarkError
from .task import latent_size, read_json

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Network:
    """A work ready to run: `module(*dynamic, *static)`, in the order of the names, gives the tensor `output`."""

    module: nn.Module
    dynamic: tuple[str, ...]
    static: tuple[str, ...]
    output: str

    @property
    def names(self) -> tuple[str, ...]:
        return self.dynamic + self.static


def known(config: dict, *classes: type) -> dict:
    """The keys of a configuration that the constructor of one of the classes takes."""
    names = {name for kind in classes for name in inspect.signature(kind.__init__).parameters}
    return {key: value for key, value in config.items() if key in names}


def with_weights(module: nn.Module, file: pathlib.Path) -> nn.Module:
    """The module, for inference in float32, with the tensors of a file."""
    tensors = {name: tensor.float() for name, tensor in load_file(file).items()}
    module.load_state_dict(tensors, assign=True)
    return module.eval().requires_grad_(False)


def load_unet(folder: pathlib.Path) -> UNet2DConditionModel:
    config = read_json(folder / "unet" / "config.json")
    with torch.device("meta"):
        if "guidance_embed_dim" in config:
            module: nn.Module = GuidedUNet(**known(config, UNet2DConditionModel, GuidedUNet))
        else:
            module = UNet2DConditionModel(**known(config, UNet2DConditionModel))
    return with_weights(module, folder / "unet" / "diffusion_pytorch_model.safetensors")


def load_autoencoder(folder: pathlib.Path) -> AutoencoderTiny | SkipAutoencoder:
    config = read_json(folder / "vae" / "config.json")
    kind = SkipAutoencoder if config.get("_class_name") == "SkipAutoencoder" else AutoencoderTiny
    with torch.device("meta"):
        module = kind(**known(config, kind))
    return with_weights(module, folder / "vae" / "diffusion_pytorch_model.safetensors")


def image_scale(folder: pathlib.Path) -> float:
    """What latents of the frame are divided by before the UNet."""
    return read_json(folder / "vae" / "config.json").get("image_latents_scaling_factor", 0.18215)


class Encoder(nn.Module):
    """Pixels in -1...1 to latents and features; the features are empty without skips."""

    def __init__(self, autoencoder: AutoencoderTiny | SkipAutoencoder):
        super().__init__()
        self.encoder = autoencoder.encoder
        self.has_skips = isinstance(autoencoder, SkipAutoencoder)

    def forward(self, sample: Tensor) -> tuple[Tensor, list[Tensor]]:
        return self.encoder(sample) if self.has_skips else (self.encoder(sample), [])


class PlainEncoder(Encoder):
    """The work `vae-encoder`: latents alone."""

    def forward(self, sample: Tensor) -> Tensor:
        return super().forward(sample)[0]


class PlainDecoder(nn.Module):
    """The work `vae-decoder`."""

    def __init__(self, autoencoder: AutoencoderTiny):
        super().__init__()
        self.decoder = autoencoder.decoder

    def forward(self, sample: Tensor) -> Tensor:
        return self.decoder(sample)


class Denoiser(nn.Module):
    """The work `unet`, with positional arguments, as exporters need them."""

    def __init__(self, unet: UNet2DConditionModel):
        super().__init__()
        self.unet = unet

    def forward(self, sample: Tensor, timestep: Tensor, encoder_hidden_states: Tensor, *scales: Tensor) -> Tensor:
        names = ("guidance_scale", "image_guidance_scale")
        added = dict(zip(names, scales, strict=True)) if scales else None
        return self.unet(sample, timestep, encoder_hidden_states, added_cond_kwargs=added, return_dict=False)[0]


class Frame(nn.Module):
    """The work `nano-frame`: camera pixels to edited pixels, both uint8 [height, width, 3], in one step.

    Encode, one UNet evaluation from fixed noise, decode (MoViE, section 3), with all conversions of pixels.
    """

    def __init__(self, folder: pathlib.Path, noise: Tensor):
        super().__init__()
        autoencoder = load_autoencoder(folder)
        self.encoder, self.decoder = Encoder(autoencoder), autoencoder.decoder
        self.unet = load_unet(folder)
        self.image_scale = image_scale(folder)
        self.register_buffer("noise", noise)
        timestep, sample, prediction = one_step(folder)
        self.register_buffer("timestep", torch.tensor([float(timestep)]))
        self.step = sample, prediction

    def forward(self, pixels: Tensor, encoder_hidden_states: Tensor, guidance_scale: Tensor,
                image_guidance_scale: Tensor) -> Tensor:
        image = pixels.permute(2, 0, 1)[None].float() * (1 / 127.5) - 1
        latents, features = self.encoder(image)
        scales = {"guidance_scale": guidance_scale, "image_guidance_scale": image_guidance_scale}
        sample = torch.cat([self.noise, latents / self.image_scale], 1)
        prediction = self.unet(sample, self.timestep, encoder_hidden_states, added_cond_kwargs=scales).sample
        denoised = self.step[0] * self.noise + self.step[1] * prediction
        edited = self.decoder(denoised, features, self.unet.conditioning) if features else self.decoder(denoised)
        levels = (edited * 127.5 + 128).clamp(0.5, 255.5).floor()
        return levels.to(torch.uint8)[0].permute(1, 2, 0)


def one_step(folder: pathlib.Path) -> tuple[int, float, float]:
    """The evaluation timestep, and the weights of sample and prediction in LCMScheduler's step there."""
    config = read_json(folder / "scheduler" / "scheduler_config.json")
    if config.get("prediction_type") != "v_prediction":
        raise BenchmarkError(
            f"{folder}: prediction_type is {config.get('prediction_type')}, the comparison of whole frames knows "
            "v_prediction alone")
    scheduler = LCMScheduler.from_config(config)
    timestep = config.get("evaluation_timestep", 999)
    alpha_bar = scheduler.alphas_cumprod[timestep].item()
    skip, out = scheduler.get_scalings_for_boundary_condition_discrete(timestep)
    return timestep, float(out * alpha_bar**0.5 + skip), float(-out * (1 - alpha_bar) ** 0.5)


def daemon_noise(height: int, width: int, channels: int, seed: int = 0) -> Tensor:
    """The noise every frame of the daemon starts from: SplitMix64 through Box-Muller (Sources/Editing/Noise.swift)."""
    count = height * width * channels
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, 2 * count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    uniform = ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64)
    uniform = (uniform + 0.5) * 2.0**-53
    values = np.sqrt(-2 * np.log(uniform[0::2])) * np.cos(2 * np.pi * uniform[1::2])
    noise = torch.from_numpy(values.astype(np.float32)).reshape(1, height, width, channels)
    return noise.permute(0, 3, 1, 2).contiguous()


def static_names(folder: pathlib.Path) -> tuple[str, ...]:
    scales = ("guidance_scale", "image_guidance_scale")
    is_guided = "guidance_embed_dim" in read_json(folder / "unet" / "config.json")
    return ("encoder_hidden_states", *(scales if is_guided else ()))


def load_network(folder: pathlib.Path, work: str, width: int, height: int) -> Network:
    """The PyTorch network of a work. Raises BenchmarkError where the folder does not fit it."""
    if work == "unet":
        return Network(Denoiser(load_unet(folder)), ("sample",), ("timestep", *static_names(folder)), "sample")
    if work == "nano-frame":
        if "guidance_scale" not in static_names(folder):
            raise BenchmarkError(f"{folder} has no guidance embeddings: a whole frame is compared in one pass alone")
        noise = daemon_noise(*latent_size(folder, width, height), channels=4)
        return Network(Frame(folder, noise), ("pixels",), static_names(folder), "pixels")
    autoencoder = load_autoencoder(folder)
    if work == "vae-encoder":
        return Network(PlainEncoder(autoencoder), ("sample",), (), "latents")
    if isinstance(autoencoder, SkipAutoencoder):
        raise BenchmarkError(f"{folder}: its decoder takes the encoder's features; vae-decoder compares plain ones")
    return Network(PlainDecoder(autoencoder), ("sample",), (), "sample")


def to_sample(frame: np.ndarray) -> Tensor:
    """uint8 [height, width, 3] to [1, 3, height, width] in -1...1."""
    return torch.from_numpy(frame.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


class InputMaker:
    """Makes the inputs of a work from frames and prompts, as the daemon would meet them."""

    def __init__(self, folder: pathlib.Path, work: str):
        self.folder, self.work = folder, work
        if work != "nano-frame":
            self.encoder = Encoder(load_autoencoder(folder))
        if work in ("unet", "nano-frame"):
            self.tokenizer = text.load_tokenizer(folder / "tokenizer")
            config = CLIPTextConfig(**read_json(folder / "text_encoder" / "config.json"))
            with torch.device("meta"):
                encoder = CLIPTextModel(config)
            self.text_encoder = read_text_encoder(encoder, folder / "text_encoder" / "model.safetensors")

    @torch.inference_mode()
    def make(self, frame: np.ndarray, prompt: str) -> Tensors:
        if self.work == "nano-frame":
            return {"pixels": torch.from_numpy(frame.copy()), **self.prompt_parts(prompt)}
        sample = to_sample(frame)
        if self.work == "vae-encoder":
            return {"sample": sample}
        latents = self.encoder(sample)[0]
        if self.work == "vae-decoder":
            return {"sample": latents}
        noise = daemon_noise(*latents.shape[2:], channels=latents.shape[1])
        timestep = torch.tensor([float(one_step(self.folder)[0])])
        return {"sample": torch.cat([noise, latents / image_scale(self.folder)], 1), "timestep": timestep,
                **self.prompt_parts(prompt)}

    def prompt_parts(self, prompt: str) -> Tensors:
        """What the prompt gives: hidden states, and the guidance scales' defaults where the model takes them."""
        states = self.text_encoder(text.tokenize(self.tokenizer, [prompt])).last_hidden_state
        config = read_json(self.folder / "unet" / "config.json")
        scales = {name: torch.tensor([float(config.get(f"{name}_default", fallback))])
                  for name, fallback in (("guidance_scale", 7.5), ("image_guidance_scale", 1.5))}
        return {name: {"encoder_hidden_states": states, **scales}[name] for name in static_names(self.folder)}


def read_text_encoder(encoder: CLIPTextModel, file: pathlib.Path) -> CLIPTextModel:
    """The encoder with a file's weights; its table of positions is no weight, so it is made anew."""
    encoder = encoder.to_empty(device="cpu")
    missing, unexpected = encoder.load_state_dict(
        {name: tensor.float() for name, tensor in load_file(file).items()}, strict=False)
    if missing or unexpected:
        raise BenchmarkError(f"{file} does not fit its config.json: {[*missing, *unexpected][0]} is missing or unknown")
    for name, buffer in encoder.named_buffers():
        if name.endswith("position_ids"):
            buffer.copy_(torch.arange(buffer.shape[-1])[None])
    return encoder.eval().requires_grad_(False)


def make_inputs(folder: pathlib.Path, work: str, frames: Iterable[np.ndarray], prompts: Iterable[str]) -> list[Tensors]:
    """The inputs of a work for every frame with every prompt."""
    maker = InputMaker(folder, work)
    prompts = list(prompts) if work in ("unet", "nano-frame") else [""]
    return [maker.make(frame, prompt) for frame in frames for prompt in prompts]
