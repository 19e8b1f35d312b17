"""Average precision of boxes, as COCO defines it, for one class. numpy only, so it runs where serving runs.

Source of the definition: COCO's `cocoeval` (101 recall points, interpolated precision, greedy matching by score).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""The ten overlaps that mAP50-95 averages over."""
COCO_MAX = 100
"""Boxes of one photo that count."""
_RECALLS = np.linspace(0, 1, 101)


def overlaps(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes `a` (n, 4) and `b` (m, 4), corners in px. Returns (n, m) in [0, 1]."""
    corner1 = np.maximum(a[:, None, :2], b[None, :, :2])
    corner2 = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(corner2 - corner1, 0, None).prod(axis=2)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    return np.asarray(np.where(union > 0, shared / np.maximum(union, 1e-9), 0.0))


@dataclass(frozen=True, slots=True)
class Matches:
    """The found boxes of one photo, best first, at one overlap.

    `scores`: (n,); `hits`: (n,) whether a true box was met that no better-scored one took; `truth`: true boxes there.
    """

    scores: Floats
    hits: NDArray[np.bool_]
    truth: int


def match(found: Floats, truth: Floats, iou: float) -> Matches:
    """Give found boxes (n, 5: corners in px, score) to true ones (m, 4), greedily by score, overlap at least `iou`."""
    found = found[np.argsort(-found[:, 4], kind="stable")]
    shared = overlaps(found[:, :4], truth)
    free = np.ones(len(truth), bool)
    hits = np.zeros(len(found), bool)
    for row in range(len(found)):
        left = np.where(free, shared[row], -1.0)
        if len(left) and left.max() >= iou:
            free[int(left.argmax())] = False
            hits[row] = True
    return Matches(found[:, 4], hits, len(truth))


def average_precision(photos: Sequence[Matches]) -> float:
    """Area under the interpolated precision-recall curve over all photos, in [0, 1].

    Raises `ValueError` where no photo has a true box.
    """
    total = sum(photo.truth for photo in photos)
    if total == 0:
        raise ValueError("no true boxes: average precision is not defined")
    scores = np.concatenate([photo.scores for photo in photos])
    hits = np.concatenate([photo.hits for photo in photos])[np.argsort(-scores, kind="stable")]
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]  # at each recall the best precision still to come
    places = np.searchsorted(right / total, _RECALLS, side="left")
    return float(np.append(envelope, 0.0)[places].mean())


def at_half(photos: Sequence[Sequence[Matches]]) -> float:
    """mAP50. `photos`: for each its matches at every one of IOUS."""
    return average_precision([matches[0] for matches in photos])


def over_all(photos: Sequence[Sequence[Matches]]) -> float:
    """mAP50-95, the mean over IOUS."""
    return float(np.mean([average_precision([matches[i] for matches in photos]) for i in range(len(IOUS))]))
