"""What a peer is asked to do, and what a peer is."""

from __future__ import annotations

import json
import pathlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file

from . import BenchmarkError
from .exports import Cache

if TYPE_CHECKING:
    from .networks import Network

Arrays = dict[str, np.ndarray]
#: The inputs that change with every frame; all others are static.
DYNAMIC = ("sample", "pixels")
#: The works, and what their output is called.
OUTPUTS = {"unet": "sample", "vae-encoder": "latents", "vae-decoder": "sample", "nano-frame": "pixels"}


@dataclass(frozen=True)
class Task:
    """A work of a model folder on given inputs; calibration inputs are files of a folder, for peers that quantize."""

    folder: pathlib.Path
    work: str
    width: int
    height: int
    inputs: pathlib.Path
    calibration_folder: pathlib.Path | None

    @property
    def output(self) -> str:
        return OUTPUTS[self.work]

    @property
    def has_attention(self) -> bool:
        return self.work in ("unet", "nano-frame")

    def network(self) -> Network:
        """The network in PyTorch, which is imported only when an export or PyTorch itself needs it."""
        from .networks import load_network

        return load_network(self.folder, self.work, self.width, self.height)

    def example(self) -> Arrays:
        return load_file(self.inputs)

    def calibration(self) -> list[Arrays]:
        if self.calibration_folder is None:
            raise BenchmarkError("--calibration is missing: it names the folder of calibration inputs")
        return [load_file(path) for path in sorted(self.calibration_folder.iterdir())]

    def dynamic(self) -> Arrays:
        return {name: array for name, array in self.example().items() if name in DYNAMIC}

    def static(self) -> Arrays:
        return {name: array for name, array in self.example().items() if name not in DYNAMIC}


def read_json(path: pathlib.Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise BenchmarkError(
            f"{path} cannot be read as JSON ({error}): name a model folder in diffusers layout") from None


def latent_size(folder: pathlib.Path, width: int, height: int) -> tuple[int, int]:
    """Height and width of the latents of a frame. Raises for a size the model would have to pad."""
    config = read_json(folder / "vae" / "config.json")
    levels = config.get("encoder_block_out_channels", [64, 64, 64, 64])
    factor = config.get("patch_size", 1) * 2 ** (len(levels) - 1)
    if width % factor or height % factor:
        raise BenchmarkError(f"the size is {width}x{height}; both must be multiples of {factor} for {folder}")
    return height // factor, width // factor


class Peer(ABC):
    """An engine in a configuration."""

    @abstractmethod
    def prepare(self, task: Task, cache: Cache) -> pathlib.Path:
        """The folder of the exported network; exports it the first time."""

    @abstractmethod
    def load(self, task: Task, cache: Cache, threads: int) -> Callable[[], Arrays]:
        """Loads what `prepare` made, for `threads` threads. The function returned computes the outputs once."""
