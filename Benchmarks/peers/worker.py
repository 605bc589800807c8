"""A peer as a process that speaks the protocol of `movie-bench time`.

When it is loaded it prints {"ready": true, "load_ms": X, "memory_mib": Y}; then, for every line with a whole number N,
a JSON array of the milliseconds of N runs; it ends at the end of its input. Everything else goes to the standard error.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import pathlib
import sys
import time
from collections.abc import Callable
from typing import TextIO

import numpy as np
from safetensors.numpy import save_file

from . import BenchmarkError
from .exports import Cache
from .task import OUTPUTS, Arrays, Peer, Task

PEERS: dict[str, tuple[str, str, tuple]] = {
    "openvino-int8": ("openvino_peer", "OpenVINOPeer", (True, "bf16")),
    "openvino-bf16": ("openvino_peer", "OpenVINOPeer", (False, "bf16")),
    "openvino-float": ("openvino_peer", "OpenVINOPeer", (False, "f32")),
    "onnxruntime": ("onnxruntime_peer", "OnnxRuntimePeer", ()),
    "pytorch": ("pytorch_peer", "PyTorchPeer", ()),
}


def make_peer(name: str) -> Peer:
    """The peer of a name. Raises BenchmarkError when its packages are missing."""
    module, kind, arguments = PEERS[name]
    try:
        return getattr(importlib.import_module(f".{module}", __package__), kind)(*arguments)
    except ImportError as error:
        raise BenchmarkError(
            f"{name} needs a package that is missing ({error}): install Benchmarks/requirements.txt") from None


def take_stdout() -> TextIO:
    """The standard output for the protocol alone: whatever libraries print goes to the standard error from now on."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def resident_mib() -> float:
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def run_times(run: Callable[[], Arrays], count: int) -> list[float]:
    times = []
    for _ in range(count):
        start = time.perf_counter_ns()
        run()
        times.append((time.perf_counter_ns() - start) / 1e6)
    return times


def serve(run: Callable[[], Arrays], requests: TextIO, answers: TextIO) -> None:
    for line in requests:
        print(json.dumps(run_times(run, int(line))), file=answers, flush=True)


def dump(run: Callable[[], Arrays], path: pathlib.Path) -> None:
    save_file({name: np.ascontiguousarray(array, array.dtype) for name, array in run().items()}, path)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--work", choices=OUTPUTS, required=True)
    parser.add_argument("--peer", choices=PEERS, required=True)
    parser.add_argument("--size", required=True, help="WIDTHxHEIGHT")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="the folder of this work's exports")
    parser.add_argument("--input", type=pathlib.Path, required=True, help="safetensors with the inputs")
    parser.add_argument("--calibration", type=pathlib.Path, help="a folder of such files, for quantizing")
    parser.add_argument("--dump", type=pathlib.Path, help="run once before the timing and write the outputs here")
    return parser.parse_args(arguments)


def work(options: argparse.Namespace, answers: TextIO) -> None:
    width, height = map(int, options.size.split("x"))
    task = Task(options.model, options.work, width, height, options.input, options.calibration)
    peer = make_peer(options.peer)
    cache = Cache(options.cache)
    peer.prepare(task, cache)
    start = time.monotonic()
    run = peer.load(task, cache, options.threads)
    load_ms = (time.monotonic() - start) * 1000
    if options.dump:
        dump(run, options.dump)
    print(json.dumps({"ready": True, "load_ms": load_ms, "memory_mib": resident_mib()}), file=answers, flush=True)
    serve(run, sys.stdin, answers)


def main() -> None:
    answers = take_stdout()
    logging.disable(logging.WARNING)
    try:
        work(parse(), answers)
    except BenchmarkError as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
