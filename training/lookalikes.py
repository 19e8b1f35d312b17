"""Crops for the question "is this a pill at all?": what the shipped detector takes for pills in pictures without any,
and real pills that have a box but no outline.

The detector asks the background remover about its boxes, so what must be told apart are its own mistakes: it is run
over pill-less pictures laid out as for its own training (`training.detector_data`: drawn things, and parts of real
photos between pills) and over the background photos.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.cutout import crop_around
from runners.detector import Detector
from training.cutouts import read_rgb
from training.detector_data import coco_boxes
from training.mask_crops import STORED, WIDE
from training.outlined import Crops

UInt8 = NDArray[np.uint8]

MISTAKEN: Final = 0.08
"""Detector score from which a box in a pill-less picture is kept."""
MOST_PER_PICTURE: Final = 6


def _crop(image: UInt8, box: NDArray[np.floating]) -> UInt8:
    corners = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
    return crop_around(image, corners, margin=WIDE, size=STORED).pixels


def _pill_less(prepared: Path, data: Path) -> Iterator[Path]:
    """Pictures of a prepared folder whose label file is empty, then the background photos."""
    for label in sorted((prepared / "labels").glob("*/*.txt")):
        if not label.read_text().strip() and label.parent.name in ("bare", "scene"):
            yield prepared / "images" / label.parent.name / f"{label.stem}.jpg"
    yield from sorted((data / "backgrounds").glob("*.jpg"))


def mistaken_crops(detector: Detector, prepared: Path, data: Path) -> Crops:
    """(N, STORED, STORED, 3) crops around boxes of `detector` where no pill is; masks empty. Of each picture the best
    boxes, at most MOST_PER_PICTURE. `prepared`: folder that `training.detector_data.prepare` made."""
    images = []
    for path in _pill_less(prepared, data):
        picture = read_rgb(path)
        found = detector.detect(picture)
        images += [_crop(picture, box) for box in found[found[:, 4] >= MISTAKEN][:MOST_PER_PICTURE]]
    if not images:
        return Crops(np.zeros((0, STORED, STORED, 3), np.uint8), np.zeros((0, STORED, STORED), np.uint8))
    return Crops(np.stack(images), np.zeros((len(images), STORED, STORED), np.uint8))


def boxed_crops(data: Path) -> Crops:
    """Crops around the boxes of `detect/mypillbox_train`; masks empty, as they are not known."""
    folder = data / "detect/mypillbox_train"
    images = []
    for path, boxes in coco_boxes(folder):
        picture = read_rgb(path)
        images += [_crop(picture, box) for box in boxes]
    return Crops(np.stack(images), np.zeros((len(images), STORED, STORED), np.uint8))
