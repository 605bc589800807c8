"""Exported networks in a cache: each is made once, in a folder of its own that gets its name when it is whole."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import pathlib
import shutil
import sys
import time
from collections.abc import Callable

import numpy as np
from safetensors.numpy import save_file

VERSION = 1  # to be raised when the code that exports changes what it writes


@functools.cache
def folder_key(folder: pathlib.Path) -> str:
    """A name for what a model folder holds; a copy has the same."""
    digest = hashlib.sha256(str(VERSION).encode())
    for path in sorted([*folder.rglob("*.json"), *folder.rglob("*.safetensors")]):
        with path.open("rb") as file:
            digest.update(f"{path.relative_to(folder)} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return f"{folder.resolve().name}-{digest.hexdigest()[:12]}"


def version_of(*packages: str) -> str:
    return "-".join(importlib.metadata.version(package) for package in packages)


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


class Cache:
    """The exports of one work of one model folder at one size, in a folder of their own."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def get(self, name: str, make: Callable[[pathlib.Path], None]) -> pathlib.Path:
        """The folder `name`, filled by `make` the first time."""
        folder = self.path / name
        if not folder.exists():
            say(f"preparing {folder}")
            start, unfinished = time.monotonic(), folder.with_name(f"{name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
            say(f"prepared {folder.name} in {time.monotonic() - start:.0f} s")
        return folder

    def inputs(self, name: str, make: Callable[[], list[dict[str, np.ndarray]]]) -> pathlib.Path:
        """The folder `name` with a list of a network's inputs, one a file, made the first time."""

        def write(folder: pathlib.Path) -> None:
            for index, arrays in enumerate(make()):
                save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()},
                          folder / f"{index:04}.safetensors")

        return self.get(name, write)
