"""Lines of text on a picture of a pill: cut out in every direction they may be read in, and brought into one frame."""

from dataclasses import dataclass
from math import atan2, cos, degrees, radians, sin
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SNAP: Final = 20
"""Degrees by which a line may stray from the common direction and still count as read in the same turn."""
SQUARE: Final = 1.4
"""Ratio of a box's sides under which its direction is not known."""


@dataclass(frozen=True, slots=True)
class Line:
    """A found line in one direction of reading. `rotation`: degrees counter-clockwise the cut-out is turned for it."""

    pixels: UInt8  # (h, w, 3)
    rotation: int
    box: tuple[float, float, float, float]  # px of the turned cut-out
    quarter: int  # by how many quarter turns it was turned from how the detector gave it


def one_way(image: UInt8, corners: Float32) -> Line:
    """A line's picture as it is read. `corners`: (4, 2) px of `image` (S, S, 3), clockwise from where it begins."""
    flat, slope = _flat(image, corners)
    rotation = round(-slope) % 360
    return Line(flat, rotation, turned_box(corners, rotation, image.shape[0]), 0)


def directions(image: UInt8, quad: Float32) -> list[Line]:
    """A line's picture in every direction it may be read in. `quad`: (4, 2) corners in px of `image`, (S, S, 3)."""
    flat, slope = _flat(image, quad)
    height, width = flat.shape[:2]
    if width >= SQUARE * height:
        quarters: tuple[int, ...] = (0, 2)
    elif height >= SQUARE * width:
        quarters = (1, 3)
    else:
        quarters = (0, 1, 2, 3)
    lines = []
    for quarter in quarters:
        rotation = round(90 * quarter - slope) % 360
        pixels = np.ascontiguousarray(np.rot90(flat, quarter)).astype(np.uint8)
        lines.append(Line(pixels, rotation, turned_box(quad, rotation, image.shape[0]), quarter))
    return lines


def _flat(image: UInt8, quad: Float32) -> tuple[UInt8, float]:
    """What lies in a quad, upright, and the slope of its upper edge, degrees counter-clockwise."""
    width = max(int(np.linalg.norm(quad[0] - quad[1])), int(np.linalg.norm(quad[2] - quad[3])), 4)
    height = max(int(np.linalg.norm(quad[0] - quad[3])), int(np.linalg.norm(quad[1] - quad[2])), 4)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad, target)
    flat = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    edge = quad[1] - quad[0]
    return np.asarray(flat, np.uint8), degrees(atan2(-float(edge[1]), float(edge[0])))


def aligned(lines: list[Line], size: int) -> list[Line]:
    """Give lines of nearly one direction one rotation, so that the matcher sees them side by side.

    The common direction is the circular mean of all, modulo 90 degrees. Boxes keep their middle and their sides.
    """
    if not lines:
        return []
    turns = np.exp(4j * np.radians([line.rotation for line in lines])).mean()
    base = degrees(np.angle(turns)) / 4
    out = []
    for line in lines:
        common = round((line.rotation - base) / 90) * 90 + base
        if abs((line.rotation - common + 180) % 360 - 180) >= SNAP:
            out.append(line)
            continue
        rotation = round(common) % 360
        width, height = line.box[2] - line.box[0], line.box[3] - line.box[1]
        middle = np.array([[(line.box[0] + line.box[2]) / 2, (line.box[1] + line.box[3]) / 2]], np.float32)
        x, y, _, _ = turned_box(middle, (rotation - line.rotation) % 360, size)
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        out.append(Line(line.pixels, rotation, box, line.quarter))
    return out


def turned_box(quad: Float32, rotation: int, size: int) -> tuple[float, float, float, float]:
    """Box around `quad` (4, 2) after its square picture of `size` px was turned counter-clockwise by `rotation`."""
    c, s = cos(radians(rotation)), sin(radians(rotation))
    x, y = (quad - size / 2).T
    turned_x, turned_y = c * x + s * y + size / 2, -s * x + c * y + size / 2
    return float(turned_x.min()), float(turned_y.min()), float(turned_x.max()), float(turned_y.max())
