"""Opens the training data that a YAML names.

    data:
      kind: pools            # pools of pool.py | on_device | triplets (TripletFolder) | instruct_pix2pix
      paths: [pool-a.npy]    # none for on_device
      pairs: [pairs.npy]     # pools of pair_pool.py; none for on_device
      noise: 0.008           # the camera's noise on the sources of pairs: the largest deviation, in 0...1
      shifted: 0.7           # share of the batches of pairs that show one picture some whole pixels apart (Shifted)
"""

from __future__ import annotations

import torch

from . import batches
from .folders import Mixed, TripletFolder, open_instruct_pix2pix
from .on_device import OnDevice
from .pair_pool import PairPool
from .shifted import Pairs, Shifted
from .whole import WholeFrames

KINDS = ("pools", "on_device", "triplets", "instruct_pix2pix")


def open_triplets(settings: dict, device: torch.device | str) -> batches.Triplets:
    """What `data` of the settings names, drawing batches onto `device`. Raises ValueError naming a wrong setting."""
    data = settings.get("data", {})
    kind, paths = data.get("kind", "pools"), listed(data, "paths")
    if kind not in KINDS:
        raise ValueError(f"data.kind is {kind!r}: it must be one of {', '.join(KINDS)}")
    if kind == "on_device":
        return WholeFrames(OnDevice(settings, device))
    if kind == "pools" and not paths and data.get("pairs"):
        return WholeFrames(PairPool(listed(data, "pairs"), settings, device, data.get("noise", 0.0)))
    if not paths:
        raise ValueError(f"data.paths is empty: data of kind {kind} needs at least one path")
    if kind == "pools":
        return WholeFrames(batches.Pools(paths, settings, device))
    open_one = TripletFolder if kind == "triplets" else open_instruct_pix2pix
    sets = [open_one(path, device) for path in paths]
    return sets[0] if len(sets) == 1 else Mixed(sets)


def open_pairs(settings: dict, device: torch.device | str) -> Pairs:
    """Pairs of neighbouring frames from the pools in data.pairs, or made on the device where data.kind is on_device."""
    data = settings.get("data", {})
    paths, noise = listed(data, "pairs"), data.get("noise", 0.0)
    if data.get("kind") == "on_device" and not paths:
        pairs = OnDevice(settings, device, noise)
    elif paths:
        pairs = PairPool(paths, settings, device, noise)
    else:
        raise ValueError("data.pairs is empty: name at least one pool made by python -m movie_training.pair_pool")
    return WholeFrames(Shifted(pairs, data["shifted"]) if "shifted" in data else pairs)


def listed(data: dict, name: str) -> list[str]:
    paths = data.get(name) or []
    if not isinstance(paths, list):
        raise ValueError(f"data.{name} is {paths!r}: it must be a list of paths")
    return paths
