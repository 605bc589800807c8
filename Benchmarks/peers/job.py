"""A work to compare: its model, its inputs, and the two sides as processes."""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from safetensors import SafetensorError
from safetensors.numpy import load_file

from . import BenchmarkError, quality
from .engine import Engine
from .exports import Cache, folder_key, say
from .task import OUTPUTS, Arrays, latent_size

BENCHMARKS = pathlib.Path(__file__).resolve().parents[1]
#: Calibration frames of each work, at most: the large UNet takes minutes for each.
MOST_FRAMES = {"unet": 2, "vae-encoder": 8, "vae-decoder": 8, "nano-frame": 4}


def name_of(texts: Iterable[str]) -> str:
    """A short name for some texts."""
    return sha256("\n".join(texts).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Job:
    """A work with the options of the command line."""

    options: argparse.Namespace
    work: str

    def check(self) -> None:
        """Raises BenchmarkError for a size that the model would have to pad."""
        latent_size(self.model, self.options.width, self.options.height)

    @property
    def is_frame(self) -> bool:
        return self.work == "nano-frame"

    @property
    def model(self) -> pathlib.Path:
        return self.options.model if self.is_frame else self.options.paper

    @property
    def cache(self) -> Cache:
        return Cache(self.options.cache / folder_key(self.model) / f"{self.work}-{self.options.size}")

    def inputs(self) -> pathlib.Path:
        """The file with the inputs that all engines are timed on."""
        prompt = self.options.prompt
        folder = self.cache.inputs(f"inputs-{name_of([prompt])}", lambda: self._make_inputs(None, [prompt]))
        return next(iter(folder.iterdir()))

    def calibration(self) -> pathlib.Path:
        """The folder of the peers' calibration inputs: frames of the clips, and for nano every edit it knows."""
        from movie_training.prompts import CANONICAL

        prompts = list(CANONICAL.values()) if self.is_frame else [self.options.prompt]
        clips = [str(clip.resolve()) for clip in self.options.calibrate]
        return self.cache.inputs(
            f"calibration-{name_of(clips)}", lambda: self._make_inputs(self.options.calibrate, prompts))

    def _make_inputs(self, clips: list[pathlib.Path] | None, prompts: list[str]) -> list[Arrays]:
        """Inputs of the calibration frames, or with None of the test frame."""
        from .frames import calibration_frames, test_frame
        from .networks import make_inputs

        size = self.options.width, self.options.height
        frames = [test_frame(*size)] if clips is None else calibration_frames(clips, *size, MOST_FRAMES[self.work])
        return make_inputs(self.model, self.work, frames, prompts)

    def start_peer(self, name: str, dump: pathlib.Path) -> Engine:
        """A peer's process, loaded; it has written its outputs to `dump`."""
        options = self.options
        command = [sys.executable, "-W", "ignore", "-m", "peers.worker", "--model", self.model, "--work", self.work,
                   "--peer", name, "--size", options.size, "--threads", options.threads, "--cache", self.cache.path,
                   "--input", self.inputs(), "--dump", dump]
        if name.endswith("int8"):
            command += ["--calibration", self.calibration()]
        paths = [str(BENCHMARKS), str(BENCHMARKS.parent / "Training")]
        return Engine(name, list(map(str, command)), {**os.environ, "PYTHONPATH": os.pathsep.join(paths)})

    def reference(self) -> Arrays:
        """What PyTorch computes in float, kept in the cache."""

        def compute(folder: pathlib.Path) -> None:
            self.start_peer("pytorch", folder / "outputs.safetensors").close()

        return load_file(self.cache.get(f"reference-{name_of([self.options.prompt])}", compute) / "outputs.safetensors")

    def our_model(self) -> pathlib.Path:
        """The model folder that our engine loads; quantizes it the first time when no quantized one is given."""
        options = self.options
        if options.precision == "float":
            return self.model
        given = options.model_int8 if self.is_frame else options.paper_int8
        if given:
            return given
        if not options.calibrate:
            name = "--model-int8" if self.is_frame else "--paper-int8"
            raise BenchmarkError(f"our int8 needs a quantized folder: name one by {name}, or a clip by --calibrate")
        return self._quantized(options.cache / folder_key(self.model))

    def _quantized(self, folder: pathlib.Path) -> pathlib.Path:
        out = folder / f"movied-int8-{name_of(str(clip.resolve()) for clip in self.options.calibrate)}"
        if not out.exists():
            say(f"preparing {out}")
            unfinished = out.with_name(f"{out.name}.unfinished")
            run([self.options.movied, "model", "quantize", self.model, unfinished, "--calibrate",
                 *self.options.calibrate])
            unfinished.rename(out)
        return out

    def _our_command(self) -> list[str]:
        prompt = ["--prompt", self.options.prompt] if self.is_frame else []
        command = [self.options.movie_bench, "time", "--model", self.our_model(), "--work", self.work, "--precision",
                   self.options.precision, "--size", self.options.size, "--threads", self.options.threads, *prompt]
        return list(map(str, command))

    def start_ours(self) -> Engine:
        return Engine("movie-bench", self._our_command())

    def our_outputs(self) -> Arrays:
        """What our engine computes from the inputs that the peers get."""
        with tempfile.TemporaryDirectory() as folder:
            dump = pathlib.Path(folder) / "outputs.safetensors"
            run([*self._our_command(), "--input", self.inputs(), "--dump", dump])
            return read_outputs(dump, "movie-bench")

    def likeness(self, outputs: Arrays, reference: Arrays) -> str:
        return quality.describe(outputs, reference, OUTPUTS[self.work])


def run(command: list) -> None:
    """Runs a program of ours to its end. Raises BenchmarkError with what it wrote."""
    try:
        result = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError as error:
        raise BenchmarkError(f"{command[0]} cannot be started ({error}): build it, or name its path") from None
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines() or ["it wrote nothing"]
        raise BenchmarkError(f"{pathlib.Path(command[0]).name} {command[1]} failed: {lines[-1]}")


def read_outputs(path: pathlib.Path, name: str) -> Arrays:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise BenchmarkError(f"{name} wrote no outputs that can be read ({error})") from None
