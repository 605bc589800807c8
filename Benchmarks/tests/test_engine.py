"""The clockwork, with engines that only pretend to compute."""

from __future__ import annotations

import pathlib
import sys
import time

import pytest

from peers import BenchmarkError
from peers.engine import Engine, time_in_turns

FAKE = pathlib.Path(__file__).with_name("fake_bench.py")


def fake(*options: str) -> Engine:
    return Engine("fake", [sys.executable, str(FAKE), "time", *options])


def test_engines_take_turns(tmp_path):
    log = tmp_path / "log"
    with fake("--work", "a", "--log", str(log)) as ours, fake("--work", "b", "--log", str(log)) as peer:
        timing = time_in_turns(ours, peer, rounds=3, seconds=0.01)
    turns = [line.split()[:2] for line in log.read_text().splitlines()]
    assert [name for name, _ in turns] == ["a", "b"] * 4  # the first two tell how long a run takes
    assert {count for _, count in turns[2:]} == {"6"}  # 10 ms of 2 ms each, and one to warm up
    assert timing.ours_ms == timing.peer_ms == 2 and timing.ratio == 1 and timing.round_ratios == (1, 1, 1)


def test_a_peer_can_be_timed_alone():
    with fake() as peer:
        timing = time_in_turns(None, peer, rounds=2, seconds=0.01)
    assert timing.ours_ms is None and timing.ratio is None and timing.peer_ms == 2


def test_an_engine_takes_no_time_between_its_turns():
    spin = ("import sys, threading\nprint('{\"ready\": true, \"load_ms\": 0, \"memory_mib\": 0}', flush=True)\n"
            "threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()\n"
            "for line in sys.stdin: print([1.0] * int(line), flush=True)\n")
    with Engine("spinning", [sys.executable, "-c", spin]) as engine:
        engine.times(1)
        time.sleep(0.05)
        before = engine.cpu_seconds()
        time.sleep(0.2)
        assert engine.cpu_seconds() - before < 0.02


@pytest.mark.parametrize("fault, words", [
    ("silent", "ended with status 2 when it was loaded"), ("garbage", "printed 'hello' when it was loaded"),
])
def test_an_engine_that_does_not_get_ready(fault, words):
    with pytest.raises(BenchmarkError, match=words):
        fake("--fault", fault)


@pytest.mark.parametrize("fault, words", [
    ("late", "ended with status 3 in its turn"), ("short", "was asked for 3 times and gave"),
])
def test_an_engine_that_fails_in_its_turn(fault, words):
    with fake("--fault", fault) as engine, pytest.raises(BenchmarkError, match=words):
        engine.times(2)


def test_an_engine_that_is_not_there(tmp_path):
    with pytest.raises(BenchmarkError, match="cannot be started"):
        Engine("movie-bench", [str(tmp_path / "absent")])
