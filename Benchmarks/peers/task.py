"""What a peer is asked to do, and what a peer is."""

from __future__ import annotations

import pathlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file

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
    """A work of a model folder on given inputs; calibration inputs are files of a folder."""

    folder: pathlib.Path
    work: str
    width: int
    height: int
    inputs: pathlib.Path
    calibration_folder: pathlib.Path

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
        return [load_file(path) for path in sorted(self.calibration_folder.iterdir())]

    def dynamic(self) -> Arrays:
        return {name: array for name, array in self.example().items() if name in DYNAMIC}

    def static(self) -> Arrays:
        return {name: array for name, array in self.example().items() if name not in DYNAMIC}


class Peer(ABC):
    """An engine in a configuration."""

    @abstractmethod
    def prepare(self, task: Task, cache: Cache) -> pathlib.Path:
        """Where the exported network is; exports it the first time."""

    @abstractmethod
    def load(self, export: pathlib.Path, task: Task, threads: int) -> Callable[[], Arrays]:
        """Loads it for `threads` threads. The function returned computes the outputs once."""
