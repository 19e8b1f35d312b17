"""Where lines of text stand on a relief, from what the finder says of every pixel.

Pixels in the core of a line hang together, those of two lines do not. Each knows the line's base line and height; a
line's box follows from the mean of its pixels. Which way round the line is read is for the recogniser to see.
"""

from dataclasses import dataclass
from math import atan2, cos, sin
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

STRIDE: Final = 2
"""Px of the finder's picture per px of its answer."""
REACH: Final = 8.0
"""Px per unit of half a height in the answer."""
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
    """`corners`: (4, 2) px of the picture, clockwise, from where the text begins or, the other way round, ends;
    `chance`: [0, 1], mean probability of its pixels."""

    corners: Float32
    chance: float


def lines_of(answer: Float32) -> list[FoundLine]:
    """`answer`: (4, h, w): probability of lying in a line's core; cosine and sine of twice the base line's angle, y
    down; half the height. The most probable line first."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        (answer[0] >= CORE_FROM).astype(np.uint8), connectivity=4
    )
    found = []
    for number in range(1, count):
        x, y, width, height, pixels = boxes[number]
        if pixels < LEAST_PIXELS:
            continue
        part = answer[:, y : y + height, x : x + width]
        rows, columns = np.nonzero(labels[y : y + height, x : x + width] == number)
        said = part[:, rows, columns]
        chance = float(said[0].mean())
        if chance < LINE_FROM:
            continue
        mean = (said[1:] * said[0]).sum(axis=1) / said[0].sum()
        angle = atan2(float(mean[1]), float(mean[0])) / 2
        at = np.stack([columns + x, rows + y]).astype(np.float32) * STRIDE + (STRIDE - 1) / 2
        high = 2 * REACH * float(mean[2])
        if high >= 2 * STRIDE:
            found.append(FoundLine(_box(at, angle, high), chance))
    return sorted(found, key=lambda line: -line.chance)


def _box(at: Float32, angle: float, high: float) -> Float32:
    """Corners of a line of that direction and height, px, whose core's pixels lie at `at` (2, n)."""
    across = np.array([cos(angle), sin(angle)], np.float32)
    down = np.array([-across[1], across[0]], np.float32)
    along, below = across @ at, down @ at
    left, right = float(along.min()) - STRIDE / 2, float(along.max()) + STRIDE / 2
    core = right - left
    wide = core + 2 * ENDS * high
    if core < SLENDER * wide:
        wide = core / SLENDER
    half = np.array([[-wide, -high], [wide, -high], [wide, high], [-wide, high]], np.float32) / 2
    middle = np.array([(left + right) / 2, float(below.mean())], np.float32)
    return np.asarray((half + middle) @ np.stack([across, down]), np.float32)
