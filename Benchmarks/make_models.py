"""Writes model folders in diffusers layout with random float16 weights, for measuring speed.

    python Benchmarks/make_models.py paper OUTDIR [--no-guidance-embeddings] [--seed N]

`paper` has the sizes of MoViE's Mobile-Pix2Pix: Stable Diffusion 1.5's UNet with 8 input channels and without attention
blocks at the highest resolution (846.8 M parameters; the embeddings of the two guidance scales add 3.9 M), and TAESD.
`tiny` has the same parts, small enough for a test. The same seed gives the same weights.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import AutoencoderTiny, LCMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Training"))

from movie_training import text  # noqa: E402
from movie_training.export import write_json  # noqa: E402
from movie_training.models import GuidedUNet  # noqa: E402

TOKENIZER = ROOT / "Models" / "nano" / "tokenizer"
PROMPT_LENGTH = 77
Scale = Callable[[str, Tensor], Tensor]
#: The ranges of InstructPix2Pix, as the interface offers them.
GUIDANCE = {"guidance_scale_range": [1, 30], "guidance_scale_default": 7.5,
            "image_guidance_scale_range": [1, 5], "image_guidance_scale_default": 1.5}


@dataclass(frozen=True)
class Sizes:
    """The widths by which the models differ."""

    unet_channels: tuple[int, ...]
    heads: int
    groups: int
    guidance_width: int
    text_width: int
    text_heads: int
    autoencoder_channels: int
    encoder_blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]


MODELS = {
    "paper": Sizes(unet_channels=(320, 640, 1280, 1280), heads=8, groups=32, guidance_width=256, text_width=768,
                   text_heads=12, autoencoder_channels=64, encoder_blocks=(1, 3, 3, 3), decoder_blocks=(3, 3, 3, 1)),
    "tiny": Sizes(unet_channels=(8, 16, 16, 16), heads=2, groups=4, guidance_width=16, text_width=32, text_heads=2,
                  autoencoder_channels=8, encoder_blocks=(1, 1, 1, 1), decoder_blocks=(1, 1, 1, 1)),
}


def unet_configuration(sizes: Sizes) -> dict:
    """The keys of unet/config.json that differ from diffusers' defaults."""
    return {
        "sample_size": 64, "in_channels": 8, "out_channels": 4, "cross_attention_dim": sizes.text_width,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        "block_out_channels": list(sizes.unet_channels), "attention_head_dim": sizes.heads,
        "norm_num_groups": sizes.groups,
    }


def autoencoder_configuration(sizes: Sizes) -> dict:
    """The keys of vae/config.json that a constructor of AutoencoderTiny takes."""
    channels = [sizes.autoencoder_channels] * len(sizes.encoder_blocks)
    return {
        "encoder_block_out_channels": channels, "num_encoder_blocks": list(sizes.encoder_blocks),
        "decoder_block_out_channels": channels, "num_decoder_blocks": list(sizes.decoder_blocks),
    }


def text_configuration(sizes: Sizes) -> CLIPTextConfig:
    """Two layers: enough for hidden states of the right width, for the prompt is encoded once and not timed."""
    tokenizer = text.load_tokenizer(TOKENIZER)
    return CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=sizes.text_width, intermediate_size=4 * sizes.text_width,
        num_hidden_layers=2, num_attention_heads=sizes.text_heads, max_position_embeddings=PROMPT_LENGTH,
        hidden_act="quick_gelu", bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id)


def scale_weight(name: str, values: Tensor) -> Tensor:
    """Standard normal numbers as the weights of a network whose norms keep every layer's input in size."""
    if "token_embedding" in name or "position_embedding" in name:
        return values * 0.3
    return values / values[0].numel() ** 0.5


def scale_autoencoder_weight(name: str, values: Tensor) -> Tensor:
    """TAESD has no norms: a residual block's last convolution adds little, the others make up for ReLU's half, and the
    layer that makes pixels keeps them around the middle.
    """
    makes_pixels = values.shape[0] == 3
    if makes_pixels:
        values = values - values.mean((1, 2, 3), keepdim=True)
    gain = 0.15 if makes_pixels else 0.4 if name.endswith("conv.4.weight") else 2**0.5
    return gain * scale_weight(name, values)


def draw(name: str, shape: torch.Size, scale: Scale, seed: int) -> Tensor:
    """One parameter. Its numbers depend on its name and the seed alone."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()) ^ seed)
    values = torch.randn(shape, generator=generator)
    if len(shape) > 1:
        return scale(name, values).half()
    centre = 1.0 if "norm" in name and name.endswith("weight") else 0.5 if shape[0] == 3 else 0.0
    return (centre + 0.1 * values).half()


def write_part(folder: pathlib.Path, module: nn.Module, config: dict, file: str, seed: int,
               scale: Scale = scale_weight) -> int:
    """Writes a network whose module, on the meta device, tells names and shapes; returns the parameters' number."""
    folder.mkdir(parents=True)
    tensors = {name: draw(name, parameter.shape, scale, seed) for name, parameter in module.named_parameters()}
    save_file(tensors, folder / file, metadata={"format": "pt"})
    write_json(folder / "config.json", config)
    return sum(tensor.numel() for tensor in tensors.values())


def public(config: dict) -> dict:
    """A configuration as its file has it: without the keys that the library keeps for itself."""
    return {key: value for key, value in config.items() if not key.startswith("_") and value is not None}


def write_unet(folder: pathlib.Path, sizes: Sizes, has_guidance: bool, seed: int) -> int:
    settings = unet_configuration(sizes)
    with torch.device("meta"):
        if has_guidance:
            module = GuidedUNet(guidance_embed_dim=sizes.guidance_width, guidance_embed_scale=16.0, **settings)
        else:
            module = UNet2DConditionModel(**settings)
    config = {"_class_name": "UNet2DConditionModel", **public(module.config), **(GUIDANCE if has_guidance else {})}
    return write_part(folder, module, config, "diffusion_pytorch_model.safetensors", seed)


def write_autoencoder(folder: pathlib.Path, sizes: Sizes, seed: int) -> int:
    with torch.device("meta"):
        module = AutoencoderTiny(**autoencoder_configuration(sizes))
    config = {"_class_name": "AutoencoderTiny", **public(module.config)}
    return write_part(folder, module, config, "diffusion_pytorch_model.safetensors", seed, scale_autoencoder_weight)


def write_text_encoder(folder: pathlib.Path, sizes: Sizes, seed: int) -> int:
    settings = text_configuration(sizes)
    with torch.device("meta"):
        module = CLIPTextModel(settings)
    config = {**public(settings.to_dict()), "architectures": ["CLIPTextModel"]}
    config.pop("transformers_version", None)
    return write_part(folder, module, config, "model.safetensors", seed)


def write_tokenizer(folder: pathlib.Path) -> None:
    """nano's vocabulary, with prompts as long as CLIP's."""
    shutil.copytree(TOKENIZER, folder)
    tokenizer = text.load_tokenizer(TOKENIZER)
    special = {key: getattr(tokenizer, key) for key in ("bos_token", "eos_token", "unk_token", "pad_token")}
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "CLIPTokenizer", "model_max_length": PROMPT_LENGTH, "do_lower_case": True, **special})


def write_scheduler(folder: pathlib.Path) -> None:
    """One step that predicts velocity: predicting noise would enlarge random outputs fifteen times."""
    LCMScheduler(prediction_type="v_prediction", clip_sample=False, set_alpha_to_one=False).save_pretrained(folder)


def write_model(name: str, folder: pathlib.Path, has_guidance: bool = True, seed: int = 0) -> dict[str, int]:
    """Writes the model `name` and returns the number of parameters of each part. The folder must not exist."""
    sizes = MODELS[name]
    folder.mkdir(parents=True)
    counts = {
        "unet": write_unet(folder / "unet", sizes, has_guidance, seed),
        "vae": write_autoencoder(folder / "vae", sizes, seed),
        "text_encoder": write_text_encoder(folder / "text_encoder", sizes, seed),
    }
    write_tokenizer(folder / "tokenizer")
    write_scheduler(folder / "scheduler")
    write_json(folder / "model_index.json", {
        "_class_name": "MoviePipeline", "scheduler": ["diffusers", "LCMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderTiny"]})
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("folder", type=pathlib.Path, help="the folder to make")
    parser.add_argument("--no-guidance-embeddings", action="store_true", help="a base model, which runs three passes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.folder.exists():
        parser.error(f"{options.folder} exists already: name a folder to be made")
    counts = write_model(options.model, options.folder, not options.no_guidance_embeddings, options.seed)
    parts = ", ".join(f"{part} {count / 1e6:.2f} M" for part, count in counts.items())
    print(f"{options.folder}: {parts} parameters")


if __name__ == "__main__":
    main()
