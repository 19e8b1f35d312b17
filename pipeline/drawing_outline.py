"""Outlines of drawn pills: the path to paint, and how much room a line of text has at a given height.

Units are px of the drawing, the origin is the middle of the pill, y runs down.
"""

from dataclasses import dataclass
from math import cos, hypot, pi, sin
from typing import Final

Point = tuple[float, float]

TYPICAL_RATIO: Final = {
    "oval": 0.6, "oblong": 0.42, "semicircle": 0.56, "triangle": 0.9, "diamond": 0.72, "pentagon": 0.95,
    "hexagon": 0.75, "octagon": 0.85,
}  # fmt: skip
"""Short by long axis where the catalogue gives no size; 1 for every other shape."""

_ROUNDING: Final = 0.16  # of a corner, as a share of half the shorter axis
_ARC_POINTS: Final = 24  # of a quarter circle
_CORNERS: Final = {"triangle": 3, "square": 4, "diamond": 4, "pentagon": 5, "hexagon": 6, "octagon": 8}
_FIRST_CORNER: Final = {"triangle": -90.0, "square": 45.0, "diamond": 0.0, "pentagon": -90.0, "hexagon": 0.0}


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed curve: its SVG path data and the same curve as points. `half_width`, `half_height` of its box."""

    path: str
    points: tuple[Point, ...]
    half_width: float
    half_height: float

    @property
    def centre_y(self) -> float:
        """Height of the centre of area: where a triangle has room for text."""
        area = moment = 0.0
        for (ax, ay), (bx, by) in zip(self.points, (*self.points[1:], self.points[0]), strict=True):
            cross = ax * by - bx * ay
            area += cross / 2
            moment += (ay + by) * cross / 6
        return moment / area

    def room(self, y: float) -> float:
        """Half the width that is free on both sides of x = 0 at height `y`; 0 outside."""
        crossings = [
            ax + (y - ay) / (by - ay) * (bx - ax)
            for (ax, ay), (bx, by) in zip(self.points, (*self.points[1:], self.points[0]), strict=True)
            if (ay <= y) != (by <= y)
        ]
        if not crossings:
            return 0.0
        return max(0.0, min(max(crossings), -min(crossings)))


def outline_of(shape: str, half_width: float, half_height: float) -> Outline:
    """The outline of a shape of `pipeline.vocabulary.SHAPES`; "other" becomes a plain rounded rectangle."""
    a, b = half_width, half_height
    if shape in ("round", "oval"):
        points = tuple((a * cos(t), b * sin(t)) for t in _turn())
        path = f"M{-a:.2f} 0A{a:.2f} {b:.2f} 0 1 1 {a:.2f} 0A{a:.2f} {b:.2f} 0 1 1 {-a:.2f} 0Z"
        return Outline(path, points, a, b)
    if shape == "oblong":
        return _rounded(((-a, -b), (a, -b), (a, b), (-a, b)), min(a, b) * 0.999, a, b)
    if shape == "semicircle":
        arc = tuple((a * cos(pi + t / 2), b + 2 * b * sin(pi + t / 2)) for t in _turn())
        path = f"M{-a:.2f} {b:.2f}A{a:.2f} {2 * b:.2f} 0 0 1 {a:.2f} {b:.2f}Z"
        return Outline(path, arc, a, b)
    if shape in _CORNERS:
        return _rounded(_regular(shape, a, b), min(a, b) * _ROUNDING, a, b)
    return _rounded(((-a, -b), (a, -b), (a, b), (-a, b)), min(a, b) * 0.45, a, b)


def _turn() -> list[float]:
    count = 4 * _ARC_POINTS
    return [2 * pi * i / count for i in range(count)]


def _regular(shape: str, a: float, b: float) -> tuple[Point, ...]:
    """Corners of a regular polygon, stretched to fill its box."""
    count, first = _CORNERS[shape], _FIRST_CORNER.get(shape, 180 / _CORNERS[shape])
    corners = [(cos(angle), sin(angle)) for angle in ((first + 360 * i / count) * pi / 180 for i in range(count))]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return tuple(
        (a * (2 * (x - min(xs)) / (max(xs) - min(xs)) - 1), b * (2 * (y - min(ys)) / (max(ys) - min(ys)) - 1))
        for x, y in corners
    )


def _rounded(corners: tuple[Point, ...], radius: float, a: float, b: float) -> Outline:
    """A polygon whose corners are cut `radius` px before the corner and bent to a quarter of a turn."""
    path: list[str] = []
    points: list[Point] = []
    before = (corners[-1], *corners[:-1])
    after = (*corners[1:], corners[0])
    for previous, corner, following in zip(before, corners, after, strict=True):
        start, end = _towards(corner, previous, radius), _towards(corner, following, radius)
        # a cubic with these handles is within 0.03 % of a circle where the corner is a right angle
        first, second = _between(start, corner, 0.5523), _between(end, corner, 0.5523)
        path.append(
            f"{'L' if path else 'M'}{start[0]:.2f} {start[1]:.2f}"
            f"C{first[0]:.2f} {first[1]:.2f} {second[0]:.2f} {second[1]:.2f} {end[0]:.2f} {end[1]:.2f}"
        )
        points += [_cubic(start, first, second, end, i / _ARC_POINTS) for i in range(_ARC_POINTS + 1)]
    return Outline("".join(path) + "Z", tuple(points), a, b)


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = hypot(end[0] - start[0], end[1] - start[1])
    return _between(start, end, min(distance / length, 0.5))


def _between(start: Point, end: Point, share: float) -> Point:
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def _cubic(p0: Point, p1: Point, p2: Point, p3: Point, t: float) -> Point:
    s = 1 - t
    x, y = (s**3 * p0[i] + 3 * s * s * t * p1[i] + 3 * s * t * t * p2[i] + t**3 * p3[i] for i in (0, 1))
    return (x, y)
