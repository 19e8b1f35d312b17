"""Reference photo -> cut-outs of the faces on it.

NIH crops lie on pure black. TFDA photos show both faces of a pill beside a ruler, on paper of any colour, small,
sometimes with print, a box or a blister beside them: the detector finds the two, the background remover cuts them.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.cutout import CROP_SIZE, SquareCrop, crop_around, cut_out, orientation
from pipeline.pills import independent
from pipeline.ports import Background, Detector

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

FINDER_VERSION: Final = "2"
"""Raised when `find_faces` would find other faces in the same photo with the same models."""
CUTTER_VERSION: Final = "1"
"""Raised when `cut_isolated` would cut otherwise."""

Box = tuple[float, float, float, float]

MIN_SCORE: Final = 0.1
"""Detections below this are not looked at."""
MAX_CANDIDATES: Final = 6
"""Boxes of one look whose outline is drawn."""
CLOSER: Final = 6.0
"""Side of the second look, in long sides of the best box of the first: the pair is large in it, and whole."""
SAME_SIZE: Final = 1.3
"""Largest ratio between the areas of two outlines that can be the two faces of one pill."""
MAX_OVERLAP: Final = 0.25
"""Largest share of the smaller box that may lie in the other: two capsules side by side do touch."""
GOOD_QUALITY: Final = 0.5
"""Faces at least this good need no second look."""
LEAST_QUALITY: Final = 0.12
"""Faces worse than this are paper, print or rulers."""
CLEAR_EDGE: Final = 12.0
"""Step across an outline, in gray levels, from which it is beyond doubt; white pills on white paper have about 8."""
LENGTH_OVER_WIDTH: Final = {"round": (1.0, 1.2), "oval": (1.15, 2.8), "oblong": (1.35, 3.8)}
"""Of outlines, by shape; other shapes lie between 1 and 2.2."""


@dataclass(frozen=True, slots=True)
class FoundFace:
    """One face in a photo. `view`: the box that was cropped around, x1, y1, x2, y2 in px of the photo; `mask`: the
    face in that crop, (CROP_SIZE, CROP_SIZE) uint8 0/255, not empty."""

    view: Box
    mask: UInt8

    def cut_out(self, photo: UInt8) -> UInt8:
        """(CUTOUT_SIZE, CUTOUT_SIZE, 4) uint8 RGBA from the same photo (H, W, 3)."""
        return cut_out(crop_around(photo, self.view).pixels, self.mask)

    def pack(self) -> bytes:
        """A few hundred bytes to keep it in."""
        return np.array(self.view, "<f4").tobytes() + zlib.compress(np.packbits(self.mask > 0).tobytes(), 6)

    @classmethod
    def unpack(cls, data: bytes) -> "FoundFace":
        x1, y1, x2, y2 = np.frombuffer(data[:16], "<f4").tolist()
        bits = np.unpackbits(np.frombuffer(zlib.decompress(data[16:]), np.uint8))
        return cls((x1, y1, x2, y2), (bits.reshape(CROP_SIZE, CROP_SIZE) * 255).astype(np.uint8))


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be a face. `box`, `area`: of its outline, in px and px² of the photo; `quality`: [0, 1]."""

    face: FoundFace
    box: Box
    area: float
    quality: float


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


async def find_faces(
    photo: UInt8, detector: Detector, background: Background, most: int, shapes: Sequence[str] = ()
) -> list[FoundFace]:
    """Find at most `most` (1 or 2) faces of one pill in a photo, from left to right or from top to bottom.

    Two looks: one at the whole photo, one at the surroundings of what looks most like a face there.

    Args:
        photo: (H, W, 3) uint8 RGB.
        shapes: what the catalogue says the pill's outline may be; () = it does not say.
    """
    candidates = await _candidates(photo, await detector.detect(photo), background, shapes)
    if not candidates:
        return []
    chosen = choose(candidates, most)
    if len(chosen) == most and all(candidate.quality >= GOOD_QUALITY for candidate in chosen):
        return [candidate.face for candidate in _in_order(chosen)]
    x1, y1, x2, y2 = max(candidates, key=_weight).box
    view = crop_around(photo, (x1, y1, x2, y2), margin=(CLOSER - 1) / 2, size=640)
    closer = _in_photo(await detector.detect(view.pixels), view, photo.shape)
    candidates += await _candidates(photo, closer, background, shapes)
    return [candidate.face for candidate in _in_order(choose(candidates, most))]


async def _candidates(photo: UInt8, found: Float32, background: Background, shapes: Sequence[str]) -> list[Candidate]:
    """Detections (N, 5) as outlines; an outline that falls into two like parts also as those."""
    found = independent(found[found[:, 4] >= MIN_SCORE], 0.85)
    sides = np.sqrt((found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1]))
    found = found[np.argsort(-found[:, 4] * sides)[:MAX_CANDIDATES]]  # or the digits of a ruler crowd the pills out
    if not len(found):
        return []
    boxes = [(float(b[0]), float(b[1]), float(b[2]), float(b[3])) for b in found]
    crops = [crop_around(photo, box) for box in boxes]
    masks = await background.mask(np.stack([crop.pixels for crop in crops]))
    candidates = []
    for box, score, crop, mask in zip(boxes, found[:, 4].tolist(), crops, masks, strict=True):
        whole = largest_part(mask)
        if not whole.any():
            continue
        candidate = _candidate(FoundFace(box, whole), crop, score, shapes)
        candidates.append(candidate)
        if candidate.quality < GOOD_QUALITY:
            candidates += [_candidate(FoundFace(box, half), crop, score, shapes) for half in halves(whole)]
    return candidates


def _candidate(face: FoundFace, crop: SquareCrop, score: float, shapes: Sequence[str]) -> Candidate:
    """Weigh an outline: pills are convex, end inside the crop, and have the proportions the catalogue states."""
    x, y, width, height = cv2.boundingRect(face.mask)
    left, top = crop.origin[0] + x * crop.scale, crop.origin[1] + y * crop.scale
    contours, _ = cv2.findContours(face.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=cv2.contourArea)
    area = float((face.mask > 0).sum())
    solid = area / max(cv2.contourArea(cv2.convexHull(outline)), 1.0)
    whole = min(x, y, CROP_SIZE - x - width, CROP_SIZE - y - height) > 1
    ratio = orientation(face.mask)[1]
    ranges = [LENGTH_OVER_WIDTH.get(shape, (1.0, 2.2)) for shape in shapes] or [(1.0, 3.8)]
    off = min(max(low / ratio, ratio / high, 1.0) for low, high in ranges)
    quality = score**0.5 * min(max((solid - 0.8) / 0.15, 0.0), 1.0) * (1.0 if whole else 0.3) / off**4
    quality *= min(max(_edge(crop.pixels, outline) / CLEAR_EDGE, 0.1), 1.0)
    box = (left, top, left + width * crop.scale, top + height * crop.scale)
    return Candidate(face, box, area * crop.scale**2, quality)


def _edge(pixels: UInt8, outline: NDArray[Any]) -> float:
    """Median step of brightness or colour across an outline (P, 1, 2), in gray levels; on plain paper there is none."""
    smooth = cv2.GaussianBlur(pixels, (0, 0), 3).astype(np.float32)
    step = np.asarray(cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, np.ones((9, 9), np.uint8))).max(axis=2)
    return float(np.median(step[outline[:, 0, 1], outline[:, 0, 0]]))


def halves(mask: UInt8) -> list[UInt8]:
    """The two parts of like size that a mask (H, W) of touching pills falls into when worn down; [] if it does not."""
    depth = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, 5)
    for share in (0.3, 0.45, 0.6, 0.75, 0.85):
        count, labels, stats, _ = cv2.connectedComponentsWithStats((depth > share * depth.max()).astype(np.uint8))
        large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= 0.2 * stats[1:, cv2.CC_STAT_AREA].sum()]
        if len(large) != 2:
            continue
        away = [cv2.distanceTransform((labels != i).astype(np.uint8), cv2.DIST_L2, 5) for i in large]
        first = (away[0] <= away[1]) & (mask > 0)
        second = ~first & (mask > 0)
        if max(first.sum(), second.sum()) <= SAME_SIZE * min(first.sum(), second.sum()):
            return [largest_part(np.asarray(part * 255, np.uint8)) for part in (first, second)]
    return []


def choose(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    """The best pair of like faces if `most` is 2 and there is one, else the best face; [] when none is good enough."""
    good = sorted((c for c in candidates if c.quality >= LEAST_QUALITY), key=_weight, reverse=True)
    pairs = [pair for pair in combinations(good, 2) if most > 1 and _alike(*pair)]
    if pairs:
        best = max(pairs, key=lambda pair: _weight(pair[0]) + _weight(pair[1]))
        if _weight(best[0]) + _weight(best[1]) >= _weight(good[0]):
            return list(best)
    return good[:1]


def _weight(candidate: Candidate) -> float:
    """Large and good go before small and good: the digits of a ruler are fine little ovals."""
    return candidate.quality * candidate.area


def _alike(a: Candidate, b: Candidate) -> bool:
    """Whether two can be the faces of one pill: about one size, not one inside the other."""
    width = max(min(a.box[2], b.box[2]) - max(a.box[0], b.box[0]), 0.0)
    height = max(min(a.box[3], b.box[3]) - max(a.box[1], b.box[1]), 0.0)
    smaller = min((c.box[2] - c.box[0]) * (c.box[3] - c.box[1]) for c in (a, b))
    return max(a.area, b.area) <= SAME_SIZE * min(a.area, b.area) and width * height <= MAX_OVERLAP * smaller


def _in_photo(found: Float32, view: SquareCrop, shape: Sequence[int]) -> Float32:
    """Detections in a view, in px of the photo; those that reach the view's edge are parts of something."""
    inside = (found[:, :2] > 2).all(axis=1) & (found[:, 2:4] < view.pixels.shape[0] - 2).all(axis=1)
    moved = found[inside].copy()
    moved[:, :4] = moved[:, :4] * view.scale + np.array([*view.origin, *view.origin], np.float32)
    within = (moved[:, :2] >= -1).all(axis=1) & (moved[:, 2] <= shape[1] + 1) & (moved[:, 3] <= shape[0] + 1)
    return np.asarray(moved[within], np.float32)


def _in_order(faces: Sequence[Candidate]) -> list[Candidate]:
    """Left to right where they stand beside each other, else from top to bottom."""
    if len(faces) < 2:
        return list(faces)
    a, b = (np.array([c.box[0] + c.box[2], c.box[1] + c.box[3]]) / 2 for c in faces)
    axis = int(np.abs(a - b).argmax())
    return sorted(faces, key=lambda c: c.box[axis] + c.box[axis + 2])


ROUNDISH: Final = 1.12
ELLIPSE_LIKE: Final = 0.835
"""Share of its enclosing rectangle that a shape fills: an ellipse pi/4 = .785, a stadium twice as long as wide .893."""


@dataclass(frozen=True, slots=True)
class Proportions:
    """Of an outline: length over width, and the share of its smallest enclosing rectangle that it fills."""

    ratio: float
    fill: float

    @classmethod
    def of(cls, mask: UInt8) -> "Proportions":
        """`mask`: (H, W) uint8, not empty."""
        contours, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        (_, (width, height), _) = cv2.minAreaRect(np.concatenate(contours))
        return cls(orientation(mask)[1], float((mask > 0).sum() / max(width * height, 1.0)))


def shape_of(outlines: Sequence[Proportions], possible: Sequence[str]) -> str:
    """Which of the shapes that the catalogue's word may mean the outlines of an item's faces speak for.

    Tells oval, oblong and square apart; for other choices, and without an outline, the first of `possible` stays.
    """
    if len(possible) < 2 or not outlines:
        return possible[0]
    ratio = float(np.median([outline.ratio for outline in outlines]))
    fill = float(np.median([outline.fill for outline in outlines]))
    measured = "oval" if fill < ELLIPSE_LIKE else "square" if ratio < ROUNDISH else "oblong"
    return measured if measured in possible else possible[0]
