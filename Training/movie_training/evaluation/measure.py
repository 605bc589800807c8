"""The whole evaluation of one editing."""

from __future__ import annotations

import json
import logging
import pathlib

import numpy as np

from . import semantic
from .cost import cost
from .engines import Editing
from .flicker import flicker
from .guidance import guidance
from .pumping import pumping
from .quality import quality
from .references import Scope

log = logging.getLogger(__name__)

#: Figures that the summary takes from the edits as plain means.
MEANS = ("psnr", "ssim", "strength_correlation", "likeness_correlation", "flicker", "flicker_of_stylizer",
         "flicker_to_stylizer", "flicker_stabilized", "clip_image", "clip_direction", "clip_frame", "pick_score")
#: Those in which leaving the picture alone counts as one more instruction.
ACCURACIES = ("accuracy", "paraphrase_accuracy")


def measure(editing: Editing, scope: Scope = Scope(), clip: semantic.Clip | None = None,
            pick: semantic.Clip | None = None, stabilized: Editing | None = None) -> dict:
    """A report: `summary`, and `edits` with all figures of each.

    `stabilized` is the same model as it is used on video; its flicker is measured too.
    """
    log.info("%s: likeness and accuracy", editing.name)
    parts = [quality(editing, scope)]
    log.info("guidance")
    parts.append(guidance(editing, scope))
    log.info("flicker")
    parts += [flicker(editing, scope), pumping(editing, scope)]
    if stabilized:
        parts.append({edit: {"pumping_stabilized": row["pumping"]} for edit, row in pumping(stabilized, scope).items()})
        parts.append({edit: {"flicker_stabilized": row["flicker"]} for edit, row in flicker(stabilized, scope).items()})
    if clip or pick:
        log.info("CLIP and PickScore")
        parts.append(semantic.semantic(editing, scope, clip, pick))
    edits = {edit: {key: value for part in parts for key, value in part.get(edit, {}).items()}
             for edit in scope.instructions}
    report = {"name": editing.name, "size": [scope.width, scope.height],
              "photographs": [pathlib.Path(name).stem for name in scope.photographs],
              "summary": cost(editing, scope.width, scope.height) | summary(edits), "edits": edits}
    return _plain(report)


def summary(edits: dict[str, dict]) -> dict[str, float | str]:
    """The figures of the number table, from those of the edits.

    Sharpness counts 1 at most for each edit, so that one too sharp does not hide one too soft.
    """
    changing = {edit: row for edit, row in edits.items() if edit != "identity"}
    worst = min(changing, key=lambda edit: changing[edit]["psnr"])
    softest = min(changing, key=lambda edit: changing[edit]["sharpness"])
    figures = {
        "identity_psnr": edits["identity"]["psnr"], "psnr_worst": changing[worst]["psnr"], "worst_edit": worst,
        "sharpness": np.mean([min(1, row["sharpness"]) for row in changing.values()]),
        "sharpness_worst": changing[softest]["sharpness"], "softest_edit": softest}
    for key in ACCURACIES:
        figures[key] = np.mean([row[key] for row in edits.values()])
    for key in MEANS:
        if all(key in row for row in changing.values()):
            figures[key] = np.mean([row[key] for row in changing.values()])
    return figures


def _plain(value):
    """Python's own numbers, with five digits, for JSON."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | bool) else round(float(value), 5)


def load_report(path: pathlib.Path) -> dict:
    """A report from a file. Raises ValueError, with a sentence, for a file that holds none."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        report["summary"]["psnr"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no report of Training/evaluate.py --json: {error}") from error
    return report


def save_report(report: dict, path: pathlib.Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
