#!/usr/bin/env python3
"""Writes clips with every frame edited by the classical stylizers, lossless, for `movie-bench propagate`.

    Benchmarks/stylize_clips.py OUT CLIP... [--edits pencil ink ...] [--frames 60] [--size 512x384] [--pan 40]

For CLIP NAME.EXT it writes OUT/NAME.mkv, the frames as they are, and OUT/NAME-EDIT.mkv for every edit. With --pan PIXELS a
moving camera is made of the clip: a window of 3/4 of the picture sways by so many pixels, turns and zooms. A picture
(.jpg, .png) stands for a clip of it, which makes sense with --pan and gets noise of a camera. Needs what
Training/requirements.txt lists, and ffmpeg.
"""

import argparse
import pathlib
import subprocess
import sys

import cv2
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Training"))
from movie_training import stylizers  # noqa: E402

EDITS = ["pencil", "ink", "van_gogh", "sepia", "noir", "neon"]


def frames_of(path, count):
    """Up to `count` RGB frames of a video, or a picture so often."""
    if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
        picture = cv2.imread(str(path))
        if picture is None:
            raise SystemExit(f"{path} is no picture that OpenCV reads")
        return [picture[..., ::-1]] * count
    capture, frames = cv2.VideoCapture(str(path)), []
    while len(frames) < count:
        good, frame = capture.read()
        if not good:
            break
        frames.append(frame[..., ::-1])
    if not frames:
        raise SystemExit(f"{path} is no video that OpenCV reads")
    return frames


def panned(frames, size, pixels):
    """What a hand-held camera would see: sways of `pixels` pixels, 2 degrees and an eighth of the zoom."""
    width, height = size
    noise = np.random.default_rng(0)
    for index, frame in enumerate(frames):
        rows, columns = frame.shape[:2]
        phase = 2 * np.pi * index / 50
        scale = 0.75 * min(columns / width, rows / height) * (1 + 0.12 * np.sin(phase))
        angle = np.deg2rad(2 * np.sin(2 * np.pi * index / 37))
        matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        centre = np.array([columns / 2 + pixels * np.sin(phase), rows / 2 + pixels / 2 * np.sin(phase / 0.7)])
        offset = centre - matrix @ np.array([width / 2, height / 2])
        seen = cv2.warpAffine(
            np.ascontiguousarray(frame), np.column_stack([matrix, offset]).astype(np.float32), size,
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT)
        if all(other is frames[0] for other in frames):
            seen = np.clip(seen + noise.normal(0, 1.5, seen.shape), 0, 255).round().astype(np.uint8)
        yield seen


def write(path, frames, size):
    """FFV1 in Matroska: every byte comes back."""
    command = [
        "ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}",
        "-r", "30", "-i", "-", "-c:v", "ffv1", "-pix_fmt", "bgr0", str(path),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        for frame in frames:
            process.stdin.write(np.ascontiguousarray(frame).tobytes())
        process.stdin.close()
    if process.returncode:
        raise SystemExit(f"ffmpeg could not write {path}")


def stylized(edit, frame):
    return np.rint(stylizers.stylize(edit, frame.astype(np.float32) / 255) * 255).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("clips", type=pathlib.Path, nargs="+")
    parser.add_argument("--edits", nargs="+", default=EDITS, choices=stylizers.NAMES)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", default="512x384")
    parser.add_argument("--pan", type=float)
    options = parser.parse_args()
    size = tuple(int(side) for side in options.size.split("x"))
    options.out.mkdir(parents=True, exist_ok=True)
    for clip in options.clips:
        frames = frames_of(clip, options.frames)
        if options.pan is not None:
            frames = list(panned(frames, size, options.pan))
        else:
            frames = [cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in frames]
        name = clip.stem + ("-pan" if options.pan is not None else "")
        write(options.out / f"{name}.mkv", frames, size)
        for edit in options.edits:
            write(options.out / f"{name}-{edit}.mkv", (stylized(edit, frame) for frame in frames), size)
        print(f"{name}: {len(frames)} frames, {', '.join(options.edits)}", flush=True)


if __name__ == "__main__":
    main()
