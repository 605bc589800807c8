"""How near an engine's outputs are to PyTorch's in float."""

from __future__ import annotations

import math

import numpy as np

from . import BenchmarkError
from .task import Arrays


def psnr(picture: np.ndarray, reference: np.ndarray) -> float:
    """Decibels, for pictures of bytes; infinite where they are equal."""
    error = np.square(picture.astype(np.float64) - reference.astype(np.float64)).mean()
    return 10 * math.log10(255**2 / error) if error else math.inf


def relative_error(output: np.ndarray, reference: np.ndarray) -> float:
    """Norm of the difference by the norm of the reference."""
    difference = output.astype(np.float64) - reference.astype(np.float64)
    return float(np.linalg.norm(difference) / np.linalg.norm(reference.astype(np.float64)))


def describe(outputs: Arrays, reference: Arrays, name: str) -> str:
    """The likeness of the output `name` in words. Raises BenchmarkError where it is missing or of another shape."""
    if name not in outputs:
        raise BenchmarkError(f"the outputs lack {name}; they have {', '.join(outputs) or 'nothing'}")
    output, wanted = outputs[name], reference[name]
    if output.shape != wanted.shape:
        raise BenchmarkError(
            f"the output {name} has the shape {list(output.shape)}, PyTorch's has {list(wanted.shape)}")
    if output.dtype == np.uint8:
        return f"{psnr(output, wanted):.1f} dB"
    return f"{100 * relative_error(output, wanted):.3g} % off"
