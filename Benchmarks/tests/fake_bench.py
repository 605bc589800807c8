"""A stand-in for movie-bench: speaks the protocol of `time`, and computes its outputs with PyTorch.

`--fault` makes it break the protocol: silent, garbage, short or late (it dies in its turn).
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import time


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["time"])
    for name in ("model", "work", "precision", "size", "threads", "prompt", "input", "dump", "log", "fault"):
        parser.add_argument(f"--{name}")
    return parser.parse_args()


def write_outputs(options: argparse.Namespace) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    from peers.networks import load_network

    width, height = map(int, options.size.split("x"))
    network = load_network(pathlib.Path(options.model), options.work, width, height)
    inputs = load_file(options.input)
    with torch.inference_mode():
        output = network.module(*(inputs[name] for name in network.names))
    save_file({network.output: output.contiguous()}, options.dump)


def answer(options: argparse.Namespace, count: int) -> None:
    if options.fault == "late":
        sys.exit(3)
    if options.log:
        with open(options.log, "a", encoding="utf-8") as file:
            file.write(f"{options.work} {count} {time.monotonic_ns()}\n")
    print(json.dumps([2.0] * (count - (options.fault == "short"))), flush=True)


def main() -> None:
    options = parse()
    if options.dump:
        write_outputs(options)
        return
    if options.fault == "silent":
        sys.exit(2)
    print("hello" if options.fault == "garbage" else json.dumps({"ready": True, "load_ms": 1.5, "memory_mib": 20}),
          flush=True)
    for line in sys.stdin:
        answer(options, int(line))


if __name__ == "__main__":
    main()
