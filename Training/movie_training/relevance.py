"""What of a one-step editor decides the picture: each part is taken away or replaced, and the edits measured again.

    python -m movie_training.relevance MODEL_OR_STAGE [--size 256x192]

MODEL_OR_STAGE is a model folder, or WORK/STAGE of a training run. Two tables: likeness of the edits to the stylizers'
pictures (photographs of `references.BRIEF`), and, with an anchor frame and without, flicker of the made sequences and
pumping of the edits that see the whole picture.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib

import numpy as np
import torch
from torch import Tensor

from .anchors import cross_frame
from .editor import Editor, load_folder
from .evaluation.command import size
from .evaluation.engines import TorchEditing
from .evaluation.flicker import flicker
from .evaluation.pumping import pumping
from .evaluation.quality import judge
from .evaluation.references import BRIEF, Scope
from .prompts import CANONICAL
from .staged import load_editor


class Altered(TorchEditing):
    """The editor with another `latents` (a function of the UNet's) or, with `told: False`, a decoder that is told the
    guidance scales and an empty prompt."""

    def __init__(self, model: Editor, name: str, latents=lambda latents: latents, told: bool = True):
        super().__init__(model, name)
        self.latents, self.told = latents, told

    def _edit(self, pixels: Tensor, noise: Tensor, prompt: str, *scales: Tensor) -> Tensor:
        model = self.model
        source, features = model.encode(pixels)
        latents = model.denoise(noise, model.image_latents(source), self._encode(prompt), *scales)
        told = model.conditioning(self._encode(prompt if self.told else ""), *scales)
        return model.decode(self.latents(latents), features, told)


class Anchored(TorchEditing):
    """Every frame but the first attends to the first one, too."""

    def edit(self, frames: np.ndarray, *arguments, **keywords) -> np.ndarray:
        with cross_frame(self.model.unet):
            return super().edit(frames, *arguments, **keywords)


def mean(latents: Tensor) -> Tensor:
    """Each channel's mean over the picture, everywhere: what is left of the latents is the edit, without the picture."""
    return latents.mean((2, 3), keepdim=True).expand_as(latents)


def likeness(editing: TorchEditing, scope: Scope) -> tuple[float, float]:
    """Mean PSNR over the edits, and that of leaving the picture alone, in dB."""
    rows = {edit: np.mean([judged.scores[edit] for judged in judge(editing, edit, CANONICAL[edit], scope)])
            for edit in scope.instructions}
    return float(np.mean([rows[edit] for edit in scope.edits])), float(rows["identity"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--size", type=size, default=(256, 192))
    options = parser.parse_args()
    folder = options.model
    is_model = (folder / "model_index.json").exists()
    model = load_folder(folder) if is_model else load_editor(folder.parent, folder.name)
    scope = dataclasses.replace(BRIEF, width=options.size[0], height=options.size[1])
    print("| edited with | PSNR, dB | left as it is, dB |\n| --- | --- | --- |")
    for editing in (Altered(model, "all parts"), Altered(model, "latents of zero", torch.zeros_like),
                    Altered(model, "each latent channel's mean", mean), Altered(model, "a decoder that is not told", told=False),
                    Altered(model, "latents of zero, not told", torch.zeros_like, told=False)):
        print(f"| {editing.name} | " + " | ".join(f"{value:.2f}" for value in likeness(editing, scope)) + " |", flush=True)
    print("\n| anchor | flicker | pumping, levels |\n| --- | --- | --- |")
    for editing in (TorchEditing(model, "none"), Anchored(model, "the first frame")):
        flickers, pumps = ([row[key] for row in measure(editing, scope).values()]
                           for key, measure in (("flicker", flicker), ("pumping", pumping)))
        print(f"| {editing.name} | {np.mean(flickers):.3f} | {np.mean(pumps):.2f} |", flush=True)


if __name__ == "__main__":
    main()
