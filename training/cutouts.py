"""Real pills with exact masks: NIH reference crops, 224 px, one pill centred on black."""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.appearance import bleed

UInt8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PillImage:
    """One side of one pill, cut out exactly."""

    rgba: UInt8  # (H, W, 4), alpha 0 or 255; RGB just outside the mask repeats the rim
    file: str  # name of the crop
    side: str  # "front" | "back"
    appearance: str  # id of the pill's look, the unit of every split


def mask_on_black(image: UInt8, threshold: int = 10) -> UInt8:
    """Mask of a pill on a black canvas, (H, W, 3) uint8 -> (H, W) uint8 0/255.

    Only black that is connected to the border is background: a black capsule keeps its body. JPEG ringing around
    the rim is brighter than `threshold` in places, so the mask is opened by 3 px.
    """
    dark = (image.max(axis=2) <= threshold).astype(np.uint8)
    padded = cv2.copyMakeBorder(dark, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, labels = cv2.connectedComponents(padded, connectivity=4)
    mask = (labels[1:-1, 1:-1] != labels[0, 0]).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, np.uint8)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    # the outermost pixel is mixed with the black around it
    return np.asarray(cv2.erode((labels == largest).astype(np.uint8), np.ones((3, 3), np.uint8)) * 255, np.uint8)


def read_rgb(path: Path) -> UInt8:
    """Decode an image file to (H, W, 3) uint8 RGB. Raises FileNotFoundError when it cannot be read."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(f"no readable image at {path}")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def load_nih_crops(data: Path, *, limit: int | None = None) -> list[PillImage]:
    """All byte-unique NIH crops under `data`/nih, in table order; at most `limit`."""
    with (data / "nih" / "crops.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))[:limit]
    pills = []
    for row in rows:
        image = read_rgb(data / "nih" / "crops" / row["file"])
        mask = mask_on_black(image)
        if mask.any():
            rgba = np.dstack([image, mask])
            pills.append(PillImage(np.dstack([bleed(rgba), mask]), row["file"], row["side"], row["appearance_id"]))
    return pills
