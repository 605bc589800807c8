"""Data sets on disk: a folder of (source, edited, prompt), and InstructPix2Pix as it is published."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator

import cv2
import numpy as np
import torch

from .batches import Batch

#: Pictures are scaled so that their short side is up to this many times the crop.
LARGEST_SCALE = 1.125
#: The sides of an edited picture may differ from its source's by this share of their ratio.
RATIO_TOLERANCE = 0.02


def decode(data: bytes, name: str) -> np.ndarray:
    """The RGB picture in a file's bytes, uint8 [height, width, 3]. Raises ValueError naming it where it is none."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if picture is None:
        raise ValueError(f"cannot read the picture {name} ({len(data)} bytes): "
                         "write it as JPEG, PNG or WebP, or leave it out")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def read_picture(path: pathlib.Path) -> np.ndarray:
    if not path.is_file():
        raise FileNotFoundError(f"no picture at {path}: check the path, or leave its line out")
    return decode(path.read_bytes(), str(path))


def read_json(path: pathlib.Path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read {path} as JSON ({error}): fetch it again") from error


def cut_alike(rng: np.random.Generator, pair: list[np.ndarray], crop: int) -> list[np.ndarray]:
    """The same random window of two pictures of the same proportions, scaled alike and mirrored together."""
    rows, columns = pair[0].shape[:2]
    other_rows, other_columns = pair[1].shape[:2]
    if abs(rows * other_columns / (columns * other_rows) - 1) > RATIO_TOLERANCE:
        raise ValueError(f"a source of {columns} x {rows} has an edited picture of {other_columns} x {other_rows}: "
                         "both need the same proportions")
    scale = crop / min(rows, columns) * rng.uniform(1, LARGEST_SCALE)
    height, width = (max(crop, round(side * scale)) for side in (rows, columns))
    top, left = rng.integers(0, height - crop + 1), rng.integers(0, width - crop + 1)
    step = -1 if rng.random() < 0.5 else 1
    return [resize(picture, height, width)[top : top + crop, left : left + crop][:, ::step] for picture in pair]


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    method = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, height), interpolation=method)


class Pictures:
    """Draws batches from what a subclass picks: `pick(rng)` gives a name, two RGB pictures and a prompt."""

    def __init__(self, device: torch.device | str):
        self.device = device

    def pick(self, rng: np.random.Generator) -> tuple[str, list[np.ndarray], str]:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, size: int, crop: int) -> Batch:
        """`size` triplets of crop x crop pixels. Raises ValueError or FileNotFoundError naming an unusable picture."""
        pairs, prompts = [], []
        for _ in range(size):
            name, pair, prompt = self.pick(rng)
            try:
                pairs.append(np.stack(cut_alike(rng, pair, crop)))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
            prompts.append(prompt)
        pixels = torch.from_numpy(np.stack(pairs)).to(self.device).permute(1, 0, 4, 2, 3)
        pixels = pixels.float().contiguous() / 127.5 - 1
        return Batch(pixels[0], pixels[1], prompts, [""] * size)


class Mixed(Pictures):
    """Several data sets as one, each drawn from as often as it is large."""

    def __init__(self, sets: list[Pictures]):
        super().__init__(sets[0].device)
        self.sets, self.share = sets, np.array([len(part) for part in sets]) / sum(len(part) for part in sets)

    def pick(self, rng: np.random.Generator) -> tuple[str, list[np.ndarray], str]:
        return self.sets[rng.choice(len(self.sets), p=self.share)].pick(rng)

    def __len__(self) -> int:
        return sum(len(part) for part in self.sets)


class TripletFolder(Pictures):
    """A folder with triplets.jsonl: on each line `source` and `edited` (paths in the folder) and `prompt`."""

    FIELDS = ("source", "edited", "prompt")

    def __init__(self, path: pathlib.Path | str, device: torch.device | str = "cpu"):
        super().__init__(device)
        self.path = existing_folder(path)
        listing = self.path / "triplets.jsonl"
        if not listing.is_file():
            raise FileNotFoundError(f"no triplets.jsonl in {self.path}: write a line for each triplet, as "
                                    '{"source": "a.png", "edited": "b.png", "prompt": "make it night"}')
        self.triplets = list(self._lines(listing))
        if not self.triplets:
            raise ValueError(f"{listing} has no triplets: write at least one line")

    def _lines(self, listing: pathlib.Path) -> Iterator[dict[str, str]]:
        for number, line in enumerate(listing.read_text().splitlines(), 1):
            if not line.strip():
                continue
            try:
                triplet = json.loads(line)
            except ValueError:
                triplet = None
            if not isinstance(triplet, dict) or not all(isinstance(triplet.get(field), str) for field in self.FIELDS):
                raise ValueError(f"line {number} of {listing} is {line[:80]!r}: it must be a JSON object with "
                                 "the texts source, edited and prompt")
            yield triplet

    def __len__(self) -> int:
        return len(self.triplets)

    def pick(self, rng: np.random.Generator) -> tuple[str, list[np.ndarray], str]:
        triplet = self.triplets[rng.integers(len(self.triplets))]
        pair = [read_picture(self.path / triplet[field]) for field in ("source", "edited")]
        return str(self.path / triplet["edited"]), pair, triplet["prompt"]


class InstructPix2Pix(Pictures):
    """The data set's own layout: seeds.json lists folders and their seeds.

    A folder has prompt.json and, for each seed, SEED_0.jpg (the source) and SEED_1.jpg (the edited picture). Its
    metadata.jsonl (the CLIP similarities that the data set was filtered by) is not needed.
    """

    def __init__(self, path: pathlib.Path | str, device: torch.device | str = "cpu"):
        super().__init__(device)
        self.path = existing_folder(path)
        listing = self.path / "seeds.json"
        if not listing.is_file():
            raise FileNotFoundError(f"neither seeds.json nor .parquet files in {self.path}: name the folder that holds "
                                    "the InstructPix2Pix data set")
        folders = read_json(listing)
        try:
            self.pairs = [(str(name), str(seed)) for name, seeds in folders for seed in seeds]
        except (TypeError, ValueError) as error:
            raise ValueError(f"{listing} must be a list of [folder, [seed, ...]]: fetch it again") from error
        if not self.pairs:
            raise ValueError(f"{listing} lists no pictures: fetch the data set again")

    def __len__(self) -> int:
        return len(self.pairs)

    def pick(self, rng: np.random.Generator) -> tuple[str, list[np.ndarray], str]:
        name, seed = self.pairs[rng.integers(len(self.pairs))]
        folder = self.path / name
        prompt = read_json(folder / "prompt.json")
        if not isinstance(prompt, dict) or not isinstance(prompt.get("edit"), str):
            raise ValueError(f"{folder / 'prompt.json'} has no text `edit`: fetch it again")
        pair = [read_picture(folder / f"{seed}_{index}.jpg") for index in (0, 1)]
        return str(folder / f"{seed}_1.jpg"), pair, prompt["edit"]


class InstructPix2PixParquet(Pictures):
    """The data set as .parquet files with the columns original_image, edit_prompt and edited_image. Needs pyarrow.

    A group of rows is read at a time, in random order, and each of its rows is used once.
    """

    COLUMNS = ["original_image", "edit_prompt", "edited_image"]

    def __init__(self, path: pathlib.Path | str, device: torch.device | str = "cpu"):
        super().__init__(device)
        try:
            from pyarrow import parquet
        except ImportError as error:
            raise ImportError(f"{path} holds .parquet files: install pyarrow to read them") from error
        paths = parquet_files(existing_folder(path))
        self.tables = [parquet.ParquetFile(file) for file in paths]
        for file, table in zip(paths, self.tables):
            missing = [column for column in self.COLUMNS if column not in table.schema_arrow.names]
            if missing:
                raise ValueError(f"{file} has no column {', '.join(missing)}: its columns are "
                                 f"{', '.join(table.schema_arrow.names)}")
        self.groups = [(file, table, group) for file, table in zip(paths, self.tables)
                       for group in range(table.metadata.num_row_groups)]
        if not len(self):
            raise ValueError(f"the .parquet files in {path} have no rows: fetch the data set again")
        self.rows: list[tuple[str, dict]] = []

    def __len__(self) -> int:
        return sum(table.metadata.num_rows for table in self.tables)

    def pick(self, rng: np.random.Generator) -> tuple[str, list[np.ndarray], str]:
        while not self.rows:
            file, table, group = self.groups[rng.integers(len(self.groups))]
            rows = table.read_row_group(group, columns=self.COLUMNS).to_pylist()
            order = rng.permutation(len(rows))
            self.rows = [(f"row {index} of group {group} of {file}", rows[index]) for index in order]
        name, row = self.rows.pop()
        pair = [decode(stored(row[column]), f"{column} in {name}") for column in ("original_image", "edited_image")]
        return name, pair, row["edit_prompt"]


def stored(cell: dict | bytes | None) -> bytes:
    """The bytes of a picture's cell: bytes, or a structure with `bytes`."""
    return (cell.get("bytes") if isinstance(cell, dict) else cell) or b""


def parquet_files(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.glob("*.parquet")) or sorted(folder.glob("data/*.parquet"))


def existing_folder(path: pathlib.Path | str) -> pathlib.Path:
    path = pathlib.Path(path)
    if not path.is_dir():
        raise FileNotFoundError(f"no folder at {path}: check `paths` under `data` in the YAML")
    return path


def open_instruct_pix2pix(path: pathlib.Path | str, device: torch.device | str = "cpu") -> Pictures:
    """Either layout of InstructPix2Pix, whichever the folder holds."""
    files = parquet_files(existing_folder(path))
    return (InstructPix2PixParquet if files else InstructPix2Pix)(path, device)
