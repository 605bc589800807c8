"""Times movied's engine and other engines in turns, on the same weights, inputs and number of threads.

    python Benchmarks/compare_peers.py --paper DIR --calibrate CLIP [--json FILE]

Works: unet, vae-encoder and vae-decoder of the model given by --paper (Benchmarks/make_models.py makes one), and
nano-frame, a whole frame of the bundled model. Exported networks are kept in the cache, for quantizing the large UNet
takes minutes. Benchmarks/README.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Training"))

from peers import BenchmarkError  # noqa: E402
from peers.engine import Engine, Timing, time_in_turns  # noqa: E402
from peers.job import Job, read_outputs  # noqa: E402
from peers.task import OUTPUTS, Arrays  # noqa: E402
from peers.worker import PEERS  # noqa: E402


def cache_folder() -> pathlib.Path:
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "movied" / "peers"


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    built, path = ROOT / ".build" / "release", pathlib.Path
    parser.add_argument("--work", action="append", choices=list(OUTPUTS), help="may be repeated; default: all")
    parser.add_argument("--peer", action="append", choices=list(PEERS), help="may be repeated; default: all")
    parser.add_argument("--json", type=path, help="write the rows here")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", default="512x384", help="WIDTHxHEIGHT")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each engine")
    parser.add_argument("--turn", type=float, default=0.7, metavar="SECONDS", help="about how long a turn is")
    parser.add_argument("--prompt", default="make it a pencil drawing")
    parser.add_argument("--model", type=path, default=ROOT / "Models" / "nano-float16",
                        help="the model of nano-frame, in float")
    parser.add_argument("--model-int8", type=path, default=ROOT / "Models" / "nano", help="the same, quantized by movied")
    parser.add_argument("--paper", type=path, help="the model of the other works")
    parser.add_argument("--paper-int8", type=path, help="the same, quantized by movied")
    parser.add_argument("--calibrate", action="append", default=[], type=path, metavar="CLIP",
                        help="a clip for quantizing, ours and the peers'; may be repeated")
    parser.add_argument("--precision", choices=("int8", "float"), default="int8", help="ours")
    parser.add_argument("--without-ours", action="store_true", help="time the peers alone")
    parser.add_argument("--movied", type=path, default=built / "movied")
    parser.add_argument("--movie-bench", type=path, default=built / "movie-bench")
    parser.add_argument("--cache", type=path, default=cache_folder())
    return parser


def check(options: argparse.Namespace) -> None:
    """Fills in what the options leave open. Raises BenchmarkError for what cannot work."""
    parts = options.size.split("x")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise BenchmarkError(f"the size is {options.size!r}; it must be WIDTHxHEIGHT, for example 512x384")
    options.width, options.height = map(int, parts)
    options.work, options.peer = options.work or list(OUTPUTS), options.peer or list(PEERS)
    for name in ("threads", "rounds", "turn"):
        if not getattr(options, name) > 0:
            raise BenchmarkError(f"--{name} is {getattr(options, name)}; it must be more than 0")
    if options.paper is None and set(options.work) != {"nano-frame"}:
        raise BenchmarkError(
            "--paper is missing: make a model with Benchmarks/make_models.py, or choose --work nano-frame")
    for folder in filter(None, (options.model, options.paper, options.model_int8, options.paper_int8)):
        if not (folder / "unet" / "config.json").is_file():
            raise BenchmarkError(f"{folder} is no model folder: it has no unet/config.json")
    for clip in options.calibrate:
        if not clip.is_file():
            raise BenchmarkError(f"the clip {clip} does not exist: --calibrate takes the path of a video")


def describe(timing: Timing) -> str:
    """The figures of a row, and how far the rounds' ratios reach."""
    text = f"peer {timing.peer_ms:8.1f} ms"
    if timing.ours_ms is not None:
        low, high = min(timing.round_ratios), max(timing.round_ratios)
        text = f"ours {timing.ours_ms:8.1f} ms  {text}  ratio {timing.ratio:.3f} (rounds {low:.3f} to {high:.3f})"
    return f"{text}  others {100 * timing.others_share:.0f} %"


def make_row(job: Job, peer: str, timing: Timing) -> dict:
    ours, ratio = timing.ours_ms, timing.ratio
    return {"work": job.work, "peer": peer, "ours_ms": ours and round(ours, 3), "peer_ms": round(timing.peer_ms, 3),
            "ratio": ratio and round(ratio, 4)}


def compare_peer(job: Job, name: str, ours: Engine | None, reference: Arrays) -> dict:
    """Times one peer, prints its line and returns its row."""
    with tempfile.TemporaryDirectory() as folder:
        dump = pathlib.Path(folder) / "outputs.safetensors"
        with job.start_peer(name, dump) as peer:
            timing = time_in_turns(ours, peer, job.options.rounds, job.options.turn)
            likeness = job.likeness(read_outputs(dump, name), reference)
            print(f"{job.work:12} {name:15} {describe(timing)}  {likeness}  loaded in {peer.load_ms:.0f} ms, "
                  f"{peer.memory_mib:.0f} MiB", flush=True)
    return make_row(job, name, timing)


def compare_work(job: Job) -> list[dict]:
    """The rows of one work."""
    reference = job.reference()
    if job.options.without_ours:
        return [compare_peer(job, name, None, reference) for name in job.options.peer]
    likeness = job.likeness(job.our_outputs(), reference)
    with job.start_ours() as ours:
        print(f"{job.work:12} ours            {likeness}  loaded in {ours.load_ms:.0f} ms, {ours.memory_mib:.0f} MiB",
              flush=True)
        return [compare_peer(job, name, ours, reference) for name in job.options.peer]


def main(arguments: list[str] | None = None) -> None:
    options = make_parser().parse_args(arguments)
    try:
        check(options)
        jobs = [Job(options, work) for work in options.work]
        for job in jobs:
            job.check()
        rows = [row for job in jobs for row in compare_work(job)]
        if options.json:
            options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    except (BenchmarkError, OSError) as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
