"""Evaluates a model on the kept-out photographs and prompts.

    python Training/evaluate.py Models/nano --engine movied --pictures sheets --json nano.json --gate
    python Training/evaluate.py Models/nano --engine movied --photographs DIR
    python Training/evaluate.py work/teacher --brief        # a stage of a training run, in PyTorch
    python Training/evaluate.py --stages teacher.json student.json

Prints Markdown: the number table with what must be reached and what is aimed at, the edits, the guidance curves.
`movied` is the shipped engine (libmovie.so), on integers where the model was quantized.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import pathlib
import sys

from .. import prompts
from ..editor import load_folder
from ..staged import open_stage
from . import report as reports
from . import sheets
from .engines import Editing, TorchEditing
from .measure import load_report, measure, save_report
from .native import BUILD, EngineError, NativeEditing
from .references import BRIEF, EDITS, Scope
from .semantic import Clip

#: What `movied` does to video when nothing is said.
STABILITY = 0.5
#: What --photographs takes of a folder.
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


def size(text: str) -> tuple[int, int]:
    """512x384 -> (512, 384)."""
    width, _, height = text.partition("x")
    if not all(side.isdigit() and int(side) and int(side) % 8 == 0 for side in (width, height)):
        raise argparse.ArgumentTypeError(f"it is {text!r}; it must be WIDTHxHEIGHT, multiples of 8, such as 512x384")
    return int(width), int(height)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    path = pathlib.Path
    parser.add_argument("model", type=path, nargs="?", help="a model folder; with torch also WORK/STAGE of a run")
    parser.add_argument("--engine", choices=("torch", "movied"), default="torch")
    parser.add_argument("--build", type=path, default=BUILD, metavar="DIR", help="where libmovie.so and movied are")
    parser.add_argument("--threads", type=int, default=1, help="of the movied engine")
    parser.add_argument("--anchor", choices=("none", "rolling"), help="of the movied engine on video; default: what the model says")
    parser.add_argument("--name", help="the report's name, for the ladder of stages")
    parser.add_argument("--steps", type=int, default=10, help="of stages that take several")
    parser.add_argument("--sampler", choices=("ddim", "lcm"), default="ddim", help="of stages that take several steps")
    parser.add_argument("--brief", action="store_true", help="two photographs, fewer prompts, scales and frames")
    parser.add_argument("--photographs", type=path, metavar="DIR", help="the pictures in DIR instead of the kept-out ones")
    parser.add_argument("--size", type=size, default=(512, 384))
    parser.add_argument("--json", type=path, metavar="FILE", help="write the report for --stages and --teacher")
    parser.add_argument("--pictures", type=path, metavar="DIR", help="write contact sheets")
    parser.add_argument("--clip", type=path, metavar="DIR", help="a local CLIPModel: CLIP similarities, CLIPFrame")
    parser.add_argument("--pickscore", type=path, metavar="DIR", help="a local PickScore (a CLIPModel too)")
    parser.add_argument("--teacher", type=path, metavar="FILE", help="the multi-step teacher's report, to compare with")
    parser.add_argument("--gate", action="store_true", help="exit with 1 where something measured misses its must")
    parser.add_argument("--stages", type=path, nargs="+", metavar="FILE", help="print the ladder of reports instead")
    return parser


def pictures_in(folder: pathlib.Path) -> tuple[str, ...]:
    """The paths of a folder's pictures. Raises ValueError where there is none."""
    files = folder.iterdir() if folder.is_dir() else ()
    paths = sorted(str(path) for path in files if path.suffix.lower() in PICTURES)
    if not paths:
        raise ValueError(f"{folder} holds no picture: --photographs needs a folder with {', '.join(PICTURES)} files")
    return tuple(paths)


def known_edits(model: pathlib.Path) -> tuple[str, ...]:
    """The edits that a model folder's prompts.txt names by their canonical prompts; all where it names none."""
    listed = model / "prompts.txt"
    lines = set(listed.read_text(encoding="utf-8").splitlines()) if listed.exists() else set()
    return tuple(edit for edit in EDITS if prompts.CANONICAL[edit] in lines) or tuple(EDITS)


def model_anchor(model: pathlib.Path) -> str:
    """The anchor that a model folder asks for in live streams."""
    config = json.loads((model / "unet" / "config.json").read_text(encoding="utf-8"))
    return "rolling" if config.get("rolling_anchor") else "none"


def editings(options: argparse.Namespace) -> tuple[Editing, Editing | None]:
    """What is measured, and the same as it is used on video."""
    if options.engine == "movied":
        make = lambda **more: NativeEditing(options.model, options.build, threads=options.threads, **more)  # noqa: E731
        return make(name=options.name), make(stability=STABILITY, anchor=options.anchor or model_anchor(options.model))
    return open_torch(options), None


def open_torch(options: argparse.Namespace) -> Editing:
    """A model folder's one-step editing, or a stage's own. Raises FileNotFoundError for what is neither."""
    folder = options.model
    if (folder / "model_index.json").exists():
        return TorchEditing(load_folder(folder), options.name or f"{folder.name}, PyTorch")
    if (folder.parent / "recipe.yaml").exists():
        editing = open_stage(folder, steps=options.steps, sampler=options.sampler)
        editing.name = options.name or editing.name
        return editing
    raise FileNotFoundError(f"{folder} is neither a model folder (it has no model_index.json) nor a stage of a "
                            "training run (there is no recipe.yaml beside it): name WORK/STAGE or a model folder")


def evaluate(options: argparse.Namespace) -> int:
    """Measures one model; the exit code."""
    editing, stabilized = editings(options)
    clip = Clip(options.clip) if options.clip else None
    pick = Clip(options.pickscore) if options.pickscore else None
    teacher = load_report(options.teacher) if options.teacher else None
    scope = dataclasses.replace(BRIEF if options.brief else Scope(), width=options.size[0], height=options.size[1],
                                edits=known_edits(options.model))
    if options.photographs:
        scope = dataclasses.replace(scope, photographs=pictures_in(options.photographs))
    report = measure(editing, scope, clip, pick, stabilized)
    if teacher:
        report = reports.with_teacher(report, teacher)
    print(reports.markdown(report))
    if options.json:
        save_report(report, options.json)
    if options.pictures:
        sheets.write(editing, options.pictures, scope)
    missed = reports.missed(report)
    for goal in missed:
        print(f"missed: {goal.label}: {report['summary'][goal.key]:g}, must be {goal.must:g}", file=sys.stderr)
    return 1 if options.gate and missed else 0


def main(argv: list[str] | None = None) -> int:
    parser = arguments()
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if (options.model is None) == (options.stages is None):
        parser.error("name a model to evaluate, or --stages with reports")
    if options.photographs and (options.clip or options.pickscore):
        parser.error("--clip and --pickscore need captions, which only the kept-out photographs have: leave out --photographs")
    try:
        if options.stages:
            print(reports.ladder([load_report(path) for path in options.stages]))
            return 0
        return evaluate(options)
    except (EngineError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
