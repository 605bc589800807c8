"""Other engines with movied's weights, each in a process of its own, and the clockwork that times them against ours."""

from __future__ import annotations


class BenchmarkError(Exception):
    """What the person at the keyboard can mend, in one sentence."""
