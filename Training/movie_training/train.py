"""Trains a recipe: every stage of its YAML in order, each from where it was.

    python -m movie_training.train configs/nano-cpu.yaml WORK [--only STAGE] [--minutes M]

May be stopped at any moment; the same command goes on from the last checkpoint. WORK receives tokenizer/, a folder for
each stage (checkpoints.py) and log.csv (stage, step, seconds, loss and its terms).
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
from pytorch_optimizer import SOAP

from . import checkpoints, start
from .datasets import open_pairs, open_triplets
from .editor import Editor
from .recipe import load_recipe
from .stages import STAGES, Stage


def open_optimizer(options: dict, settings: dict, parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """The recipe's `optimizer`, of OPTIMIZERS.

    SOAP is Adam in the eigenbasis of Shampoo's preconditioner (arXiv:2409.11321). From fresh weights it needs a fraction
    of AdamW's steps here, and it has the same settings; its own matrices cost little beside the pictures (Docs/training.md).
    """
    groups = [{"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.01},
              {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0}]
    rate = float(options["learning_rate"])
    if settings.get("optimizer", "adamw") == "adamw":
        return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99))
    return SOAP(groups, lr=rate, betas=(0.95, 0.95), precondition_frequency=10, max_precondition_dim=384)


class Learner:
    """Optimizer, schedule (linear warm-up, cosine to a twentieth), clipping at norm 1 and the moving average."""

    def __init__(self, stage: Stage, average: Editor, options: dict):
        self.stage, self.average, self.options, self.step = stage, average, options, 0
        self.parameters = list(stage.trained())
        chosen = {id(parameter) for parameter in self.parameters}
        for parameter in stage.editor.parameters():
            parameter.requires_grad_(id(parameter) in chosen)
        self.optimizer = open_optimizer(options, stage.editor.settings, self.parameters)

    def learning_rate(self) -> float:
        options, share = self.options, self.step / self.options["steps"]
        cosine = 0.05 + 0.95 * (0.5 + 0.5 * math.cos(math.pi * share))
        return float(options["learning_rate"]) * min(1.0, (self.step + 1) / options.get("warmup_steps", 100)) * cosine

    def advance(self, sample) -> dict[str, float]:
        """One step of the discriminator, if the stage has one, and one of the editor; returns the loss's terms."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        figures = self.stage.second_step(sample)
        with self.stage.autocast():
            terms = self.stage.losses(sample)
        loss = torch.stack(list(terms.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        if torch.isfinite(norm):
            self.optimizer.step()
        self.step += 1
        self._follow()
        return {name: value.item() for name, value in {"loss": loss, **terms, **figures}.items()}

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(self.options.get("ema", 0.998), (1 + self.step) / (10 + self.step))
        current = dict(self.stage.editor.named_parameters())
        pairs = [(mean, current[name]) for name, mean in self.average.named_parameters() if current[name].requires_grad]
        torch._foreach_lerp_([mean for mean, _ in pairs], [parameter for _, parameter in pairs], 1 - decay)

    def state(self) -> dict:
        return {"step": self.step, "optimizer": self.optimizer.state_dict(), "editor": self.stage.editor.state_dict(),
                "average": self.average.state_dict(), "extra": self.stage.extra_state()}

    def resume(self, state: dict) -> None:
        self.step = state["step"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.stage.editor.load_state_dict(state["editor"])
        self.average.load_state_dict(state["average"])
        self.stage.load_extra_state(state["extra"])


class Recipe:
    """A YAML and a work folder. `device` is cuda where there is one, unless the YAML names another."""

    def __init__(self, settings: dict, work: pathlib.Path, minutes: float = math.inf):
        self.settings, self.work = settings, work
        self.device = torch.device(settings.get("device") or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.end = time.monotonic() + 60 * minutes
        self.entries = [{"name": entry["stage"], **entry} for entry in settings["stages"]]
        work.mkdir(parents=True, exist_ok=True)
        (work / "recipe.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
        if not (work / "tokenizer").exists():
            start.write_tokenizer(settings, work / "tokenizer")

    def _editor(self, name: str) -> Editor:
        editor = Editor(self.settings, self.work / "tokenizer")
        checkpoints.load_weights(self.work / name, editor)
        return editor.to(self.device, memory_format=torch.channels_last)

    def earlier(self, name: str) -> Editor:
        """What the stage `name` ended with, frozen."""
        return self._editor(name).eval().requires_grad_(False)

    def _seed(self, *numbers: int) -> np.random.Generator:
        seeds = [self.settings["seed"], *numbers]
        torch.manual_seed(int(np.random.SeedSequence(seeds).generate_state(1)[0]))
        return np.random.default_rng(seeds)

    def make_start(self) -> None:
        if not checkpoints.is_finished(self.work / "start"):
            rng = self._seed(0)
            data = open_triplets(self.settings, torch.device("cpu"))
            checkpoints.save_weights(self.work / "start", start.build(self.settings, self.work / "tokenizer", data, rng))

    def learner(self, index: int) -> Learner:
        """The learner of a stage, resumed where it was stopped."""
        entry = self.entries[index]
        before = entry.get("start") or (self.entries[index - 1]["name"] if index else "start")
        self._seed(index + 1)
        editor = self._editor(before)
        average = copy.deepcopy(editor).eval().requires_grad_(False)
        stage = STAGES[entry["stage"]]
        data = (open_pairs if stage.pairs else open_triplets)({**self.settings, **entry}, self.device)
        learner = Learner(stage(editor, entry, data, self.earlier), average, entry)
        state = checkpoints.load_state(self.work / entry["name"])
        if state:
            learner.resume(state)
            print(f"{entry['name']}: resumed at step {learner.step}", flush=True)
        return learner

    def train(self, index: int) -> bool:
        """Trains one stage; False where time ran out before its end."""
        entry, learner = self.entries[index], self.learner(index)
        folder, log = self.work / entry["name"], Log(self.work / "log.csv", entry["name"], entry["steps"])
        rng = self._seed(index + 1, learner.step)
        saved = time.monotonic()
        while learner.step < entry["steps"]:
            crop, size = self.shape(entry, learner.step)
            log.add(learner.step + 1, learner.advance(learner.stage.draw(rng, size, crop)))
            if time.monotonic() > self.end or time.monotonic() - saved > self.settings.get("save_seconds", 120):
                checkpoints.save_state(folder, learner.state())
                saved = time.monotonic()
                if saved > self.end:
                    return False
        checkpoints.save_weights(folder, learner.average)
        return True

    @staticmethod
    def shape(entry: dict, step: int) -> tuple[int, int]:
        """Crop and batch size: the last `large_share` of the steps sees larger crops, as many pixels a step."""
        crop, size = entry["crop"], entry["batch_size"]
        if step < entry["steps"] * (1 - entry.get("large_share", 0.0)):
            return crop, size
        large = entry["large_crop"]
        return large, max(2, round(size * (crop / large) ** 2))

    def run(self, only: str | None = None) -> bool:
        """Trains what is not finished. Raises ValueError for a stage that the YAML does not have."""
        names = [entry["name"] for entry in self.entries]
        if only and only not in names:
            raise ValueError(f"there is no stage '{only}' in the recipe; it has {', '.join(names)}")
        self.make_start()
        return all(self.train(index) for index, name in enumerate(names)
                   if only in (None, name) and not checkpoints.is_finished(self.work / name))


class Log:
    """Means of 50 steps, to the screen and to log.csv."""

    def __init__(self, path: pathlib.Path, stage: str, steps: int, every: int = 50):
        self.path, self.stage, self.steps, self.every = path, stage, steps, every
        self.kept: list[dict[str, float]] = []
        self.began = time.monotonic()

    def add(self, step: int, terms: dict[str, float]) -> None:
        self.kept.append(terms)
        if step % self.every and step != self.steps:
            return
        means = {name: float(np.mean([kept[name] for kept in self.kept])) for name in terms}
        line = " ".join(f"{name} {value:.4f}" for name, value in means.items())
        seconds = time.monotonic() - self.began
        print(f"{self.stage}: step {step} of {self.steps}, {seconds:.0f} s: {line}", flush=True)
        with self.path.open("a") as file:
            file.write(",".join([self.stage, str(step), f"{seconds:.0f}", *(f"{k}={v:.5f}" for k, v in means.items())]) + "\n")
        self.kept = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--only", help="train this stage alone; those before it must be finished")
    parser.add_argument("--minutes", type=float, default=math.inf, help="save and stop after so long")
    options = parser.parse_args()
    finished = Recipe(load_recipe(options.config), options.work, options.minutes).run(options.only)
    print("all stages are finished" if finished else "time is up; the same command goes on", flush=True)


if __name__ == "__main__":
    main()
