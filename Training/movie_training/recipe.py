"""Reads a recipe: a YAML whose `extends` names another one beside it, which it adds to or replaces key by key."""

from __future__ import annotations

import pathlib

import yaml

from .stages import STAGES

SECTIONS = {"extends", "seed", "device", "optimizer", "precision", "save_seconds", "start", "pretrain_text_steps", "data",
            "text_encoder", "unet", "vae", "guidance", "rolling_anchor", "stages"}
#: Of the layers' arithmetic; weights are float32.
PRECISIONS = ("bfloat16", "float32")
#: The first is what a recipe has that names none.
OPTIMIZERS = ("adamw", "soap")


def load_recipe(path: pathlib.Path) -> dict:
    """The settings of a run. Raises ValueError for what a recipe cannot have, FileNotFoundError for a missing file."""
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(settings, dict):
        raise ValueError(f"{path} holds no settings: a recipe is a YAML mapping with the sections {', '.join(sorted(SECTIONS))}")
    if "extends" in settings:
        base = load_recipe(path.parent / settings.pop("extends"))
        settings = {**base, **{key: merged(base.get(key), value) for key, value in settings.items()}}
    unknown = sorted(set(settings) - SECTIONS)
    if unknown:
        raise ValueError(f"{path} has the section '{unknown[0]}'; allowed are {', '.join(sorted(SECTIONS))}")
    for key, allowed in (("precision", PRECISIONS), ("optimizer", OPTIMIZERS)):
        if settings.get(key, allowed[0]) not in allowed:
            raise ValueError(f"{path}: {key} is {settings[key]!r}; allowed are {', '.join(allowed)}")
    check_stages(settings.get("stages", []), path)
    return settings


def merged(base: object, value: object) -> object:
    """A section's keys join those of the recipe it extends; anything else takes its place."""
    return {**base, **value} if isinstance(base, dict) and isinstance(value, dict) else value


def check_stages(entries: list[dict], path: pathlib.Path) -> None:
    for entry in entries:
        if entry.get("stage") not in STAGES:
            raise ValueError(f"{path}: a stage is called '{entry.get('stage')}'; the stages are {', '.join(STAGES)}")
        missing = [key for key in ("steps", "batch_size", "crop", "learning_rate") if key not in entry]
        if missing:
            raise ValueError(f"{path}: the stage {entry['stage']} lacks {', '.join(missing)}")
