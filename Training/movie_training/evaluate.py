"""Measures an editor against the stylizers on the kept-out photographs and prompts.

    python -m movie_training.evaluate Models/nano-float16 [--pictures OUT.png] [--json OUT.json]

For every edit: PSNR to its stylizer (dB), PSNR of doing nothing, and whether the output is nearer to its stylizer than
to the source and than to every other stylizer; the same for prompts that training never saw.
"""

from __future__ import annotations

import argparse
import functools
import json
import pathlib

import cv2
import numpy as np
import torch

from . import prompts, sources, stylizers
from .editor import Editor, load_folder


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB for pictures in 0...1; 60 at most."""
    return float(-10 * np.log10(((a - b) ** 2).mean() + 1e-6))


@functools.cache
def references(width: int, height: int) -> dict[str, dict[str, np.ndarray]]:
    """photograph -> edit -> the stylizer's picture."""
    pictures = {name: sources.kept_out(name, width, height) for name in sources.KEPT_OUT}
    return {name: {edit: stylizers.stylize(edit, picture) for edit in stylizers.NAMES}
            for name, picture in pictures.items()}


@torch.no_grad()
def run(model: Editor, picture: np.ndarray, prompt: str, guidance_scale: float = 7.5,
        image_guidance_scale: float = 1.5, seed: int = 0) -> np.ndarray:
    """One edited picture, float32 [height, width, 3] in 0...1."""
    height, width = picture.shape[:2]
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(1, 4, height // model.factor, width // model.factor, generator=generator)
    source = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None] * 2 - 1
    output = model.edit(source, noise, model.encode_prompt([prompt]), torch.tensor([guidance_scale]),
                        torch.tensor([image_guidance_scale]))
    return ((output[0].permute(1, 2, 0) + 1) / 2).clamp(0, 1).float().numpy()


def quick(model: Editor) -> dict[str, float]:
    """Mean PSNR of every edit at a quarter of the evaluation's area: a few seconds, for the log of a training run."""
    table = references(256, 192)
    return {edit: float(np.mean([psnr(run(model, pictures["identity"], prompts.CANONICAL[edit]), pictures[edit])
                                 for pictures in table.values()])) for edit in stylizers.NAMES}


def full(model: Editor, width: int = 512, height: int = 384) -> dict:
    """The evaluation of the model card."""
    table, report = references(width, height), {}
    for edit in stylizers.NAMES:
        rows = []
        for prompt in [prompts.CANONICAL[edit], *prompts.KEPT_OUT[edit]]:
            for pictures in table.values():
                output = run(model, pictures["identity"], prompt)
                scores = {name: psnr(output, picture) for name, picture in pictures.items()}
                rows.append((scores[edit], scores[edit] > scores["identity"] or edit == "identity",
                             max(scores, key=scores.get) == edit, psnr(pictures["identity"], pictures[edit])))
        canonical, kept_out = rows[: len(table)], rows[len(table) :]
        report[edit] = {
            "psnr": np.mean([r[0] for r in canonical]), "psnr_of_source": np.mean([r[3] for r in canonical]),
            "nearer_than_source": np.mean([r[1] for r in canonical]), "nearest": np.mean([r[2] for r in canonical]),
            "kept_out_prompts_psnr": np.mean([r[0] for r in kept_out]),
            "kept_out_prompts_nearest": np.mean([r[2] for r in kept_out])}
    return {edit: {key: round(float(value), 3) for key, value in row.items()} for edit, row in report.items()}


def sheet(model: Editor, width: int = 256, height: int = 192) -> np.ndarray:
    """Rows of stylizer and network, a pair of rows an edit, a column a kept-out photograph."""
    table, rows = references(width, height), []
    for edit in stylizers.NAMES:
        rows.append(np.hstack([pictures[edit] for pictures in table.values()]))
        rows.append(np.hstack([run(model, p["identity"], prompts.CANONICAL[edit]) for p in table.values()]))
    return np.vstack(rows)


def load(work: pathlib.Path) -> Editor:
    """The editor of a model folder, or the moving average of a training run's checkpoint."""
    if (work / "model_index.json").exists():
        return load_folder(work)
    state = torch.load(work / "checkpoint.pt", weights_only=False)
    model = Editor(state["settings"], work / "tokenizer")
    model.load_state_dict(state["average"])
    return model.eval().requires_grad_(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=pathlib.Path, help="a model folder, or the folder of a training run")
    parser.add_argument("--pictures", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    model = load(options.work)
    report = full(model)
    for edit, row in report.items():
        print(f"{edit:12}" + "  ".join(f"{key} {value:.2f}" for key, value in row.items()))
    edits = [row for edit, row in report.items() if edit != "identity"]
    for key in ("psnr", "nearest", "kept_out_prompts_nearest"):
        print(f"mean over {len(edits)} edits, {key}: {np.mean([row[key] for row in edits]):.3f}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    if options.pictures:
        picture = (sheet(model)[..., ::-1] * 255 + 0.5).astype(np.uint8)
        cv2.imwrite(str(options.pictures), picture)


if __name__ == "__main__":
    main()
