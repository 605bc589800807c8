"""Cross-frame attention in training (MoViE, section 3.1): later frames attend to an anchor frame's keys and values."""

from __future__ import annotations

import contextlib

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor


class CrossFrame:
    """A processor for one self-attention: keeps what a frame attends to, and shows it to the next frame."""

    def __init__(self) -> None:
        self.anchor: Tensor | None = None
        self.plain = AttnProcessor2_0()

    def __call__(self, attention: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
                 **_) -> Tensor:
        if self.anchor is None:
            self.anchor = hidden_states
            return self.plain(attention, hidden_states)
        both = torch.cat([self.anchor, hidden_states], dim=1)
        return self.plain(attention, hidden_states, encoder_hidden_states=both)


@contextlib.contextmanager
def cross_frame(unet: UNet2DConditionModel):
    """Within it the first pass of the UNet is the anchor, and every later one attends to it as well; gradients flow
    through both."""
    before = unet.attn_processors
    unet.set_attn_processor({name: CrossFrame() if ".attn1." in name else AttnProcessor2_0() for name in before})
    try:
        yield
    finally:
        unet.set_attn_processor(before)
