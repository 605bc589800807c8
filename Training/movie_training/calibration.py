"""Writes a video of source pictures, for `movied model quantize --calibrate`.

    PYTHONPATH=Training python -m movie_training.calibration OUT.mkv [--frames 12] [--seed 7]

The pictures are those of training, made on the spot; the kept-out photographs are not among them. ffmpeg must be
installed; the video is lossless (FFV1).
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import numpy as np

from . import sources

WIDTH, HEIGHT = 512, 384


def pictures(frames: int, seed: int) -> np.ndarray:
    """Pictures, uint8 [frames, HEIGHT, WIDTH, 3]: black, white and grey first, then training's sources."""
    rng = np.random.default_rng(seed)
    plain = [np.full((HEIGHT, WIDTH, 3), value, np.float32) for value in (0.0, 1.0)]
    made = plain + [sources.sample(rng, HEIGHT, WIDTH) for _ in range(frames - len(plain))]
    return np.stack([np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8) for picture in made])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("output", help="the video to write, .mkv")
    parser.add_argument("--frames", type=int, default=12, help="pictures, 3 to 1000")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if not 3 <= options.frames <= 1000:
        sys.exit(f"--frames is {options.frames}; it must be from 3 to 1000")
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}",
               "-r", "1", "-i", "-", "-c:v", "ffv1", "-pix_fmt", "gbrp", options.output]
    subprocess.run(command, input=pictures(options.frames, options.seed).tobytes(), check=True)


if __name__ == "__main__":
    main()
