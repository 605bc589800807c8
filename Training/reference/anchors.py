"""Cross-frame attention (MoViE, section 3.1): UNets whose self-attentions also see the keys and values of anchor frames.

softmax(Q [K_1; ...; K_t; K]^T / sqrt(d)) [V_1; ...; V_t; V], where K_i and V_i are what the same layer had when the
anchor frame i was edited, attending to itself alone. One anchor is the paper's middle frame; three in equal distance are
Fairy's; the first and the previous frame are Rerender-A-Video's. What the frames are is the caller's business: for a
layer they are keys and values.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass

import torch
import unets
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor
from fixture import Fixture, compute, randomize, store_model, write_tensors
from torch import Tensor


class CrossFrame:
    """A processor for one self-attention: it collects what an anchor frame attends to, and shows it to later frames."""

    def __init__(self) -> None:
        self.anchors: list[Tensor] = []
        self.collects = False

    def __call__(self, attention: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
                 **_: object) -> Tensor:
        assert encoder_hidden_states is None, "a self-attention"
        source = hidden_states
        if self.collects:
            self.anchors.append(hidden_states)
        else:
            source = torch.cat([*self.anchors, hidden_states], dim=1)
        return AttnProcessor()(attention, hidden_states, encoder_hidden_states=source)


def run(model: UNet2DConditionModel, **inputs: Tensor) -> dict[str, Tensor]:
    """The anchor frames one by one, then the frame that sees them all; `sample` alone first, for comparison."""
    frames = sorted(name for name in inputs if name.startswith("anchor."))
    arguments = {name: tensor for name, tensor in inputs.items() if name not in frames}
    model.set_attn_processor({name: CrossFrame() if ".attn1." in name else AttnProcessor()
                              for name in model.attn_processors})
    processors = [p for p in model.attn_processors.values() if isinstance(p, CrossFrame)]
    alone = unets.run(model, **arguments)["sample"]
    for name in frames:
        for processor in processors:
            processor.collects = True
        unets.run(model, **{**arguments, "sample": inputs[name]})
    for processor in processors:
        processor.collects = False
        assert len(processor.anchors) == len(frames)
    outputs = unets.run(model, **arguments)
    difference = ((outputs["sample"] - alone).norm() / alone.norm()).item()
    assert difference > 0.02, f"anchors change the output by {difference:.4f} alone: give the fixture another salt"
    return outputs


@dataclass
class AnchorCase(unets.Case):
    """A UNet, a frame and anchor frames that share something with it, as frames of one video do."""

    anchors: int = 1

    def write(self, folder: pathlib.Path) -> None:
        model = randomize(self.model())
        store_model(model, folder / "unet", self.dtype)
        inputs = self.inputs(model.config)
        for index in range(self.anchors):
            inputs[f"anchor.{index}"] = 0.6 * inputs["sample"] + 0.8 * torch.randn_like(inputs["sample"])
        write_tensors(folder / "inputs.safetensors", **inputs)
        write_tensors(folder / "outputs.safetensors", **compute(model, run, inputs))


CASES = [
    AnchorCase("anchor-middle",
               {"block_out_channels": [4, 8, 8], **unets.levels([False, True, True]), "attention_head_dim": [1, 2, 4],
                "in_channels": 8, "resnet_time_scale_shift": "scale_shift", "guidance_embed_dim": 24,
                "guidance_embed_scale": 16.0},
               size=(12, 16), timestep=[999], guidance=([7.5], [1.5])),
    AnchorCase("anchor-fairy",
               {"block_out_channels": [4, 8], **unets.levels([True, True]), "in_channels": 8},
               size=(7, 9), anchors=3),
    AnchorCase("anchor-rerender",
               {"block_out_channels": [4, 8], **unets.levels([False, True]), "layers_per_block": 2,
                "use_linear_projection": True},
               size=(6, 10), batch=2, timestep=[999, 321], anchors=2, salt=2),
]

FIXTURES = [Fixture(case.name, case.write, case.salt) for case in CASES]
