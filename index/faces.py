"""Reference photo -> cut-outs of the faces on it.

NIH crops lie on pure black. TFDA photos show both faces of a pill beside a ruler, on paper of any colour, small,
sometimes with print, a box or a blister beside them: the detector finds the two, the background remover cuts them.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.cutout import CROP_SIZE, SquareCrop, crop_around, cut_out, orientation
from pipeline.pills import usable_mask
from pipeline.ports import Background, Detector

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

FACES_VERSION: Final = "1"
"""Raised when the same photo and models would give other faces."""

MIN_SCORE: Final = 0.15
"""Detections below this are rulers and print."""
MAX_CANDIDATES: Final = 12
SAME_SIZE: Final = 1.35
"""Largest ratio between the areas of two boxes that can be the two faces of one pill."""
MAX_OVERLAP: Final = 0.3
"""Largest share of the smaller box that may lie in the other: two capsules side by side do touch."""
PAIR_FLOOR: Final = 0.35
"""A second face counts when its score is at least this share of the first one's."""
ZOOM: Final = 3.0
"""The second look shows the pair with this many times its own size, so that each face is large in the frame."""


@dataclass(frozen=True, slots=True)
class FoundFace:
    """One face in a photo. `box`: x1, y1, x2, y2 in px of the photo; `mask`: (CROP_SIZE, CROP_SIZE) uint8 0/255."""

    box: tuple[float, float, float, float]
    mask: UInt8

    def cut_out(self, photo: UInt8) -> UInt8:
        """(CUTOUT_SIZE, CUTOUT_SIZE, 4) uint8 RGBA from the same photo (H, W, 3)."""
        return cut_out(crop_around(photo, self.box).pixels, self.mask)

    def pack(self) -> bytes:
        """A few hundred bytes to keep it in."""
        return np.array(self.box, "<f4").tobytes() + zlib.compress(np.packbits(self.mask > 0).tobytes(), 6)

    @classmethod
    def unpack(cls, data: bytes) -> "FoundFace":
        x1, y1, x2, y2 = np.frombuffer(data[:16], "<f4").tolist()
        bits = np.unpackbits(np.frombuffer(zlib.decompress(data[16:]), np.uint8))
        return cls((x1, y1, x2, y2), (bits.reshape(CROP_SIZE, CROP_SIZE) * 255).astype(np.uint8))


def mask_on_black(image: UInt8, threshold: int = 10) -> UInt8:
    """Mask of a pill on a black canvas, (H, W, 3) uint8 -> (H, W) uint8 0/255.

    Only black that is connected to the border is background: a black capsule keeps its body. JPEG ringing around
    the rim is brighter than `threshold` in places, so the mask is opened by 3 px; its outermost pixel is mixed with
    the black around it and goes too.
    """
    dark = (image.max(axis=2) <= threshold).astype(np.uint8)
    padded = cv2.copyMakeBorder(dark, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, labels = cv2.connectedComponents(padded, connectivity=4)
    mask = (labels[1:-1, 1:-1] != labels[0, 0]).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    return np.asarray(cv2.erode(largest_part(mask), np.ones((3, 3), np.uint8)), np.uint8)


def largest_part(mask: UInt8) -> UInt8:
    """The largest connected part of a mask (H, W), 0/255; all 0 when there is none."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8), connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, np.uint8)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return np.asarray((labels == largest) * 255, np.uint8)


def cut_isolated(image: UInt8) -> list[UInt8]:
    """The cut-out of a face on pure black, (H, W, 3) uint8; [] when the picture is black."""
    mask = mask_on_black(image)
    return [cut_out(image, mask)] if mask.any() else []


async def find_faces(photo: UInt8, detector: Detector, background: Background, most: int) -> list[FoundFace]:
    """Find at most `most` (1 or 2) faces of one pill in a photo (H, W, 3) uint8, left to right, then top to bottom.

    Two looks: one at the whole photo, one at the part where the faces were, enlarged.
    """
    chosen, score = choose(await detector.detect(photo), most)
    if len(chosen):
        x1, y1 = chosen[:, :2].min(axis=0)
        x2, y2 = chosen[:, 2:4].max(axis=0)
        view = crop_around(photo, (float(x1), float(y1), float(x2), float(y2)), margin=(ZOOM - 1) / 2, size=640)
        closer, closer_score = choose(_in_photo(await detector.detect(view.pixels), view, photo.shape), most)
        if len(closer) >= len(chosen) and closer_score >= score - 0.2:
            chosen = closer
    boxes = [
        (float(b[0]), float(b[1]), float(b[2]), float(b[3]))
        for b in chosen[np.lexsort((chosen[:, 1], _column(chosen)))]
    ]
    if not boxes:
        return []
    crops = [crop_around(photo, box) for box in boxes]
    masks = await background.mask(np.stack([crop.pixels for crop in crops]))
    return [
        FoundFace(box, usable_mask(largest_part(mask), np.array(box, np.float32), crop))
        for box, mask, crop in zip(boxes, masks, crops, strict=True)
    ]


def choose(found: Float32, most: int) -> tuple[Float32, float]:
    """The detections (N, 5) that are the faces: the best pair of like size if `most` is 2, else the best one.

    Returns them, (M, 5), and the sum of their scores.
    """
    found = found[found[:, 4] >= MIN_SCORE][:MAX_CANDIDATES]
    if not len(found):
        return np.zeros((0, 5), np.float32), 0.0
    pairs = [pair for pair in combinations(range(len(found)), 2) if _alike(found[pair[0]], found[pair[1]])]
    if most >= 2 and pairs:
        best = max(pairs, key=lambda pair: float(found[list(pair), 4].sum()))
        if found[list(best), 4].min() >= PAIR_FLOOR * found[0, 4]:
            return found[list(best)], float(found[list(best), 4].sum())
    return found[:1], float(found[0, 4])


def _alike(a: Float32, b: Float32) -> bool:
    """Whether two boxes can be two faces of one pill: about one size, not one inside the other."""
    area_a, area_b = (float((box[2] - box[0]) * (box[3] - box[1])) for box in (a, b))
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    smaller = min(area_a, area_b)
    return max(area_a, area_b) <= SAME_SIZE * smaller and float(width * height) <= MAX_OVERLAP * smaller


def _in_photo(found: Float32, view: SquareCrop, shape: Sequence[int]) -> Float32:
    """Detections in a view, in px of the photo; those that reach the view's edge are parts of something."""
    inside = (found[:, :2] > 2).all(axis=1) & (found[:, 2:4] < view.pixels.shape[0] - 2).all(axis=1)
    moved = found[inside].copy()
    moved[:, :4] = moved[:, :4] * view.scale + np.array([*view.origin, *view.origin], np.float32)
    within = (moved[:, 0] >= -1) & (moved[:, 1] >= -1) & (moved[:, 2] <= shape[1] + 1) & (moved[:, 3] <= shape[0] + 1)
    return np.asarray(moved[within], np.float32)


def _column(boxes: Float32) -> NDArray[np.int64]:
    """0 for all boxes that stand above each other, else their order from left to right."""
    if len(boxes) < 2:
        return np.zeros(len(boxes), np.int64)
    centers = (boxes[:, 0] + boxes[:, 2]) / 2
    beside = abs(centers[0] - centers[1]) > 0.5 * (boxes[:, 2] - boxes[:, 0]).mean()
    return np.argsort(np.argsort(centers)) if beside else np.zeros(len(boxes), np.int64)


ROUNDISH: Final = 1.12
ELLIPSE_LIKE: Final = 0.835
"""Share of its enclosing rectangle that a shape fills: an ellipse pi/4 = .785, a stadium twice as long as wide .893."""


def shape_of_outline(masks: Sequence[UInt8], possible: Sequence[str]) -> str:
    """Which of the shapes that the catalogue's word may mean the outlines (H, W, 0/255) speak for.

    Tells oval, oblong and square apart by length over width and by how much of the rectangle is filled; for other
    choices, and without an outline, the first of `possible` stays.
    """
    if len(possible) < 2 or not masks:
        return possible[0]
    ratios, fills = zip(*(_ratio_and_fill(mask) for mask in masks), strict=True)
    ratio, fill = float(np.median(ratios)), float(np.median(fills))
    measured = "oval" if fill < ELLIPSE_LIKE else "square" if ratio < ROUNDISH else "oblong"
    return measured if measured in possible else possible[0]


def _ratio_and_fill(mask: UInt8) -> tuple[float, float]:
    _, ratio, _ = orientation(mask)
    contours, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    (_, (width, height), _) = cv2.minAreaRect(np.concatenate(contours))
    return ratio, float((mask > 0).sum() / max(width * height, 1.0))
