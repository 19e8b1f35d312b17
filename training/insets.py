"""Hospital photos show a drug's boxes and blisters, and its bare pills in an inset: a framed little picture on top."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Rectangle = tuple[int, int, int, int]

SMALLEST, LARGEST = 0.015, 0.6
"""Area of an inset as a share of the photo's."""
FILLED: Final = 0.85
"""Share of its own bounding box from which an outline is a rectangle."""
BLACK: Final = 70
"""Brightest channel of an inset's black ground."""


def inset(photo: UInt8) -> Rectangle | None:
    """x, y, width, height px of the inset in (H, W, 3) uint8 RGB: a blue frame, or a black ground; None without one."""
    height, width = photo.shape[:2]
    bright = photo.astype(np.int16)
    blue = (bright[..., 2] - bright[..., 0] > 40) & (bright[..., 2] - bright[..., 1] > 10)
    found = [(x, y, w, h) for x, y, w, h in _rectangles(blue) if _is_frame(blue, (x, y, w, h))]
    if not found:
        found = _rectangles(photo.max(axis=2) < BLACK)
    fitting = [(x, y, w, h) for x, y, w, h in found if SMALLEST <= w * h / (width * height) <= LARGEST]
    return max(fitting, key=lambda r: r[2] * r[3], default=None)


def bare(photo: UInt8) -> UInt8:
    """The photo (H, W, 3), or of one with an inset that alone, its frame left out: the bubbles of a blister are alike
    as two faces are, and larger."""
    found = inset(photo)
    if found is None:
        return photo
    x, y, w, h = found
    rim = max(round(0.015 * w), 2)
    return np.ascontiguousarray(photo[y + rim : y + h - rim, x + rim : x + w - rim])


def _rectangles(mask: NDArray[Any]) -> list[Rectangle]:
    """Bounding boxes of the parts of a mask, and of the holes in them, that are rectangles along the axes."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    contours, _ = cv2.findContours(closed, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    boxes = [(cv2.boundingRect(contour), cv2.contourArea(cv2.convexHull(contour))) for contour in contours]
    return [(x, y, w, h) for (x, y, w, h), area in boxes if area >= FILLED * w * h and 0.4 < w / h < 3]


def _is_frame(blue: NDArray[Any], box: Rectangle) -> bool:
    """Whether a line runs along all four sides of `box`, and most of what it frames is of another colour."""
    x, y, w, h = box
    part = blue[y : y + h, x : x + w]
    edge = max(round(0.02 * min(w, h)), 4)
    sides = (part[:edge].any(axis=0), part[-edge:].any(axis=0), part[:, :edge].any(axis=1), part[:, -edge:].any(axis=1))
    return min(float(side.mean()) for side in sides) > 0.9 and float(part.mean()) < 0.4
