"""Pairs of neighbouring frames with known motion, made from still pictures: moving crops and moving shapes.

A frame is a look at a canvas through a pose: its turn, zoom and place. Both frames of a pair look from half a motion to
either side, so that both are interpolated alike. Everything is batched torch and works on any device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .outlines import Blob, turned
from .torch_draws import Draws
from .torch_stylizers import in_float32, look_up, pixel_positions

#: Canvases are larger than frames by this border, so that moving frames see no edge of the canvas.
MARGIN = 8
#: How far a frame moves to its neighbour, in pixels; drawn with a uniform logarithm.
SHIFT = (0.2, 12.0)
#: Share of pairs that stand still (a fixed camera), with an object of their own motion, and with changing light.
STILL_SHARE, OBJECT_SHARE, LIGHT_SHARE = 0.2, 0.5, 0.4
#: A pixel belongs to an object or to the background where the object's cover is this close to 1 or 0.
CERTAIN = 0.05
#: How far outside a frame still counts as inside, in pixels: more than float16 rounds a flow by.
ROUNDING = 0.02


@dataclass
class Pose:
    """Maps positions in a frame to positions on a canvas, both in pixels (x, y): turned, zoomed, then moved.

    `angle` (radians) and `zoom` (logarithm) are [batch, 1, 1, 1], `centre` and `place` [batch, 2, 1, 1].
    """

    angle: Tensor
    zoom: Tensor
    centre: Tensor  # the point of the frame that it turns about
    place: Tensor   # where that point lies on the canvas

    def canvas(self, frame: Tensor) -> Tensor:
        return turned(frame - self.centre, self.angle) * self.zoom.exp() + self.place

    def frame(self, canvas: Tensor) -> Tensor:
        return turned((canvas - self.place) * (-self.zoom).exp(), -self.angle) + self.centre

    def moved(self, motion: Pose, share: float) -> Pose:
        """This pose with `share` of a motion added."""
        return Pose(self.angle + share * motion.angle, self.zoom + share * motion.zoom, self.centre,
                    self.place + share * motion.place)


def draw_motion(draws: Draws, turn: float, zoom: float) -> Pose:
    """A motion between neighbouring frames: a shift in any direction, a slight turn and zoom."""
    low, high = (math.log(bound) for bound in SHIFT)
    distance, heading = draws.uniform(low, high).exp(), draws.uniform(0, 2 * math.pi)
    shift = distance * torch.cat([heading.cos(), heading.sin()], 1)
    return Pose(draws.normal(turn), draws.normal(zoom), torch.zeros_like(shift), shift)


def inside_frame(flow: Tensor) -> Tensor:
    """Clears visibility (the third plane of a flow [batch, 3, height, width]) where the flow leaves the frame."""
    position = pixel_positions(flow) + flow[:, :2]
    last = flow.new_tensor([flow.shape[-1] - 1, flow.shape[-2] - 1]).view(1, 2, 1, 1)
    within = ((position > -ROUNDING) & (position < last + ROUNDING)).all(1, keepdim=True)
    return torch.cat([flow[:, :2], flow[:, 2:] * within], 1)


class Scene:
    """A canvas with at most one object before it, seen from two poses."""

    def __init__(self, canvas: Tensor, other: Tensor, draws: Draws, height: int, width: int):
        count, size = canvas.shape[0], canvas.new_tensor([canvas.shape[-1], canvas.shape[-2]]).view(1, 2, 1, 1)
        self.canvas, self.texture = canvas, other
        centre = canvas.new_tensor([width - 1, height - 1]).view(1, 2, 1, 1) / 2
        home = Pose(draws.normal(0.01), draws.normal(0.01), centre, (size - 1) / 2 + draws.uniform(-0.5, 0.5, 2))
        camera, moving = draw_motion(draws, 0.006, 0.006), 1 - draws.chance(STILL_SHARE)
        camera = Pose(camera.angle * moving, camera.zoom * moving, camera.centre, camera.place * moving)
        self.background = [home.moved(camera, share) for share in (-0.5, 0.5)]
        # The object's own middle is the origin of its coordinates and shows `texture` around a random place.
        self.blob = Blob.draw(draws, min(height, width) * draws.uniform(0.1, 0.33))
        self.present = draws.chance(OBJECT_SHARE)
        spot = draws.uniform(0.1, 0.9, 2) * centre * 2
        pose = Pose(draws.normal(0.01), draws.normal(0.01), spot, torch.zeros(count, 2, 1, 1, device=canvas.device))
        motion = draw_motion(draws, 0.02, 0.012)
        self.object = [pose.moved(motion, share) for share in (-0.5, 0.5)]
        self.texture_place = size * draws.uniform(0.3, 0.7, 2)
        self.pixels = pixel_positions(canvas.new_empty(1, 1, height, width))

    def cover(self, which: int, positions: Tensor) -> Tensor:
        """The object's cover, 0...1, at positions of frame `which`."""
        return (self.blob.inside(self.object[which].canvas(positions)) + 0.5).clamp(0, 1) * self.present

    def frame(self, which: int) -> Tensor:
        positions = self.pixels.expand(self.canvas.shape[0], -1, -1, -1)
        behind = look_up(self.canvas, self.background[which].canvas(positions), "bicubic")
        before = look_up(self.texture, self.object[which].canvas(positions) + self.texture_place, "bicubic")
        return torch.lerp(behind, before, self.cover(which, positions)).clamp(0, 1)

    def flow(self) -> Tensor:
        """From frame 2 back to frame 1, [batch, 3, height, width]: x and y in pixels, and 1 where it can be trusted."""
        cover = self.cover(1, self.pixels)
        behind = self.background[0].frame(self.background[1].canvas(self.pixels))
        before = self.object[0].frame(self.object[1].canvas(self.pixels))
        covered = cover > 0.5
        origin = torch.where(covered, before, behind)
        same = (self.cover(0, origin) - covered.float()).abs() < CERTAIN
        certain = (cover - covered.float()).abs() < CERTAIN
        return inside_frame(torch.cat([origin - self.pixels, (same & certain).float()], 1))


def change_light(frames: Tensor, draws: Draws) -> Tensor:
    """A little more or less light, and a little warmer or colder, in a part of the samples."""
    gain = draws.normal(0.03) + draws.normal(0.008, 3)
    return (frames * (1 + draws.chance(LIGHT_SHARE) * gain)).clamp(0, 1)


@in_float32
def neighbours(canvas: Tensor, other: Tensor, generator: torch.Generator, height: int, width: int
               ) -> tuple[Tensor, Tensor, Tensor]:
    """Two neighbouring frames [batch, 3, height, width] in 0...1 and the flow from the second back to the first.

    `canvas`, and `other` which the objects are cut from, are [batch, 3, height + 2 MARGIN, width + 2 MARGIN] in 0...1,
    on the generator's device.
    """
    draws = Draws(generator, canvas.shape[0])
    scene = Scene(canvas, other, draws, height, width)
    return scene.frame(0), change_light(scene.frame(1), draws), scene.flow()
