"""Files of a training run: the weights a stage ends with, and the state from which an unfinished one goes on.

WORK/STAGE/weights.safetensors     the moving average in float16, once the stage is finished
WORK/STAGE/state/part-NN           what resuming needs, in parts of at most 12 MB
"""

from __future__ import annotations

import io
import pathlib
import shutil

import torch
from safetensors.torch import load_file, save_file
from torch import nn

PART_BYTES = 12_000_000


def half(module: nn.Module) -> dict[str, torch.Tensor]:
    """The tensors of a module in float16. Raises ValueError where one does not fit."""
    tensors = {name: tensor.detach().cpu().contiguous().half() for name, tensor in module.state_dict().items()
               if tensor.is_floating_point()}
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} has values outside float16")
    return tensors


def save_weights(folder: pathlib.Path, module: nn.Module) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(half(module), folder / "weights.new")
    (folder / "weights.new").replace(folder / "weights.safetensors")
    shutil.rmtree(folder / "state", ignore_errors=True)


def load_weights(folder: pathlib.Path, module: nn.Module) -> None:
    """Raises FileNotFoundError where the stage is not finished."""
    path = folder / "weights.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: train the stage '{folder.name}' first")
    module.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()}, strict=False)


def is_finished(folder: pathlib.Path) -> bool:
    return (folder / "weights.safetensors").exists()


def save_state(folder: pathlib.Path, state: dict) -> None:
    """Writes the state beside the last one and then takes its place, so that a stop at any moment loses nothing."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content, new = buffer.getbuffer(), folder / "state.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for index in range(0, len(content), PART_BYTES):
        (new / f"part-{index // PART_BYTES:02}").write_bytes(content[index : index + PART_BYTES])
    shutil.rmtree(folder / "state.old", ignore_errors=True)
    if (folder / "state").exists():
        (folder / "state").rename(folder / "state.old")
    new.rename(folder / "state")
    shutil.rmtree(folder / "state.old", ignore_errors=True)


def load_state(folder: pathlib.Path) -> dict | None:
    """The state of an unfinished stage; None where there is none."""
    for name in ("state", "state.old"):
        if (folder / name).exists():
            content = b"".join(path.read_bytes() for path in sorted((folder / name).iterdir()))
            return torch.load(io.BytesIO(content), weights_only=False, map_location="cpu")
    return None
