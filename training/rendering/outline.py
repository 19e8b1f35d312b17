"""Outlines of pills as signed distances.

Units: half of the pill's long axis is 1, the origin is the middle of its bounding box, x runs along the long axis
to the right, y down. A distance is negative inside. Polygon distance: Inigo Quilez, "2D distance functions".
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.vocabulary import SHAPES

Float32 = NDArray[np.float32]
Distance = Callable[[Float32, Float32], Float32]


@dataclass(frozen=True, slots=True)
class Frame:
    """The square picture a pill is drawn in: `size` px a side, `scale` px per half long axis, and for every pixel
    its place `x`, `y` (size, size) in half long axes."""

    size: int
    scale: float
    x: Float32
    y: Float32

    @classmethod
    def of(cls, size: int, fill: float) -> "Frame":
        """A frame whose side is filled to `fill`, (0, 1], by the long axis."""
        scale = size * fill / 2
        axis = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / scale
        x, y = np.meshgrid(axis, axis)
        return cls(size, scale, x, y)


OTHER_OUTLINES = ("heart", "trapezoid", "shield", "teardrop")
"""What "other" may look like; the catalogue does not say, so a look picks one."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A pill seen from above.

    `distance(x, y)`: signed distance of points, arrays of any equal shape. `ratio`: short by long axis, (0, 1].
    `elliptic`: True where the dome follows the ellipse itself and not the distance to the edge.
    `middle`: height of the point of the middle axis that is farthest from the edge; where an imprint has most room.
    """

    distance: Distance
    ratio: float
    elliptic: bool = False
    middle: float = 0.0


def make_outline(shape: str, ratio: float, other: str = "heart") -> Outline:
    """The outline of a shape of `pipeline.vocabulary.SHAPES`, `other` one of OTHER_OUTLINES.

    Raises ValueError for a shape the vocabulary does not know.
    """
    if shape not in SHAPES:
        raise ValueError(f"no shape named {shape!r}")
    if shape in ("round", "oval"):
        return Outline(_ellipse(1.0 if shape == "round" else ratio), 1.0 if shape == "round" else ratio, elliptic=True)
    if shape == "oblong":
        return Outline(_stadium(ratio), ratio)
    points, rounding = _corners(shape if shape != "other" else other)
    distance = _rounded_polygon(points, ratio, rounding)
    heights = np.linspace(-ratio, ratio, 65, dtype=np.float32)
    middle = float(heights[np.argmin(distance(np.zeros_like(heights), heights))])
    return Outline(distance, ratio, middle=middle)


def _ellipse(ratio: float) -> Distance:
    def distance(x: Float32, y: Float32) -> Float32:
        k = np.sqrt(x * x + (y / ratio) ** 2)
        gradient = np.sqrt(x * x + (y / ratio**2) ** 2)
        # first-order distance: exact on the edge, where alpha needs it
        return np.where(gradient > 1e-6, k * (k - 1) / np.maximum(gradient, 1e-6), -ratio).astype(np.float32)

    return distance


def _stadium(ratio: float) -> Distance:
    def distance(x: Float32, y: Float32) -> Float32:
        return np.hypot(np.maximum(np.abs(x) - (1 - ratio), 0), y) - np.float32(ratio)

    return distance


def _rounded_polygon(points: Float32, ratio: float, rounding: float) -> Distance:
    """Corners are fitted into the bounding box less `rounding`, then the whole is grown by it."""
    low, high = points.min(axis=0), points.max(axis=0)
    half = np.array([1 - rounding, ratio - rounding], dtype=np.float32)
    corners = ((points - (low + high) / 2) / ((high - low) / 2) * half).astype(np.float32)

    def distance(x: Float32, y: Float32) -> Float32:
        nearest = np.full(x.shape, np.inf, dtype=np.float32)
        inside = np.zeros(x.shape, dtype=bool)
        for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            ex, ey = bx - ax, by - ay
            px, py = x - ax, y - ay
            along = np.clip((px * ex + py * ey) / (ex * ex + ey * ey), 0, 1)
            nearest = np.minimum(nearest, (px - ex * along) ** 2 + (py - ey * along) ** 2)
            above = y >= ay
            inside ^= (above != (y >= by)) & ((ex * py - ey * px > 0) == (by > ay))
        return np.where(inside, -np.sqrt(nearest), np.sqrt(nearest)).astype(np.float32) - np.float32(rounding)

    return distance


def _corners(name: str) -> tuple[Float32, float]:
    """Corner points in any scale, in order around the outline, and how round the corners are."""
    regular = {
        "triangle": (3, -90.0, 0.16),
        "square": (4, -45.0, 0.14),
        "diamond": (4, 0.0, 0.13),
        "pentagon": (5, -90.0, 0.12),
        "hexagon": (6, 0.0, 0.09),
        "octagon": (8, 22.5, 0.07),
    }
    if name in regular:
        count, first, rounding = regular[name]
        angles = np.radians(first + 360.0 * np.arange(count) / count)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32), rounding
    turn = np.linspace(0, 1, 25, dtype=np.float32)
    if name == "semicircle":
        arc = np.pi * (1 + turn)
        return np.stack([np.cos(arc), np.sin(arc)], axis=1), 0.08
    if name == "heart":
        t = 2 * np.pi * turn[:-1]
        y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
        return np.stack([16 * np.sin(t) ** 3, -y], axis=1), 0.08
    if name == "shield":
        left = np.stack([-1 + 0.9 * turn**2, -0.6 + 1.6 * turn], axis=1)
        return np.concatenate([left, (left * (-1, 1))[::-1]]).astype(np.float32), 0.1
    if name == "teardrop":
        t = 2 * np.pi * turn[:-1]
        return np.stack([np.cos(t), np.sin(t) * np.sin(t / 2) ** 1.2], axis=1), 0.06
    if name == "trapezoid":
        return np.array([(-0.62, -1), (0.62, -1), (1, 1), (-1, 1)], dtype=np.float32), 0.12
    raise ValueError(f"no outline named {name!r}")
