"""What a frame costs: 10^9 multiply-adds (GMAC), attention products included, the prompt's encoder not."""

from __future__ import annotations

import numpy as np
from torch.utils.flop_counter import FlopCounterMode

from .engines import Editing

PROMPT = "make it a pencil drawing"


def cost(editing: Editing, width: int, height: int) -> dict[str, float]:
    """`gmac` and `passes` a frame; the editing's own figures where it has them, else what PyTorch counts.

    An editing that encodes the prompt for every call is charged for it.
    """
    passes = getattr(editing, "passes", 1)
    if hasattr(editing, "gmac"):
        return {"gmac": editing.gmac(width, height), "passes": passes}
    frame = np.full((1, height, width, 3), 0.5, np.float32)
    editing.edit(frame, PROMPT)  # keeps what is computed once a prompt
    with FlopCounterMode(display=False) as counter:
        editing.edit(frame, PROMPT)
    return {"gmac": counter.get_total_flops() / 2e9, "passes": passes}
