"""Which of the detector's boxes are meant, and what to do where the mask fails."""

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.cutout import SquareCrop
from pipeline.ports import Float32, UInt8


@dataclass(frozen=True, slots=True)
class DetectionLimits:
    """Thresholds and bounds on what one photo may cause."""

    score: float = 0.4  # from which a box counts as a pill
    lone_score: float = 0.12  # from which a photo's only box counts: where one pill is asked for, it fills the photo
    clear_score: float = 0.6  # a lone box from here on needs no second look from afar
    pill: float = 0.5  # of the verdict, from which a boxed thing is a pill; the model's bar lies at one half
    companion_area: float = 0.3  # a second pill at least this large, relative to the first, makes it "several"
    inside: float = 0.7  # share of a box inside a better one from which it is part of it: an imprint, a half
    frame: int = 640  # px, long side of what the detector is shown
    closer: bool = True  # look again at parts of a large photo where a pill is small
    most_pills: int = 40
    at_once: int = 10  # pills looked at side by side: a dispensing pouch


def independent(boxes: Float32, inside: float) -> Float32:
    """Drop boxes that lie mostly inside a better one. `boxes`: (N, 5), best first."""
    kept: list[int] = []
    for i, box in enumerate(boxes):
        area = max(float((box[2] - box[0]) * (box[3] - box[1])), 1e-6)
        if all(_overlap(box, boxes[j]) / area < inside for j in kept):
            kept.append(i)
    return boxes[kept]


def several_pills(boxes: Float32, limits: DetectionLimits) -> bool:
    """More than one pill of about the same size."""
    sure = independent(boxes, limits.inside)
    sure = sure[sure[:, 4] >= limits.score]
    if len(sure) < 2:
        return False
    areas = (sure[:, 2] - sure[:, 0]) * (sure[:, 3] - sure[:, 1])
    return bool((areas >= limits.companion_area * areas.max()).sum() > 1)


def one_pill(boxes: Float32, limits: DetectionLimits) -> int | None:
    """Row of the box that is meant where a photo shows one pill, or None. Among sure boxes the largest."""
    sure = np.flatnonzero(boxes[:, 4] >= limits.score)
    if len(sure):
        areas = (boxes[sure, 2] - boxes[sure, 0]) * (boxes[sure, 3] - boxes[sure, 1])
        return int(sure[(areas * boxes[sure, 4]).argmax()])
    if len(boxes) and boxes[0, 4] >= limits.lone_score:
        return 0
    return None


def clear(boxes: Float32, limits: DetectionLimits) -> bool:
    """One sure pill and nothing else: no second look is needed."""
    sure = boxes[boxes[:, 4] >= limits.score]
    return len(sure) == 1 and bool(sure[0, 4] >= limits.clear_score)


def from_afar(image: UInt8) -> tuple[UInt8, tuple[int, int]]:
    """The photo without black bars, in the middle of a canvas twice as large: (canvas, where its pixel (0, 0) lies).

    A detector that sees a pill from rim to rim takes its letters or halves for pills; seen from afar it does not. On
    187 tight consumer photos this found the pill on 185 instead of 177. `image`: (H, W, 3) uint8 RGB. The canvas is
    filled with the median colour of the photo's border.
    """
    top, bottom, left, right = _without_bars(image)
    part = image[top:bottom, left:right]
    height, width = part.shape[:2]
    side = 2 * max(height, width)
    y, x = (side - height) // 2, (side - width) // 2
    rim = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
    canvas = np.empty((side, side, 3), np.uint8)
    canvas[:] = np.median(rim, axis=0)
    canvas[y : y + height, x : x + width] = part
    return canvas, (x - left, y - top)


def more_likely(near: Float32, far: Float32, image: UInt8) -> Float32:
    """Of two looks at one photo, (N, 5) each in its px, the one whose best box is surer and larger.

    Larger counts because what is wrongly found up close is a letter. Boxes are clipped to the photo without its bars.
    """
    top, bottom, left, right = _without_bars(image)
    for boxes in (near, far):
        np.clip(boxes[:, 0:4:2], left, right, out=boxes[:, 0:4:2])
        np.clip(boxes[:, 1:4:2], top, bottom, out=boxes[:, 1:4:2])

    def weight(boxes: Float32) -> float:
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        return float((boxes[:, 4] * np.sqrt(areas)).max(initial=0.0))

    return far if weight(far) > weight(near) else near


def _without_bars(image: UInt8) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of the photo proper: apps letterbox to a square with black bars."""
    lit = image.max(axis=2) > 16
    rows, columns = np.flatnonzero(lit.mean(axis=1) > 0.25), np.flatnonzero(lit.mean(axis=0) > 0.25)
    if len(rows) < 10 or len(columns) < 10:
        return 0, image.shape[0], 0, image.shape[1]
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def usable_mask(mask: UInt8 | None, box: Float32, crop: SquareCrop) -> UInt8:
    """The runner's mask, or an ellipse in the box where there is none or it fills too little of the box.

    `mask`: (S, S) uint8; `box`: px of the photo. Returns (S, S) uint8 0/255.
    """
    size = crop.pixels.shape[0]
    x1, y1 = (np.asarray(box[:2]) - crop.origin) / crop.scale
    x2, y2 = (np.asarray(box[2:4]) - crop.origin) / crop.scale
    if mask is not None and np.count_nonzero(mask) >= 0.3 * max((x2 - x1) * (y2 - y1), 1.0):
        return mask
    ellipse = np.zeros((size, size), np.uint8)
    center, axes = ((x1 + x2) / 2, (y1 + y2) / 2), (max(x2 - x1, 2.0), max(y2 - y1, 2.0))
    cv2.ellipse(ellipse, (center, axes, 0.0), 255, -1)
    return ellipse


def _overlap(a: Float32, b: Float32) -> float:
    """Area shared by two boxes, px²."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    return max(float(w), 0.0) * max(float(h), 0.0)
