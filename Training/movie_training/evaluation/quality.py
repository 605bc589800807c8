"""Likeness to the stylizer, edit accuracy, paraphrase accuracy and sharpness, on kept-out photographs and prompts."""

from __future__ import annotations

import dataclasses

import numpy as np

from .. import prompts
from .engines import Editing
from .measures import gradient_energy, psnr, ssim
from .references import Scope, table


@dataclasses.dataclass
class Judged:
    """One output beside the pictures it is compared with."""

    edit: str
    output: np.ndarray
    pictures: dict[str, np.ndarray]

    def __post_init__(self) -> None:
        self.scores = {name: psnr(self.output, picture) for name, picture in self.pictures.items()}

    @property
    def nearest(self) -> str:
        """The stylizer whose picture the output is nearest to; `identity` is the source."""
        return max(self.scores, key=self.scores.get)


def judge(editing: Editing, edit: str, prompt: str, scope: Scope) -> list[Judged]:
    """The outputs for one prompt, one for each photograph."""
    return [Judged(edit, editing.edit(pictures["identity"][None], prompt)[0], pictures)
            for pictures in table(scope).values()]


def _canonical(edit: str, judged: list[Judged]) -> dict[str, float]:
    """Figures of the canonical prompt. Sharpness is the output's gradient energy in parts of the stylizer's."""
    wanted = [j.pictures[edit] for j in judged]
    scores = [j.scores[edit] for j in judged]
    return {
        "psnr": np.mean(scores), "psnr_worst_photograph": min(scores),
        "psnr_of_source": np.mean([psnr(j.pictures["identity"], target) for j, target in zip(judged, wanted)]),
        "ssim": np.mean([ssim(j.output, target) for j, target in zip(judged, wanted)]),
        "sharpness": np.mean([gradient_energy(j.output) / gradient_energy(target)
                              for j, target in zip(judged, wanted)]),
        "accuracy": np.mean([j.nearest == edit for j in judged])}


def _paraphrased(edit: str, judged: dict[str, list[Judged]]) -> dict:
    """Figures of the kept-out prompts, and for each that missed the edits that came out."""
    every = [j for row in judged.values() for j in row]
    missed = {prompt: [j.nearest for j in row] for prompt, row in judged.items()
              if any(j.nearest != edit for j in row)}
    return {"paraphrase_psnr": np.mean([j.scores[edit] for j in every]),
            "paraphrase_accuracy": np.mean([j.nearest == edit for j in every]), "paraphrases_missed": missed}


def quality(editing: Editing, scope: Scope) -> dict[str, dict]:
    """edit -> figures: PSNR in dB, the rest in 0...1 (sharpness: 1 is the stylizer's)."""
    paraphrases = {edit: sentences[: scope.paraphrases] for edit, sentences in prompts.KEPT_OUT.items()}
    return {edit: _canonical(edit, judge(editing, edit, prompts.CANONICAL[edit], scope))
            | _paraphrased(edit, {prompt: judge(editing, edit, prompt, scope) for prompt in paraphrases[edit]})
            for edit in scope.instructions}
