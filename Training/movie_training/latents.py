"""How good a stage's latents are, whatever its decoder makes of them: for the ablations of Table 2.

    python -m movie_training.latents WORK/STAGE [WORK/STAGE ...] [--size 256x192]

Prints Markdown, means of every edit of two kept-out photographs. *Error*: mean squared difference to the latents of the
stylizer's own picture, in parts of their variance: 1 is what a constant would have. *Energy*: gradient energy in parts
of theirs; a mean of what is possible has less than 1.
"""

from __future__ import annotations

import argparse
import pathlib

import torch
from torch import Tensor

from . import prompts, stylizers
from .evaluation.command import size
from .evaluation.engines import GUIDANCE_SCALE, IMAGE_GUIDANCE_SCALE
from .evaluation.references import BRIEF, pictures
from .staged import StagedEditing, open_stage


def gradient_energy(latents: Tensor) -> float:
    return sum(latents.diff(dim=axis).square().mean().item() for axis in (-1, -2))


@torch.no_grad()
def quality(editing: StagedEditing, width: int, height: int) -> tuple[float, float]:
    """Error and energy."""
    scales = [torch.tensor([scale], device=editing.model.device) for scale in (GUIDANCE_SCALE, IMAGE_GUIDANCE_SCALE)]
    rows = []
    for photograph in BRIEF.photographs:
        frame = pictures(photograph, width, height)["identity"]
        source = editing.source_latents(frame)
        for edit in stylizers.NAMES:
            prompt = prompts.CANONICAL[edit]
            own, wanted = editing.latents(frame, source, prompt, scales), editing.wanted_latents(frame, prompt, scales)
            error = (own - wanted).square().mean() / (wanted - wanted.mean((2, 3), keepdim=True)).square().mean()
            rows.append((error.item(), gradient_energy(own) / gradient_energy(wanted)))
    return tuple(sum(column) / len(rows) for column in zip(*rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", type=pathlib.Path, nargs="+", metavar="WORK/STAGE")
    parser.add_argument("--size", type=size, default=(256, 192))
    options = parser.parse_args()
    print("| stage | UNet passes | error | energy |\n| --- | --- | --- | --- |")
    for folder in options.stages:
        editing = open_stage(folder)
        error, energy = quality(editing, *options.size)
        print(f"| {folder.name} | {editing.passes} | {error:.3f} | {energy:.2f} |", flush=True)


if __name__ == "__main__":
    main()
