"""Real photos whose pills were outlined by hand: `detect/boostcamp_train`, split for training and for reporting."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.cutout import crop_around
from training.cutouts import read_rgb

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Box = tuple[float, float, float, float]

HELD_OUT_SHARE: Final = 0.15
HELD_OUT_SEED: Final = 7
UNLICENSED: Final = "mfds-kpic-product"  # product shots that published weights must not be trained on


@dataclass(frozen=True, slots=True)
class Crops:
    """`images`: (N, S, S, 3) RGB; `masks`: (N, S, S) 0/255, the middle pill only."""

    images: UInt8
    masks: UInt8

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, slots=True)
class OutlinedPill:
    """One annotated pill of a photo. `outline`: (P, 2) float32 px; `box`: px."""

    file: Path
    outline: Float32
    box: Box


def outlined_pills(data: Path, *, held_out: bool) -> Iterator[OutlinedPill]:
    """Pills of the boostcamp photos with their polygons, image by image.

    Args:
        held_out: the images that are never trained on (15 %, by a fixed draw), else all others.
    """
    folder = data / "detect" / "boostcamp_train"
    coco = json.loads((folder / "coco.json").read_text(encoding="utf-8"))
    images = sorted((i for i in coco["images"] if i["source_hint"] != UNLICENSED), key=lambda i: str(i["file_name"]))
    drawn = np.random.default_rng(HELD_OUT_SEED).permutation(len(images))[: round(len(images) * HELD_OUT_SHARE)]
    chosen = {images[i]["id"] for i in drawn}
    for image in images:
        if (image["id"] in chosen) != held_out:
            continue
        for note in coco["annotations"]:
            if note["image_id"] == image["id"]:
                x, y, w, h = note["bbox"]
                outline = np.array(note["segmentation"][0], np.float32).reshape(-1, 2)
                yield OutlinedPill(folder / image["file_name"], outline, (x, y, x + w, y + h))


def outlined_crops(pills: Iterator[OutlinedPill], margin: float, size: int, shortest: float = 24.0) -> Crops:
    """Crops around annotated pills whose long side is at least `shortest` px."""
    images, masks = [], []
    file, photo = None, np.zeros((0, 0, 3), np.uint8)
    for pill in pills:
        if max(pill.box[2] - pill.box[0], pill.box[3] - pill.box[1]) < shortest:
            continue
        if pill.file != file:
            file, photo = pill.file, read_rgb(pill.file)
        view = crop_around(photo, pill.box, margin=margin, size=size)
        points = (pill.outline - np.array(view.origin, np.float32)) / view.scale
        mask = np.zeros((size, size), np.uint8)
        cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, shift=4)
        images.append(view.pixels)
        masks.append(mask)
    return Crops(np.stack(images), np.stack(masks))
