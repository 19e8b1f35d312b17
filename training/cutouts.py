"""Real pills with exact masks: NIH reference crops, 224 px, one pill centred on black."""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from index.faces import mask_on_black
from training.appearance import bleed

UInt8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PillImage:
    """One side of one pill, cut out exactly."""

    rgba: UInt8  # (H, W, 4), alpha 0 or 255; RGB just outside the mask repeats the rim
    file: str  # name of the crop
    side: str  # "front" | "back"
    appearance: str  # id of the pill's look, the unit of every split


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
