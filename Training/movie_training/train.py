"""Trains the nano editor end to end on the stylizers' pictures.

    python -m movie_training.train configs/nano-cpu.yaml WORK --pool POOL.npy [POOL.npy ...]

WORK receives tokenizer/, checkpoint.pt (every few minutes; the same command resumes from it) and log.csv.
"""

from __future__ import annotations

import argparse
import copy
import math
import pathlib
import time

import numpy as np
import torch
import yaml
from torch.nn import functional as F

from . import evaluate, prompts, stylizers, text
from .editor import Editor


class Pools:
    """Draws crops from the finished part of the pools."""

    def __init__(self, paths: list[pathlib.Path]):
        self.arrays = [np.load(path, mmap_mode="r") for path in paths]
        self.counters = [path.with_suffix(".npy.count") for path in paths]

    def draw(self, rng: np.random.Generator, edit: int, crop: int) -> tuple[np.ndarray, np.ndarray]:
        which = rng.integers(len(self.arrays))
        picture = self.arrays[which][rng.integers(int(self.counters[which].read_text()))]
        room = picture.shape[1] - crop
        top, left = rng.integers(0, room + 1, 2)
        window = (slice(top, top + crop), slice(left, left + crop))
        source, edited = (picture[index][window].astype(np.float32) / 255 for index in (0, edit))
        if rng.random() < 0.5:
            source, edited = source[:, ::-1], edited[:, ::-1]
        return source, edited


def make_batch(settings: dict, pools: Pools, rng: np.random.Generator, size: int, crop: int) -> dict:
    train, guidance = settings["train"], settings["guidance"]
    weights = np.array([train["edit_weights"].get(name, 1.0) for name in stylizers.NAMES])
    batch: dict[str, list] = {"source": [], "target": [], "prompt": [], "guidance": [], "image_guidance": []}
    for _ in range(size):
        edit = rng.choice(len(weights), p=weights / weights.sum())
        source, edited = pools.draw(rng, edit, crop)
        scales = [guidance[key]["default"] for key in ("guidance_scale", "image_guidance_scale")]
        if rng.random() > train["fixed_guidance_share"]:
            scales = [rng.uniform(*guidance[key]["range"]) for key in ("guidance_scale", "image_guidance_scale")]
        batch["source"].append(source)
        batch["target"].append(stylizers.blend(source, edited, float(stylizers.strength(*scales))))
        batch["prompt"].append(prompts.sample(rng, stylizers.NAMES[edit]))
        batch["guidance"].append(scales[0])
        batch["image_guidance"].append(scales[1])
    return batch


def pixels(pictures: list[np.ndarray]) -> torch.Tensor:
    """[batch, 3, height, width] in -1...1."""
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return (stacked * 2 - 1).contiguous(memory_format=torch.channels_last)


def charbonnier(difference: torch.Tensor) -> torch.Tensor:
    return (difference * difference + 4e-5).sqrt().mean()


def loss_of(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Charbonnier on pixels, gradients and two pooled sizes."""
    difference = output - target
    rows, columns = difference.diff(dim=-2), difference.diff(dim=-1)
    coarse = F.avg_pool2d(difference, 4)
    gradients = charbonnier(rows) + charbonnier(columns)
    return (charbonnier(difference) + 0.5 * gradients + 0.5 * charbonnier(coarse)
            + 0.25 * charbonnier(F.avg_pool2d(coarse, 4)))


class Run:
    """The state of a training run: model, its moving average, optimizer, step; saved and resumed as one file."""

    def __init__(self, settings: dict, work: pathlib.Path):
        self.settings, self.work = settings, work
        self.rng = np.random.default_rng(settings["seed"])
        torch.manual_seed(settings["seed"])
        if not (work / "tokenizer").exists():
            encoder = settings["text_encoder"]
            text.write_tokenizer(work / "tokenizer", encoder["vocab_size"], encoder["max_position_embeddings"])
        self.model = Editor(settings, work / "tokenizer")
        self.step, self.seconds = 0, 0.0
        resumed = (work / "checkpoint.pt").exists()
        if not resumed:
            accuracy = text.pretrain(self.model.text_encoder, self.model.tokenizer,
                                     settings["train"]["pretrain_text_steps"], self.rng)
            print(f"prompt encoder: {accuracy:.1%} of the kept-out prompts right", flush=True)
        self.model = self.model.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        vectors = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}],
            lr=settings["train"]["learning_rate"], betas=(0.9, 0.99))
        if resumed:
            self._resume()

    def _resume(self) -> None:
        state = torch.load(self.work / "checkpoint.pt", weights_only=False)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.rng = np.random.default_rng([self.settings["seed"], self.step])
        print(f"resumed at step {self.step}", flush=True)

    def save(self) -> None:
        state = {"model": self.model.state_dict(), "average": self.average.state_dict(), "step": self.step,
                 "optimizer": self.optimizer.state_dict(), "seconds": self.seconds, "settings": self.settings}
        torch.save(state, self.work / "checkpoint.new")
        (self.work / "checkpoint.new").replace(self.work / "checkpoint.pt")

    def learning_rate(self) -> float:
        train = self.settings["train"]
        cosine = 0.5 + 0.5 * math.cos(math.pi * self.step / train["steps"])
        return train["learning_rate"] * min(1.0, (self.step + 1) / train["warmup_steps"]) * cosine + 1e-6

    def advance(self, batch: dict) -> float:
        """One optimizer step; returns the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        source, target = pixels(batch["source"]), pixels(batch["target"])
        noise = torch.randn(source.shape[0], 4, source.shape[2] // self.model.factor, source.shape[3] // self.model.factor)
        with torch.autocast("cpu", torch.bfloat16):
            embeddings = self.model.encode_prompt(batch["prompt"])
            output = self.model.edit(source, noise, embeddings, torch.tensor(batch["guidance"], dtype=torch.float32),
                                     torch.tensor(batch["image_guidance"], dtype=torch.float32))
        loss = loss_of(output.float(), target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if torch.isfinite(norm):
            self.optimizer.step()
        self.step += 1
        decay = min(self.settings["train"]["ema"], (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)
        return loss.item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--pool", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--save-every", type=int, default=500, help="steps between checkpoints")
    parser.add_argument("--evaluate-every", type=int, default=1000, help="steps between evaluations")
    parser.add_argument("--stop-after", type=int, default=None, help="stop at this step; the schedule stays as it is")
    options = parser.parse_args()
    settings = yaml.safe_load(options.config.read_text())
    train = settings["train"]
    options.work.mkdir(parents=True, exist_ok=True)
    run, pools, mean = Run(settings, options.work), Pools(options.pool), 0.0
    end = min(train["steps"], options.stop_after or train["steps"])
    while run.step < end:
        start = time.monotonic()
        large = run.step >= train["steps"] * (1 - train["last_share_large"])
        crop = pools.arrays[0].shape[2] if large else train["crop"]
        size = max(2, round(train["batch_size"] * (train["crop"] / crop) ** 2))
        loss = run.advance(make_batch(settings, pools, run.rng, size, crop))
        run.seconds += time.monotonic() - start
        mean = loss if mean == 0 else 0.99 * mean + 0.01 * loss
        if run.step % 100 == 0:
            print(f"step {run.step} of {train['steps']}, {run.seconds:.0f} s, loss {mean:.4f}", flush=True)
        if run.step % options.save_every == 0 or run.step == end:
            run.save()
        if run.step % options.evaluate_every == 0 or run.step == end:
            scores = evaluate.quick(run.average)
            line = " ".join(f"{name} {value:.1f}" for name, value in scores.items())
            print(f"step {run.step}: mean {np.mean(list(scores.values())):.2f} dB: {line}", flush=True)
            with (options.work / "log.csv").open("a") as log:
                log.write(",".join([str(run.step), f"{run.seconds:.0f}", *(f"{v:.2f}" for v in scores.values())]) + "\n")


if __name__ == "__main__":
    main()
