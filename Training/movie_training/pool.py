"""Generates a pool of (source, every edit) pictures that training draws crops from.

    python -m movie_training.pool OUT.npy --count 4000 --size 192 --seed 1

The pool is a memory-mapped uint8 array [picture, edit, height, width, 3], edits in the order of stylizers.LOCAL;
OUT.npy.count tells how many are finished, so that training can start while the pool still grows.
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np

from . import sources, stylizers

#: Pictures are made larger by this border, which is cut off, so that no stylizer sees the picture's edge.
BORDER = 16


def one(seed: int, index: int, size: int) -> np.ndarray:
    """All edits of picture `index`, uint8 [edit, size, size, 3]; the same for the same seed and index."""
    rng = np.random.default_rng([seed, index])
    source = sources.sample(rng, size + 2 * BORDER, size + 2 * BORDER)
    inner = slice(BORDER, BORDER + size)
    edits = [stylizers.stylize(name, source)[inner, inner] for name in stylizers.LOCAL]
    return (np.stack(edits) * 255 + 0.5).astype(np.uint8)


def plane(edit: str) -> int:
    """Where a pool has an edit; edits of whole pictures are made of the source when they are drawn (whole.py)."""
    return stylizers.LOCAL.index(edit if edit in stylizers.LOCAL else "identity")


def write_count(counter: pathlib.Path, count: int) -> None:
    """Tells how many samples are finished; training may read it at any moment."""
    new = counter.with_name(counter.name + ".new")
    new.write_text(str(count))
    new.replace(counter)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    shape = (options.count, len(stylizers.LOCAL), options.size, options.size, 3)
    pool = np.lib.format.open_memmap(options.output, "w+", np.uint8, shape)
    counter = options.output.with_suffix(".npy.count")
    for index in range(options.count):
        pool[index] = one(options.seed, index, options.size)
        if index % 50 == 49 or index == options.count - 1:
            write_count(counter, index + 1)
            print(f"\r{index + 1} of {options.count} pictures", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
