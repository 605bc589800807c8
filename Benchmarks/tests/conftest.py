"""Finds the modules that the tests import, and makes the tiny model once."""

from __future__ import annotations

import os
import pathlib
import stat
import sys

import pytest

BENCHMARKS = pathlib.Path(__file__).resolve().parents[1]
for folder in (BENCHMARKS.parent / "Training", BENCHMARKS):
    sys.path.insert(0, str(folder))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> pathlib.Path:
    """A complete model folder of a few hundred kilobytes."""
    import make_models

    folder = tmp_path_factory.mktemp("models") / "tiny"
    make_models.write_model("tiny", folder)
    return folder


@pytest.fixture
def fake_bench(tmp_path) -> pathlib.Path:
    """An executable that stands for movie-bench."""
    path = tmp_path / "movie-bench"
    paths = os.pathsep.join((str(BENCHMARKS), str(BENCHMARKS.parent / "Training")))
    script = BENCHMARKS / "tests" / "fake_bench.py"
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{paths}" exec "{sys.executable}" "{script}" "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
