"""UNet2DConditionModel and GuidedUNet: a configuration each, as varied as the Stable Diffusion 1 and 2 family gets."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, field

import torch
from diffusers import UNet2DConditionModel
from fixture import Fixture, compute, prune_config, randomize, store_model, write_tensors
from movie_training.models import GuidedUNet
from torch import Tensor

CROSS_DOWN, PLAIN_DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, PLAIN_UP = "CrossAttnUpBlock2D", "UpBlock2D"


def levels(attention: list[bool]) -> dict:
    """Block types from "has attention", highest resolution first."""
    return {
        "down_block_types": [CROSS_DOWN if has else PLAIN_DOWN for has in attention],
        "up_block_types": [CROSS_UP if has else PLAIN_UP for has in reversed(attention)],
    }


@dataclass
class Case:
    """A configuration, the inputs it is run on and how it is stored."""

    name: str
    settings: dict
    size: tuple[int, int] = (8, 8)
    batch: int = 1
    length: int = 7
    timestep: list[float] | list[int] | int = field(default_factory=lambda: [999])
    class_labels: Tensor | None = None
    guidance: tuple[list[float], list[float]] | None = None
    dtype: torch.dtype = torch.float16
    pruned: bool = False  # config.json keeps only the keys of `settings`
    max_shard_size: str = "10GB"
    salt: int = 0

    def model(self) -> UNet2DConditionModel:
        common = {"layers_per_block": 1, "norm_num_groups": 2, "cross_attention_dim": 12, "attention_head_dim": 2}
        self.settings = {**common, **self.settings}
        return (UNet2DConditionModel if self.guidance is None else GuidedUNet)(**self.settings)

    def inputs(self, config: dict) -> dict[str, Tensor]:
        width = config["encoder_hid_dim"] or config["cross_attention_dim"]
        tensors = {
            "sample": torch.randn(self.batch, config["in_channels"], *self.size),
            "timestep": torch.tensor(self.timestep),
            "encoder_hidden_states": torch.randn(self.batch, self.length, width),
        }
        if self.class_labels is not None:
            tensors["class_labels"] = self.class_labels
        if self.guidance is not None:
            tensors["guidance_scale"] = torch.tensor(self.guidance[0])
            tensors["image_guidance_scale"] = torch.tensor(self.guidance[1])
        return tensors

    def write(self, folder: pathlib.Path) -> None:
        model = randomize(self.model())
        store_model(model, folder / "unet", self.dtype, max_shard_size=self.max_shard_size)
        if self.pruned:
            prune_config(folder / "unet" / "config.json", set(self.settings))
        inputs = self.inputs(model.config)
        write_tensors(folder / "inputs.safetensors", **inputs)
        write_tensors(folder / "outputs.safetensors", **compute(model, run, inputs))


def run(model: UNet2DConditionModel, **inputs: Tensor) -> dict[str, Tensor]:
    """The reference's forward; the guidance scales travel in added_cond_kwargs."""
    scales = {name: inputs[name] for name in ("guidance_scale", "image_guidance_scale") if name in inputs}
    arguments = {name: tensor for name, tensor in inputs.items() if name not in scales}
    outputs = {"sample": model(**arguments, added_cond_kwargs=scales or None).sample}
    if scales:
        outputs["conditioning"] = model.conditioning
    return outputs


def labels(batch: int, width: int) -> Tensor:
    return torch.linspace(-1, 1, batch * width).reshape(batch, width)


CASES = [
    Case("unet-attention-everywhere",
         {"block_out_channels": [8, 12], **levels([True, True]), "norm_num_groups": 4}),
    Case("unet-no-attention-at-top",
         {"block_out_channels": [4, 6, 12], **levels([False, True, True]), "attention_head_dim": [2, 3, 2]},
         size=(13, 10), batch=2, length=5, timestep=[999, 321]),
    Case("unet-attention-at-lowest-only",
         {"block_out_channels": [4, 6, 8], **levels([False, False, True]), "layers_per_block": 2, "in_channels": 8,
          "norm_eps": 1e-6, "attention_head_dim": 4},
         size=(7, 9), timestep=[0], salt=1),
    Case("unet-stable-diffusion-1",
         {"block_out_channels": [4, 4, 8, 8], **levels([True, True, True, False]), "layers_per_block": 2,
          "sample_size": 64},
         size=(16, 16), length=77, timestep=981, salt=8),
    Case("unet-instruct-pix2pix",
         {"block_out_channels": [4, 4, 8], **levels([True, True, False]), "layers_per_block": 2, "in_channels": 8},
         size=(11, 12), length=77, timestep=[501], salt=2),
    Case("unet-inpainting",
         {"block_out_channels": [4, 8], **levels([True, False]), "in_channels": 9, "act_fn": "relu",
          "flip_sin_to_cos": False, "freq_shift": 1},
         size=(6, 10), timestep=[37.5], salt=2),
    Case("unet-layers-by-level",
         {"block_out_channels": [4, 4, 8], **levels([True, True, True]), "layers_per_block": [1, 2, 1],
          "transformer_layers_per_block": [1, 2, 1], "attention_head_dim": [1, 2, 4]},
         size=(8, 12), length=5, salt=1),
    Case("unet-linear-projection",
         {"block_out_channels": [4, 8], **levels([True, True]), "use_linear_projection": True,
          "transformer_layers_per_block": 2, "attention_head_dim": [2, 4], "upcast_attention": True},
         size=(9, 7), length=77, dtype=torch.bfloat16, salt=2),
    Case("unet-linear-projection-layers-by-level",
         {"block_out_channels": [4, 8, 8], **levels([False, True, True]), "use_linear_projection": True,
          "transformer_layers_per_block": [1, 1, 2], "layers_per_block": [2, 1, 1], "attention_head_dim": [1, 4, 2],
          "in_channels": 8},
         size=(12, 8), length=7, pruned=True),
    Case("unet-scale-shift-text",
         {"block_out_channels": [4, 6, 8], **levels([False, True, True]), "resnet_time_scale_shift": "scale_shift",
          "addition_embed_type": "text", "addition_embed_type_num_heads": 4, "in_channels": 8},
         size=(10, 13), batch=2, timestep=[999]),
    Case("unet-scale-shift",
         {"block_out_channels": [4, 8], **levels([True, True]), "resnet_time_scale_shift": "scale_shift",
          "act_fn": "swish", "norm_eps": 1e-4, "out_channels": 3},
         size=(8, 6), batch=2, timestep=[12, 700], dtype=torch.float32, pruned=True),
    Case("unet-no-mid-block",
         {"block_out_channels": [4, 8], **levels([True, True]), "mid_block_type": None},
         size=(5, 6)),
    Case("unet-mid-block-without-attention",
         {"block_out_channels": [4, 8], **levels([False, True]), "mid_block_type": "UNetMidBlock2D",
          "mid_block_scale_factor": 1.4},
         size=(8, 10), length=5, max_shard_size="15KB"),
    Case("unet-mish",
         {"block_out_channels": [6, 6], **levels([True, True]), "act_fn": "mish", "norm_num_groups": 2,
          "norm_eps": 1e-3, "mid_block_scale_factor": 1.3, "attention_head_dim": 3},
         size=(4, 6), length=77, pruned=True),
    Case("unet-gelu-only-cross-attention",
         {"block_out_channels": [4, 8], **levels([True, True]), "act_fn": "gelu", "only_cross_attention": True,
          "freq_shift": 1},
         size=(6, 8), length=5),
    Case("unet-only-cross-attention-by-level",
         {"block_out_channels": [4, 8], **levels([True, True]), "only_cross_attention": [True, False],
          "flip_sin_to_cos": False},
         size=(6, 6), length=5, salt=1),
    Case("unet-downsample-padding-0",
         {"block_out_channels": [4, 8, 8], **levels([False, True, True]), "downsample_padding": 0,
          "resnet_out_scale_factor": 1.5},
         size=(13, 11), length=7),
    Case("unet-downsample-padding-0-even",
         {"block_out_channels": [4, 8], **levels([True, False]), "downsample_padding": 0},
         size=(8, 10), length=5, pruned=True, salt=1),
    Case("unet-centered-text-projection",
         {"block_out_channels": [4, 8], **levels([False, True]), "center_input_sample": True, "encoder_hid_dim": 20,
          "encoder_hid_dim_type": "text_proj", "addition_embed_type": "text", "addition_embed_type_num_heads": 5},
         size=(8, 8), batch=2, length=7, timestep=[250, 750]),
    Case("unet-class-projection",
         {"block_out_channels": [4, 8], **levels([True, False]), "class_embed_type": "projection",
          "projection_class_embeddings_input_dim": 6},
         size=(6, 6), batch=2, timestep=[5, 995], class_labels=labels(2, 6), salt=1),
    Case("unet-time-embedding-options",
         {"block_out_channels": [4, 8], **levels([False, True]), "time_embedding_dim": 20,
          "time_embedding_act_fn": "gelu", "timestep_post_act": "silu", "class_embed_type": "timestep"},
         size=(6, 8), class_labels=torch.tensor([40])),
    Case("unet-one-level",
         {"block_out_channels": [8], **levels([True]), "attention_head_dim": 4},
         size=(5, 3), length=5),
    Case("unet-guided",
         {"block_out_channels": [4, 8, 8], **levels([False, True, True]), "attention_head_dim": [1, 2, 4],
          "in_channels": 8, "resnet_time_scale_shift": "scale_shift", "addition_embed_type": "text",
          "addition_embed_type_num_heads": 4, "guidance_embed_dim": 64, "guidance_embed_scale": 16.0},
         size=(12, 16), batch=2, timestep=[999, 999], guidance=([7.5, 2.25], [1.5, 2.875])),
    Case("unet-guided-odd",
         {"block_out_channels": [4, 8], **levels([True, True]), "in_channels": 8, "guidance_embed_dim": 24,
          "guidance_embed_scale": 100.0},
         size=(7, 9), length=77, guidance=([14.0], [1.0])),
]

FIXTURES = [Fixture(case.name, case.write, case.salt) for case in CASES]
