"""PyTorch itself, float, eager, channels last: the slowest peer, and the reference of all outputs."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import torch

from .exports import Cache
from .task import Arrays, Peer, Task


class PyTorchPeer(Peer):
    def prepare(self, task: Task, cache: Cache) -> pathlib.Path:
        return cache.path

    def load(self, task: Task, cache: Cache, threads: int) -> Callable[[], Arrays]:
        torch.set_num_threads(threads)
        network, example = task.network(), task.example()
        module = network.module.to(memory_format=torch.channels_last)
        arguments = [torch.from_numpy(example[name]) for name in network.names]

        def run() -> Arrays:
            with torch.inference_mode():
                return {network.output: module(*arguments).numpy()}

        return run
