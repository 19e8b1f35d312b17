"""What the text finder is shown of a relief: the pill alone, as large as a fixed number of pixels allows.

A capsule fills a third of its square cut-out, and its letters are the smallest. Framed by its own outline it is shown
nearly twice as large as in the whole square, for the same work.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from runners.ocr_relief import GROUND, pill_box

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

PIXELS: Final = 192 * 192
"""Of a frame, about."""
SPARE: Final = 0.06
"""Share of the pill's larger side that is left free on every side."""
MULTIPLE: Final = 32
"""Of which both sides of a frame are."""
LARGEST: Final = 1.0
"""Px of the frame per px of the relief, at most: more would show nothing new."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """`pixels`: (h, w) uint8; `scale`: px of it per px of the relief; `corner`: upper left, px of the relief."""

    pixels: UInt8
    scale: float
    corner: tuple[float, float]

    def back(self, points: Float32) -> Float32:
        """Points (n, 2) of the frame, in px of the relief."""
        return np.asarray(points / self.scale + np.array(self.corner), np.float32)


def framed(picture: UInt8) -> Frame:
    """Of a relief (S, S, 3); the whole of it where it shows nothing."""
    gray = picture[..., 0]
    shown = pill_box(gray)
    x, y, w, h = shown or (0, 0, gray.shape[1], gray.shape[0])
    spare = 2 * SPARE * max(w, h) if shown else 0.0
    scale = min((PIXELS / ((w + spare) * (h + spare))) ** 0.5, LARGEST)
    width, height = (max(round((side + spare) * scale / MULTIPLE), 1) * MULTIPLE for side in (w, h))
    corner = x + w / 2 - width / scale / 2, y + h / 2 - height / scale / 2
    matrix = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]], np.float32)
    if scale < 0.75:  # what would be skipped is averaged
        gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), 0.4 / scale), np.uint8)
    pixels = cv2.warpAffine(gray, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=GROUND)
    return Frame(np.asarray(pixels, np.uint8), scale, corner)
