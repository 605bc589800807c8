"""Writes the reference fixtures of Tests/NetworksTests from PyTorch, diffusers and transformers. See README.md.

    PYTHONPATH=Training python Training/reference/make_fixtures.py Tests/NetworksTests/Fixtures [--only NAME]
"""

from __future__ import annotations

import argparse
import pathlib
import shutil

import anchors
import autoencoders
import blocks
import schedulers
import text_encoders
import tokenizer_cases
import torch
import unets
import whole_editor
from diffusers.utils import logging
from transformers.utils import logging as transformers_logging

LIMIT = 3_700_000  # bytes of all fixtures
SOURCES = (unets, anchors, blocks, autoencoders, text_encoders, schedulers, whole_editor, tokenizer_cases)


def size_of(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", metavar="NAME", help="make this fixture alone")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # sums in one order
    logging.set_verbosity_error()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    fixtures = [fixture for source in SOURCES for fixture in source.FIXTURES]
    chosen = [fixture for fixture in fixtures if arguments.only in (None, fixture.name)]
    if not chosen:
        parser.error(f"no fixture is named {arguments.only}; there are {', '.join(f.name for f in fixtures)}")
    for fixture in chosen:
        shutil.rmtree(arguments.folder / fixture.name, ignore_errors=True)
        print(f"{fixture.name:44} {size_of(fixture.make(arguments.folder)):9,} bytes", flush=True)
    total = size_of(arguments.folder)
    print(f"{len(chosen)} fixtures made; the folder holds {total:,} bytes")
    if total > LIMIT:
        raise SystemExit(f"the fixtures take {total:,} bytes, more than {LIMIT:,}: use smaller widths or sizes")


if __name__ == "__main__":
    main()
