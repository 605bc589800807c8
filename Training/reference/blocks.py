"""Single blocks. config.json says how each was made; tensors.safetensors holds weights.*, inputs.* and outputs.*."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import TextTimeEmbedding, TimestepEmbedding, Timesteps
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.unets.unet_2d_blocks import (AutoencoderTinyBlock, CrossAttnDownBlock2D, CrossAttnUpBlock2D,
                                                   UNetMidBlock2DCrossAttn)
from diffusers.models.upsampling import Upsample2D
from fixture import Fixture, compute, randomize, round_weights, write_json, write_tensors
from torch import Tensor, nn
from transformers import CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPEncoderLayer

TEMB, TEXT = 20, 12  # widths of the time embedding and of the encoder's states


@dataclass
class Case:
    """A module, the arguments of its constructor, and inputs given as shapes (normal values) or as tensors."""

    name: str
    module: Callable[..., nn.Module]
    settings: dict
    inputs: dict[str, tuple[int, ...] | Tensor]
    run: Callable[..., Tensor | dict[str, Tensor]] | None = None
    constants: dict = field(default_factory=dict)  # further arguments of forward, recorded in config.json
    salt: int = 0

    def write(self, folder: pathlib.Path) -> None:
        module = round_weights(randomize(self.module(**self.settings)), torch.float16)
        inputs = {name: value if isinstance(value, Tensor) else torch.randn(value)
                  for name, value in self.inputs.items()}
        outputs = compute(module, self.outputs, inputs)
        config = {"_class_name": type(module).__name__, **self.settings}
        write_json(folder / "config.json", config | ({"forward": self.constants} if self.constants else {}))
        write_tensors(folder / "tensors.safetensors",
                      **{f"weights.{name}": tensor.half() for name, tensor in module.state_dict().items()},
                      **{f"inputs.{name}": tensor for name, tensor in inputs.items()},
                      **{f"outputs.{name}": tensor for name, tensor in outputs.items()})

    def outputs(self, module: nn.Module, **inputs: Tensor) -> dict[str, Tensor]:
        outputs = (self.run or call)(module, **inputs, **self.constants)
        return outputs if isinstance(outputs, dict) else {"hidden_states": outputs}


def call(module: nn.Module, **inputs) -> Tensor:
    result = module(**inputs)
    return result.sample if hasattr(result, "sample") else result



def call_encoder_layer(module: nn.Module, hidden_states: Tensor) -> Tensor:
    """With the causal mask that CLIPTextModel passes."""
    length = hidden_states.shape[1]
    mask = hidden_states.new_full((length, length), float("-inf")).triu(1)[None, None]
    return module(hidden_states, mask)


def call_down_block(module: nn.Module, **inputs) -> dict[str, Tensor]:
    hidden_states, residuals = module(**inputs)
    return {"hidden_states": hidden_states, **{f"residuals.{n}": tensor for n, tensor in enumerate(residuals)}}


def call_up_block(module: nn.Module, upsample_size: list[int] | None = None, **inputs) -> Tensor:
    """inputs residuals.0, residuals.1, ...: the tuple, of which the block takes the last first."""
    names = sorted(name for name in inputs if name.startswith("residuals."))
    residuals = tuple(inputs.pop(name) for name in names)
    return module(res_hidden_states_tuple=residuals, upsample_size=upsample_size, **inputs)


def encoder_layer(**settings) -> CLIPEncoderLayer:
    return CLIPEncoderLayer(CLIPTextConfig(**settings, attn_implementation="eager"))


def resnet(name: str, **settings) -> Case:
    settings = {"in_channels": 8, "temb_channels": TEMB, "groups": 4, "eps": 1e-5, **settings}
    return Case(f"block-resnet{name}", ResnetBlock2D, settings,
                {"input_tensor": (2, settings["in_channels"], 5, 7), "temb": (2, TEMB)})


def transformer(name: str, **settings) -> Case:
    settings = {"num_attention_heads": 2, "attention_head_dim": 8, "in_channels": 16, "norm_num_groups": 4,
                "cross_attention_dim": TEXT, **settings}
    return Case(f"block-transformer{name}", Transformer2DModel, settings,
                {"hidden_states": (2, 16, 3, 5), "encoder_hidden_states": (2, 7, TEXT)})


def up_block(name: str, size: list[int] | None) -> Case:
    settings = {"in_channels": 4, "out_channels": 8, "prev_output_channel": 12, "temb_channels": TEMB,
                "num_layers": 2, "resnet_groups": 2, "resnet_eps": 1e-5, "num_attention_heads": 4,
                "cross_attention_dim": TEXT, "resnet_act_fn": "silu"}
    inputs = {"hidden_states": (2, 12, 3, 4), "temb": (2, TEMB), "encoder_hidden_states": (2, 5, TEXT),
              "residuals.0": (2, 4, 3, 4), "residuals.1": (2, 8, 3, 4)}
    return Case(f"block-cross-attention-up{name}", CrossAttnUpBlock2D, settings, inputs, call_up_block,
                {"upsample_size": size} if size else {})


def steps(name: str, flip: bool, shift: float) -> Case:
    settings = {"num_channels": 16, "flip_sin_to_cos": flip, "downscale_freq_shift": shift}
    return Case(f"block-timesteps{name}", Timesteps, settings,
                {"timesteps": torch.tensor([0.0, 1.0, 37.5, 500.0, 999.0])})


BLOCK = {"temb_channels": TEMB, "resnet_groups": 2, "resnet_eps": 1e-5, "num_attention_heads": 2,
         "cross_attention_dim": TEXT, "resnet_act_fn": "silu"}
ATTENTION = {"query_dim": 16, "heads": 4, "dim_head": 4}
LAYER = {"hidden_size": 24, "intermediate_size": 40, "num_attention_heads": 3, "layer_norm_eps": 1e-5}

CASES = [
    resnet(""),
    resnet("-shortcut", out_channels=12),
    resnet("-scale-shift", time_embedding_norm="scale_shift"),
    resnet("-scale-shift-shortcut", time_embedding_norm="scale_shift", out_channels=16, output_scale_factor=1.5,
           non_linearity="mish"),
    transformer(""),
    transformer("-linear", use_linear_projection=True, num_layers=2),
    Case("block-basic-transformer", BasicTransformerBlock,
         {"dim": 16, "num_attention_heads": 2, "attention_head_dim": 8, "cross_attention_dim": TEXT},
         {"hidden_states": (2, 15, 16), "encoder_hidden_states": (2, 7, TEXT)}),
    Case("block-basic-transformer-only-cross", BasicTransformerBlock,
         {"dim": 16, "num_attention_heads": 2, "attention_head_dim": 8, "cross_attention_dim": TEXT,
          "only_cross_attention": True},
         {"hidden_states": (2, 15, 16), "encoder_hidden_states": (2, 7, TEXT)}),
    Case("block-self-attention", Attention, ATTENTION, {"hidden_states": (2, 15, 16)}),
    Case("block-cross-attention", Attention, {**ATTENTION, "cross_attention_dim": TEXT},
         {"hidden_states": (2, 15, 16), "encoder_hidden_states": (2, 77, TEXT)}),
    Case("block-downsample", Downsample2D, {"channels": 8, "use_conv": True, "padding": 1},
         {"hidden_states": (2, 8, 7, 6)}),
    Case("block-downsample-padding-0", Downsample2D, {"channels": 8, "use_conv": True, "padding": 0},
         {"hidden_states": (2, 8, 7, 6)}),
    Case("block-upsample", Upsample2D, {"channels": 8, "use_conv": True}, {"hidden_states": (2, 8, 3, 4)}),
    Case("block-upsample-output-size", Upsample2D, {"channels": 8, "use_conv": True}, {"hidden_states": (2, 8, 3, 4)},
         constants={"output_size": [7, 7]}),
    Case("block-cross-attention-down", CrossAttnDownBlock2D,
         {"in_channels": 6, "out_channels": 8, "num_layers": 2, **BLOCK},
         {"hidden_states": (2, 6, 5, 6), "temb": (2, TEMB), "encoder_hidden_states": (2, 5, TEXT)}, call_down_block),
    up_block("", None),
    up_block("-output-size", [5, 8]),
    Case("block-mid", UNetMidBlock2DCrossAttn, {"in_channels": 12, **BLOCK},
         {"hidden_states": (2, 12, 3, 4), "temb": (2, TEMB), "encoder_hidden_states": (2, 7, TEXT)}),
    Case("block-timestep-embedding", TimestepEmbedding, {"in_channels": 16, "time_embed_dim": 32},
         {"sample": (3, 16)}),
    steps("", flip=True, shift=0),
    steps("-sine-first", flip=False, shift=1),
    Case("block-tiny", AutoencoderTinyBlock, {"in_channels": 8, "out_channels": 8, "act_fn": "relu"},
         {"x": (2, 8, 5, 7)}),
    Case("block-tiny-skip-convolution", AutoencoderTinyBlock, {"in_channels": 6, "out_channels": 8, "act_fn": "silu"},
         {"x": (2, 6, 5, 7)}),
    Case("block-text-time-embedding", TextTimeEmbedding, {"encoder_dim": 24, "time_embed_dim": 32, "num_heads": 4},
         {"hidden_states": (2, 7, 24)}),
    Case("block-clip-layer", encoder_layer, {**LAYER, "hidden_act": "quick_gelu"}, {"hidden_states": (2, 9, 24)},
         call_encoder_layer),
    Case("block-clip-layer-gelu", encoder_layer, {**LAYER, "hidden_act": "gelu"}, {"hidden_states": (1, 16, 24)},
         call_encoder_layer),
]

FIXTURES = [Fixture(case.name, case.write, case.salt) for case in CASES]
