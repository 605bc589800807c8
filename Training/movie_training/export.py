"""Writes what a stage of training ended with as a model folder in diffusers layout, with float16 weights.

    python -m movie_training.export WORK/STAGE OUT

The channels of nano's autoencoder get equal ranges on the way, for what comes next: integers (equalize.py).
Checks what it wrote: the folder, read back, must give the checkpoint's picture (float16 costs it little).
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file

from . import evaluate, prompts, sources
from .checkpoints import half
from .editor import Editor, load_folder
from .equalize import edit_pictures, equalize
from .staged import load_editor

#: Standard classes and the ones of movie_training.models, as model_index.json names them.
COMPONENTS = {
    "scheduler": ["diffusers", "LCMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["movie_training.models", "SkipAutoencoder"],
}


def write_json(path: pathlib.Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_part(folder: pathlib.Path, module: torch.nn.Module, config: dict, name: str) -> None:
    folder.mkdir(parents=True)
    save_file(half(module), folder / f"{name}.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", config)


def unet_config(model: Editor) -> dict:
    """diffusers' configuration and, as extra keys, the guidance scales the interface allows, and the recipe's wish for an
    anchor in live streams."""
    config = {key: value for key, value in model.unet.config.items() if not key.startswith("_")}
    for key, setting in model.settings["guidance"].items():
        config[f"{key}_range"], config[f"{key}_default"] = setting["range"], setting["default"]
    if model.settings.get("rolling_anchor"):
        config["rolling_anchor"] = True
    return {"_class_name": "UNet2DConditionModel", **config}


def export(model: Editor, tokenizer: pathlib.Path, out: pathlib.Path) -> None:
    if out.exists():
        for part in COMPONENTS:
            shutil.rmtree(out / part, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    write_part(out / "unet", model.unet, unet_config(model), "diffusion_pytorch_model")
    vae = {key: value for key, value in model.vae.config.items() if not key.startswith("_")}
    write_part(out / "vae", model.vae, {"_class_name": type(model.vae).__name__, **vae}, "diffusion_pytorch_model")
    text = model.text_encoder.config.to_dict()
    text = {key: value for key, value in text.items() if value is not None and key != "transformers_version"}
    write_part(out / "text_encoder", model.text_encoder, {**text, "architectures": ["CLIPTextModel"]}, "model")
    shutil.copytree(tokenizer, out / "tokenizer")
    model.scheduler.save_pretrained(out / "scheduler")
    config = json.loads((out / "scheduler" / "scheduler_config.json").read_text())
    write_json(out / "scheduler" / "scheduler_config.json", {**config, "evaluation_timestep": model.timestep})
    write_json(out / "model_index.json", {"_class_name": "MoviePipeline", **COMPONENTS})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", type=pathlib.Path, help="the folder of a finished stage that ends in one step")
    parser.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    model = load_editor(options.stage.parent, options.stage.name)
    picture, prompt = sources.kept_out("coffee", 256, 192), prompts.CANONICAL["pencil"]
    before = evaluate.run(model, picture, prompt)
    if model.has_skips:
        equalize(model.vae, lambda: edit_pictures(model))
    export(model, options.stage.parent / "tokenizer", options.out)
    likeness = evaluate.psnr(before, evaluate.run(load_folder(options.out), picture, prompt))
    if likeness < 45:
        raise SystemExit(f"the folder's picture differs from the checkpoint's: {likeness:.1f} dB, expected 45 or more")
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    print(f"{options.out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
