"""Which edit each sample shows, and the sentence that asks for it."""

from __future__ import annotations

import numpy as np

from . import prompts, stylizers


class Instructions:
    """Draws edits by their weights (1 where none is given) and a training prompt for each."""

    def __init__(self, weights: dict[str, float]):
        unknown = sorted(set(weights) - set(stylizers.NAMES))
        if unknown:
            raise ValueError(f"edit_weights names {', '.join(unknown)}: the edits are {', '.join(stylizers.NAMES)}")
        share = np.array([weights.get(name, 1.0) for name in stylizers.NAMES])
        self.share = share / share.sum()

    def draw(self, rng: np.random.Generator, size: int) -> tuple[list[str], list[str]]:
        """`size` edits and a prompt for each."""
        edits = [stylizers.NAMES[index] for index in rng.choice(len(self.share), size, p=self.share)]
        return edits, [prompts.sample(rng, edit) for edit in edits]


def edit_weights(settings: dict) -> dict[str, float]:
    """The YAML's `edit_weights`, in its section `data` or `train`."""
    return settings.get("data", {}).get("edit_weights") or settings.get("train", {}).get("edit_weights") or {}
