"""Text bent along the rim of a round pill: the ring under the rim is unrolled, and what stands out on it is one line.

No line finder sees such a line, as it has no direction. Only its most inked stretch is read, in both ways it may
stand: feet to the middle, as over the top of a pill, and feet to the rim.
"""

from math import cos, degrees, pi, sin
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from runners.ocr_lines import Line
from runners.ocr_relief import GROUND, pill_box

UInt8 = NDArray[np.uint8]

ROUND: Final = 1.12
"""Ratio of the sides up to which a pill is round."""
INNER: Final = 0.46
OUTER: Final = 0.84
"""Ring that is unrolled, shares of the radius: where letters of rim text stand."""
AROUND: Final = 560
"""Width of the unrolled ring, px, for 48 px of height: letters keep their shape."""
HEIGHT: Final = 48
LONGEST: Final = 280
"""Width of the stretch that is read, px: half of the ring."""
INKED: Final = 0.25
"""Share of the strongest column's contrast from which a column belongs to the text."""
SPARE: Final = 16
"""Px kept on both sides of the text."""


def rim_lines(picture: UInt8) -> list[Line]:
    """The line along the rim of a relief (S, S, 3), in both ways it may stand; [] where the pill is not round."""
    gray = picture[..., 0]
    x, y, w, h = pill_box(gray) or (0, 0, 0, 0)
    if not w or max(w, h) > ROUND * min(w, h):
        return []
    middle, radius = (x + w / 2, y + h / 2), (w + h) / 4
    angles = np.arange(AROUND, dtype=np.float32) * (2 * pi / AROUND)  # clockwise from the right
    reach = np.linspace(OUTER, INNER, HEIGHT, dtype=np.float32)[:, None] * radius
    ring = cv2.remap(
        gray, (middle[0] + np.cos(angles)[None] * reach).astype(np.float32),
        (middle[1] + np.sin(angles)[None] * reach).astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=GROUND,
    )  # fmt: skip
    start, width = _inked(np.asarray(ring, np.uint8))
    strip = np.roll(ring, -start, axis=1)[:, :width].astype(np.uint8)
    at = degrees((start + width / 2) * 2 * pi / AROUND)
    half = width / AROUND * pi
    lines = []
    for quarter, rotation in ((0, at + 90), (2, at - 90)):  # the text's middle turned to the top, to the bottom
        pixels = np.repeat(np.ascontiguousarray(np.rot90(strip, quarter))[..., None], 3, axis=2)
        box = _arc_box(picture.shape[0], radius, half, top=quarter == 0)
        lines.append(Line(pixels, round(rotation) % 360, box, quarter))
    return lines


def _inked(ring: UInt8) -> tuple[int, int]:
    """First column and width of the stretch of a ring (h, w) with the most contrast, px; it may run over the end."""
    edges = np.abs(np.diff(ring.astype(np.float32), axis=1, append=ring[:, :1])).mean(axis=0)
    smooth = np.convolve(np.concatenate([edges[-12:], edges, edges[:12]]), np.full(25, 1 / 25), "valid")
    ink = np.maximum(smooth - np.median(smooth), 0)
    sums = np.concatenate([[0], np.cumsum(np.concatenate([ink, ink]))])
    start = int((sums[LONGEST : LONGEST + AROUND] - sums[:AROUND]).argmax())
    stretch = np.roll(ink, -start)[:LONGEST]
    inked = np.flatnonzero(stretch >= INKED * max(float(stretch.max()), 1e-6))
    first, last = max(int(inked[0]) - SPARE, 0), min(int(inked[-1]) + SPARE, LONGEST)
    return (start + first) % AROUND, max(last - first, HEIGHT)


def _arc_box(size: int, radius: float, half: float, *, top: bool) -> tuple[float, float, float, float]:
    """Around the arc of `half` its angle, px of the cut-out turned so that its middle is at the top, or the bottom."""
    wide, deep = OUTER * radius * sin(min(half, pi / 2)), INNER * radius * cos(min(half, pi / 2))
    c = size / 2
    return (
        (c - wide, c - OUTER * radius, c + wide, c - deep)
        if top
        else (c - wide, c + deep, c + wide, c + OUTER * radius)
    )
