"""What a run starts from: fresh weights, or the parts of a model folder that its recipe names.

    start: {folder: FOLDER, parts: [unet, vae, text_encoder]}    a text-to-image or editing model in diffusers layout
    start: {folder: FOLDER, parts: [vae, conditioner]}           an earlier nano
    start: {folder: FOLDER, parts: [unet, encoder, text_encoder]}    an earlier nano, its decoder left aside

Tensors of layers that the recipe's UNet does not have (the attention at the highest resolution) are left aside; what the
folder does not have (guidance embeddings) starts fresh; an input convolution of 4 channels gets 4 more of zeros for the
image (InstructPix2Pix, section 3.2).
"""

from __future__ import annotations

import pathlib
import shutil

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from . import prompts, stylizers, text
from .batches import Triplets
from .editor import Editor, load_folder

CONDITIONER = ("time_embedding.", "add_embedding.", "guidance_embedding.", "image_guidance_embedding.")
#: Part -> the folder it is in, and what its tensors' names begin with.
PARTS = {"unet": ("unet", ("",)), "vae": ("vae", ("",)), "text_encoder": ("text_encoder", ("",)),
         "conditioner": ("unet", CONDITIONER), "encoder": ("vae", ("encoder.",))}


def _tensors(folder: pathlib.Path, part: str) -> dict[str, Tensor]:
    path = next((folder / part).glob("*.safetensors"), None)
    if path is None:
        raise FileNotFoundError(f"{folder / part} has no .safetensors file: check `start.folder` in the recipe")
    return load_file(path)


def adopt(module: nn.Module, tensors: dict[str, Tensor], prefixes: tuple[str, ...] = ("",)) -> list[str]:
    """Copies what fits; returns the names of the module's tensors that the file does not have.

    Raises ValueError for a tensor of another shape.
    """
    own, fresh = module.state_dict(), []
    for name, tensor in own.items():
        if not name.startswith(prefixes):
            continue
        if name not in tensors:
            fresh.append(name)
            continue
        found = tensors[name].to(tensor.dtype)
        if name == "conv_in.weight" and found.shape[1] * 2 == tensor.shape[1]:
            found = torch.cat([found, torch.zeros_like(found)], 1)
        if found.shape != tensor.shape:
            raise ValueError(f"{name} has the shape {list(found.shape)} in the start folder, the recipe's network "
                             f"{list(tensor.shape)}: the recipe must describe the same network")
        own[name] = found
    module.load_state_dict(own)
    return fresh


def write_tokenizer(settings: dict, folder: pathlib.Path) -> None:
    """The start folder's tokenizer where its text encoder is used, else one learned from the training sentences."""
    start = settings.get("start", {})
    if "text_encoder" in start.get("parts", []):
        shutil.copytree(pathlib.Path(start["folder"]) / "tokenizer", folder)
    else:
        encoder = settings["text_encoder"]
        text.write_tokenizer(folder, encoder["vocab_size"], encoder["max_position_embeddings"])


@torch.no_grad()
def normalize_latents(editor: Editor, pixels: Tensor) -> None:
    """Scales the encoder's last convolution so that the latents of `pixels` have mean 0 and deviation 1, by channel."""
    latents, last = editor.encode(pixels)[0], editor.vae.encoder.layers[-1]
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3)).clamp(min=1e-3)
    last.weight /= deviation.view(-1, 1, 1, 1)
    last.bias.copy_((last.bias - mean) / deviation)


@torch.no_grad()
def canonical_conditioning(folder: pathlib.Path) -> Tensor:
    """What an earlier nano's decoder is told for each edit's canonical prompt, [edits, width]."""
    editor = load_folder(folder)
    return editor.unet.add_embedding(editor.encode_prompt([prompts.CANONICAL[name] for name in stylizers.NAMES]))


def build(settings: dict, tokenizer: pathlib.Path, data: Triplets, rng: np.random.Generator) -> Editor:
    """The editor that the first stage gets. Raises ValueError for an unknown part and FileNotFoundError for a missing one."""
    editor, start = Editor(settings, tokenizer), settings.get("start", {})
    folder, parts = pathlib.Path(start.get("folder", ".")), start.get("parts", [])
    for part in parts:
        if part not in PARTS:
            raise ValueError(f"start.parts has '{part}'; allowed are {', '.join(PARTS)}")
        owner, prefixes = PARTS[part]
        fresh = adopt(getattr(editor, owner), _tensors(folder, owner), prefixes)
        print(f"start: {part} from the folder; {len(fresh)} tensors fresh {fresh[:3]}", flush=True)
    if {"vae", "encoder"} & set(parts) and editor.has_skips:
        normalize_latents(editor, data.draw(rng, 64, 64).source)
    if "text_encoder" not in parts:
        goal = (editor.unet.add_embedding, canonical_conditioning(folder)) if "conditioner" in parts else None
        accuracy = text.pretrain(editor.text_encoder, editor.tokenizer, settings["pretrain_text_steps"], rng, goal)
        print(f"prompt encoder: {accuracy:.1%} of the kept-out prompts right", flush=True)
    return editor
