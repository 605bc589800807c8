"""Generates and reads a pool of pairs of neighbouring frames, for temporal training on a processor.

    python -m movie_training.pair_pool OUT.npy --count 500 --size 160 --seed 3

OUT.npy is a memory-mapped uint8 array [pair, frame, edit, size, size, 3], edit 0 the source; OUT.npy.flow a float16
array [pair, 3, size, size]: the flow from the second frame back to the first (x and y in pixels) and 1 where it can be
trusted. OUT.npy.count tells how many are finished: training can start while the pool grows, and the same command goes
on there.
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np
import torch

from . import motion, sources, stylizers
from .batches import Batch
from .instructions import Instructions, edit_weights
from .pool import BORDER, plane, write_count


def one(seed: int, index: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pair `index`: all edits of two frames, uint8 [2, edit, size, size, 3], and its flow, float16 [3, size, size]."""
    rng = np.random.default_rng([seed, index])
    frame = size + 2 * BORDER
    canvas, other = (torch.from_numpy(sources.sample(rng, *[frame + 2 * motion.MARGIN] * 2)).permute(2, 0, 1)[None]
                     for _ in range(2))
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    *frames, flow = motion.neighbours(canvas, other, generator, frame, frame)
    inner = slice(BORDER, BORDER + size)
    edits = np.empty((2, len(stylizers.LOCAL), size, size, 3), np.uint8)
    for which, picture in enumerate(frames):
        source = np.ascontiguousarray(picture[0].permute(1, 2, 0).numpy())
        for edit, name in enumerate(stylizers.LOCAL):
            edits[which, edit] = stylizers.stylize(name, source)[inner, inner] * 255 + 0.5
    return edits, motion.inside_frame(flow[..., inner, inner])[0].numpy().astype(np.float16)


def files(path: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Where the flow and the count of the pool at `path` are."""
    return path.with_name(path.name + ".flow"), path.with_name(path.name + ".count")


class PairPool:
    """Draws crops of pairs from the finished part of pools. `noise`, 0...1, is the most that a camera's noise deviates.

    Noise is added to the sources only, anew for each frame: what is to be learned does not flicker with it.
    """

    def __init__(self, paths: list[pathlib.Path], settings: dict, device: torch.device | str = "cpu",
                 noise: float = 0.0):
        paths = [pathlib.Path(path) for path in paths]
        for path in paths:
            if not all(file.exists() for file in (path, *files(path))):
                raise FileNotFoundError(f"no pool of pairs at {path}: make it with "
                                        f"python -m movie_training.pair_pool {path}")
        self.frames = [np.load(path, mmap_mode="r") for path in paths]
        self.flows = [np.load(files(path)[0], mmap_mode="r") for path in paths]
        self.counters = [files(path)[1] for path in paths]
        self.instructions, self.device, self.noise = Instructions(edit_weights(settings)), device, noise

    def draw(self, rng: np.random.Generator, size: int, crop: int) -> Batch:
        """The first frames alone, as `batches.Triplets` has them."""
        return self.draw_pairs(rng, size, crop)[0]

    def draw_pairs(self, rng: np.random.Generator, size: int, crop: int) -> tuple[Batch, Batch, torch.Tensor]:
        """First frames, second ones with the same edits and prompts, and the flow [size, 3, crop, crop] back."""
        side = min(frames.shape[3] for frames in self.frames)
        if crop > side:
            raise ValueError(f"the crop is {crop} pixels; the pool's pairs have {side}: make a pool with --size {crop}")
        edits, prompts = self.instructions.draw(rng, size)
        chosen = [self._one(rng, plane(edit), crop) for edit in edits]
        pictures, flow = (torch.from_numpy(np.stack(part)) for part in zip(*chosen))
        pictures = pictures.to(self.device).permute(1, 2, 0, 5, 3, 4)  # frame, source or edited, batch, ...
        pictures = pictures.float().contiguous() / 127.5 - 1
        pictures[:, 0] = noisy(pictures[:, 0], rng, self.noise)
        first, second = (Batch(source, edited, prompts, edits) for source, edited in pictures)
        return first, second, motion.inside_frame(flow.to(self.device).float())

    def _one(self, rng: np.random.Generator, edit: int, crop: int) -> tuple[np.ndarray, np.ndarray]:
        """uint8 [frame, source or edited, crop, crop, 3] and flow [3, crop, crop]."""
        which = rng.integers(len(self.frames))
        index = rng.integers(int(self.counters[which].read_text()))
        frames, flow = self.frames[which][index], self.flows[which][index]
        top, left = rng.integers(0, frames.shape[2] - crop + 1, 2)
        window = (slice(top, top + crop), slice(left, left + crop))
        pictures, flow = frames[:, [0, edit]][:, :, *window], flow[:, *window]
        if rng.random() < 0.5:
            pictures, flow = pictures[..., ::-1, :], flow[..., ::-1] * np.float16([-1, 1, 1])[:, None, None]
        return np.ascontiguousarray(pictures), np.ascontiguousarray(flow)


def noisy(sources: torch.Tensor, rng: np.random.Generator, most: float) -> torch.Tensor:
    """Frames [frame, batch, 3, height, width] in -1...1 with noise of up to `most` of the range for each sample."""
    if most <= 0:
        return sources
    generator = torch.Generator(sources.device).manual_seed(int(rng.integers(2**62)))
    deviation = 2 * most * torch.rand(1, sources.shape[1], 1, 1, 1, generator=generator, device=sources.device)
    noise = torch.randn(sources.shape, generator=generator, device=sources.device)
    return (sources + deviation * noise).clamp(-1, 1)


def open_pool(path: pathlib.Path, count: int, size: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Frames, flow and the number of finished pairs of a new pool, or of one begun before in the same shape."""
    shape = (count, 2, len(stylizers.LOCAL), size, size, 3)
    flow_path, counter = files(path)
    done = int(counter.read_text()) if counter.exists() else 0
    mode = "r+" if done else "w+"
    frames = np.lib.format.open_memmap(path, mode, np.uint8, None if done else shape)
    flows = np.lib.format.open_memmap(flow_path, mode, np.float16, None if done else (count, 3, size, size))
    if frames.shape != shape:
        raise ValueError(f"{path} is a pool of {frames.shape[0]} pairs at {frames.shape[3]} pixels, not of {count} at "
                         f"{size}: give its own --count and --size to go on, or another name")
    return frames, flows, done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    frames, flows, done = open_pool(options.output, options.count, options.size)
    for index in range(done, options.count):
        frames[index], flows[index] = one(options.seed, index, options.size)
        if index % 10 == 9 or index == options.count - 1:
            write_count(files(options.output)[1], index + 1)
            print(f"\r{index + 1} of {options.count} pairs", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
