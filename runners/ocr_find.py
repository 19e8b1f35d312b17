"""Where lines of text stand on a relief and which way up they are, from what the finder says of every pixel.

Pixels in the core of a line hang together, those of two lines do not. Each knows the direction its line is read in and
how far the line's edges are; a line's box follows from the mean of its pixels. Where the letters do not tell up from
down ("0", "SIS"), the mean direction is short.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

STRIDE: Final = 2
"""Px of the finder's picture per px of its answer."""
REACH: Final = 8.0
"""Px per unit of the two distances in the answer."""
CORE_FROM: Final = 0.5
"""Probability from which a pixel belongs to a core,"""
LINE_FROM: Final = 0.6
"""... and its mean from which the core is one."""
LEAST_PIXELS: Final = 4
ENDS: Final = 0.3
"""Of a line's height by which its core is shorter at either end,"""
SLENDER: Final = 0.35
"""... but at least this share of the line's width."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundLine:
    """`corners`: (4, 2) px of the picture, clockwise from where the text begins; `upright`: [0, 1], how sure the
    direction is, 0 where up and down look the same; `chance`: [0, 1], mean probability of its pixels."""

    corners: Float32
    upright: float
    chance: float


def lines_of(answer: Float32, *, core_from: float = CORE_FROM, line_from: float = LINE_FROM) -> list[FoundLine]:
    """`answer`: (5, h, w): probability of lying in a line's core, its direction (cosine, sine; y down), distances to
    its upper and lower edge. The most probable line first."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((answer[0] >= core_from).astype(np.uint8), connectivity=4)
    found = []
    for number in range(1, count):
        x, y, width, height, pixels = boxes[number]
        if pixels < LEAST_PIXELS:
            continue
        part = answer[:, y : y + height, x : x + width]
        rows, columns = np.nonzero(labels[y : y + height, x : x + width] == number)
        said = part[:, rows, columns]
        chance = float(said[0].mean())
        direction = (said[1:3] * said[0]).sum(axis=1) / said[0].sum()
        length = float(np.hypot(*direction))
        if chance < line_from or length < 1e-3:
            continue
        across = direction / length
        at = np.stack([columns + x, rows + y]).astype(np.float32) * STRIDE + (STRIDE - 1) / 2
        corners = _box(at, across.astype(np.float32), said[3:] * REACH)
        if corners is not None:
            found.append(FoundLine(corners, min(length, 1.0), chance))
    return sorted(found, key=lambda line: -line.chance)


def _box(at: Float32, across: Float32, edges: Float32) -> Float32 | None:
    """Corners of the line whose core's pixels lie at `at` (2, n) and are `edges` (2, n) px from its top and bottom."""
    down = np.array([-across[1], across[0]], np.float32)
    along, below = across @ at, down @ at
    top, bottom = float((below - edges[0]).mean()), float((below + edges[1]).mean())
    high = bottom - top
    if high < 2 * STRIDE:
        return None
    left, right = float(along.min()) - STRIDE / 2, float(along.max()) + STRIDE / 2
    core = right - left
    wide = core + 2 * ENDS * high
    if core < SLENDER * wide:
        wide = core / SLENDER
    middle = (left + right) / 2
    ends = np.array([middle - wide / 2, middle + wide / 2], np.float32)
    return np.stack(
        [ends[i] * across + edge * down for i, edge in ((0, top), (1, top), (1, bottom), (0, bottom))]
    ).astype(np.float32)
