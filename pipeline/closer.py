"""Small pills in large photos: a second, closer look at overlapping parts of the photo.

The detector sees a photo shrunk to a few hundred pixels. A pill that is tiny there has more pixels in the photo itself;
parts of the photo at the same working size show them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.ports import Float32

SMALL: Final = 32.0
"""Long side of a box, px of the shrunk photo, under which the pill deserves a closer look: four cells of the detector's
finest grid."""
TINY: Final = 18.0
"""Under this, three parts a side instead of two."""
OVERLAP: Final = 0.2
"""Overlap of neighbouring parts, share of a part: more than any small pill is long, so each is whole in one of them."""
CUT: Final = 2.0
"""Distance from a part's inner border, px of the shrunk part, within which a box is a pill cut in two."""
SAME: Final = 0.55
"""Share of the smaller of two boxes that lies in the other, from which they are the same pill."""


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of the photo, px."""

    x: int
    y: int
    width: int
    height: int


def longest(boxes: Float32) -> Float32:
    """Long side of each box, (N,), px."""
    return np.asarray(np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]), np.float32)


def parts_to_look_at(boxes: Float32, size: tuple[int, int], frame: int) -> list[Part]:
    """Parts that deserve a closer look; none where every box is large enough or the photo holds no more detail.

    Args:
        boxes: (N, 5) that may be pills, px of the photo.
        size: width, height of the photo, px.
        frame: long side of what the detector is shown, px.
    """
    width, height = size
    factor = max(width, height) / frame
    sides = longest(boxes) / factor
    if not len(sides) or sides.min() >= SMALL:
        return []
    count = 3 if sides.min() < TINY else 2
    share = 1 / (count - (count - 1) * OVERLAP)  # of the long side
    if factor * share < 1:  # it would only be blown up
        return []
    side = int(np.ceil(share * max(width, height)))
    return [
        Part(x, y, min(side, width), min(side, height)) for y in _starts(height, side) for x in _starts(width, side)
    ]


def _starts(length: int, side: int) -> list[int]:
    """Where parts of `side` px begin along `length` px, evenly, overlapping by OVERLAP at least."""
    if side >= length:
        return [0]
    count = int(np.ceil((length - side) / (side * (1 - OVERLAP)) - 1e-6)) + 1
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


def join(whole: Float32, parts: Sequence[Part], found: Sequence[Float32], size: tuple[int, int], frame: int) -> Float32:
    """One list of boxes from both looks, (N, 5) px of the photo, best first.

    Large pills are believed as the first look saw them, small ones as the closer look did; what the closer look did
    not see again was none.

    Args:
        whole: (N, 5) of the first look, px of the photo.
        found: for each part (N, 5), px of the part.
        size, frame: as for `parts_to_look_at`.
    """
    shrunk = max(size) / frame
    large = whole[longest(whole) >= SMALL * shrunk]
    closer = [_whole_ones(part, boxes, size, frame) for part, boxes in zip(parts, found, strict=True)]
    small = np.concatenate(closer) if closer else np.zeros((0, 5), np.float32)
    small = small[longest(small) < 2 * SMALL * shrunk]
    kept: list[Float32] = list(large)
    for box in small[np.argsort(-small[:, 4], kind="stable")]:
        if not any(_same(box, other) for other in kept):
            kept.append(box)
    joined = np.asarray(kept, np.float32).reshape(-1, 5)
    return joined[np.argsort(-joined[:, 4], kind="stable")]


def _whole_ones(part: Part, boxes: Float32, size: tuple[int, int], frame: int) -> Float32:
    """Boxes of a part, in px of the photo, without those that its inner borders cut."""
    width, height = size
    near = CUT * max(part.width, part.height) / frame
    cut = (
        ((boxes[:, 0] < near) & (part.x > 0))
        | ((boxes[:, 1] < near) & (part.y > 0))
        | ((boxes[:, 2] > part.width - near) & (part.x + part.width < width))
        | ((boxes[:, 3] > part.height - near) & (part.y + part.height < height))
    )
    kept = boxes[~cut].astype(np.float32)
    kept[:, :4] += np.array([part.x, part.y, part.x, part.y], np.float32)
    return kept


def _same(a: Float32, b: Float32) -> bool:
    wide = max(float(min(a[2], b[2]) - max(a[0], b[0])), 0.0)
    high = max(float(min(a[3], b[3]) - max(a[1], b[1])), 0.0)
    areas = (float((box[2] - box[0]) * (box[3] - box[1])) for box in (a, b))
    return wide * high > SAME * min(areas)
