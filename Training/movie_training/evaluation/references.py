"""What an editing is compared with: the kept-out photographs and the stylizers' pictures of them."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from .. import sources, stylizers

#: Those that change something.
EDITS = [edit for edit in stylizers.NAMES if edit != "identity"]


@dataclasses.dataclass(frozen=True)
class Scope:
    """On what is measured. The defaults are the model card's; tests take less."""

    width: int = 512
    height: int = 384
    #: Names of kept-out photographs, or paths of pictures.
    photographs: tuple[str, ...] = tuple(sources.KEPT_OUT)
    edits: tuple[str, ...] = tuple(EDITS)
    #: Frames of each sequence for flicker.
    frames: int = 8
    #: Of each instruction; None for all that were kept out.
    paraphrases: int | None = None
    guidance_scales: tuple[float, ...] = (2, 4, 6, 7.5, 9, 11, 14)
    image_guidance_scales: tuple[float, ...] = (1, 1.5, 2, 2.5, 3)

    @property
    def own_photographs(self) -> tuple[str, ...]:
        """Those that are not named, but files of whoever measures."""
        return tuple(name for name in self.photographs if name not in sources.KEPT_OUT)

    def after(self, photograph: str) -> str:
        """The next photograph: what moves before this one in a sequence."""
        names = tuple(sources.KEPT_OUT) if photograph in sources.KEPT_OUT else self.photographs
        return names[(names.index(photograph) + 1) % len(names)]

    @property
    def instructions(self) -> tuple[str, ...]:
        """Leaving the picture alone, and the edits."""
        return "identity", *self.edits


#: For stages of many passes a frame: a quarter of the frames. Its figures compare with each other only.
BRIEF = Scope(photographs=("astronaut", "china"), frames=4, paraphrases=2, guidance_scales=(2, 5, 7.5, 10, 14),
              image_guidance_scales=(1, 1.5, 3))


def eight_bit(pictures: np.ndarray) -> np.ndarray:
    """Rounded to levels of 1/255, so that engines of bytes and of floats see the same."""
    return (np.round(np.clip(pictures, 0, 1) * 255) / 255).astype(np.float32)


@functools.lru_cache(maxsize=32)
def pictures(photograph: str, width: int, height: int) -> dict[str, np.ndarray]:
    """edit -> the stylizer's picture of a photograph; `identity` is the photograph. Do not write to them."""
    source = eight_bit(sources.kept_out(photograph, width, height))
    return {edit: stylizers.stylize(edit, source) for edit in stylizers.NAMES}


def table(scope: Scope) -> dict[str, dict[str, np.ndarray]]:
    """photograph -> edit -> picture."""
    return {name: pictures(name, scope.width, scope.height) for name in scope.photographs}
