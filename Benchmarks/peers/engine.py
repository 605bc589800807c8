"""Engines as processes, and their timing in turns, so that a noisy machine is noisy for both."""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import signal
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from . import BenchmarkError


def die_with_parent() -> None:
    """A stopped process could not notice that the program which should wake it has ended."""
    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


class Engine:
    """A process with the protocol of `movie-bench time`: one line when ready, then a list of times for every number.

    Between its turns the process is stopped by a signal, so that threads which wait busily take nothing from the other.
    """

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str] | None = None):
        self.name = name
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
                preexec_fn=die_with_parent)
        except OSError as error:
            raise BenchmarkError(f"{name} cannot be started ({error}): build it, or name its path") from None
        try:
            self._await_ready()
        except BenchmarkError:
            self.close()
            raise
        self._signal(signal.SIGSTOP)

    def _await_ready(self) -> None:
        ready = self._answer("when it was loaded")
        if not isinstance(ready, dict) or not {"ready", "load_ms", "memory_mib"} <= ready.keys():
            raise BenchmarkError(f"{self.name} said {ready} in place of being ready")
        self.load_ms, self.memory_mib = float(ready["load_ms"]), float(ready["memory_mib"])

    def _signal(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)

    def _answer(self, moment: str) -> object:
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            raise BenchmarkError(f"{self.name} ended with status {status} {moment}; its own message stands above")
        try:
            return json.loads(line)
        except json.JSONDecodeError:
            raise BenchmarkError(f"{self.name} printed {line.strip()[:80]!r} {moment}, where JSON should be") from None

    def times(self, count: int) -> list[float]:
        """Milliseconds of `count` runs, after one that warms the caches and is not counted."""
        self._signal(signal.SIGCONT)
        try:
            self.process.stdin.write(f"{count + 1}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self._answer("before its turn")
        times = self._answer("in its turn")
        self._signal(signal.SIGSTOP)
        if not isinstance(times, list) or len(times) != count + 1:
            raise BenchmarkError(f"{self.name} was asked for {count + 1} times and gave {str(times)[:80]}")
        return [float(value) for value in times[1:]]

    def cpu_seconds(self) -> float:
        """Processor time the process has used."""
        clock = (~self.process.pid << 3) | 2  # Linux: the clock of all threads of a process
        return time.clock_gettime(clock) if self.process.poll() is None else 0.0

    def close(self) -> None:
        self._signal(signal.SIGCONT)
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Timing:
    """The medians of two engines timed in turns, and how the rounds scattered."""

    ours_ms: float | None
    peer_ms: float
    round_ratios: tuple[float, ...]
    others_share: float  # of the machine's processor time, used by other programs meanwhile

    @property
    def ratio(self) -> float | None:
        return self.ours_ms / self.peer_ms if self.ours_ms is not None else None


def busy_seconds() -> tuple[float, float]:
    """Processor time that the machine has used, and all that it has had, idle included."""
    fields = [int(text) for text in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = fields[3] + fields[4]
    ticks = os.sysconf("SC_CLK_TCK")
    return (sum(fields) - idle) / ticks, sum(fields) / ticks


def turn_length(engines: Sequence[Engine], seconds: float) -> int:
    """How many runs of the slowest engine fill a turn."""
    slowest = max(statistics.median(engine.times(1)) for engine in engines)
    return max(1, min(100, round(1000 * seconds / slowest)))


def time_in_turns(ours: Engine | None, peer: Engine, rounds: int, seconds: float) -> Timing:
    """Times the engines alternately, `rounds` turns each of about `seconds`; the peer alone when `ours` is None."""
    engines = [engine for engine in (ours, peer) if engine is not None]
    count = turn_length(engines, seconds)
    busy, total = busy_seconds()
    own = sum(engine.cpu_seconds() for engine in engines)
    turns = [[engine.times(count) for engine in engines] for _ in range(rounds)]
    own = sum(engine.cpu_seconds() for engine in engines) - own
    busy_after, total_after = busy_seconds()
    columns = [[value for turn in turns for value in turn[index]] for index in range(len(engines))]
    medians = [statistics.median(column) for column in columns]
    ratios = tuple(statistics.median(turn[0]) / statistics.median(turn[1]) for turn in turns if len(turn) == 2)
    others = max(0.0, busy_after - busy - own) / max(1e-9, total_after - total)
    return Timing(medians[0] if ours else None, medians[-1], ratios, others)
