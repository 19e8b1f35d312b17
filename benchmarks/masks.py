"""How well the background remover tells pill from background, measured on the shipped ONNX through its runner.

Held-out photos of `detect/boostcamp_train` (15 %, never trained on) with hand-drawn outlines of 5 to 20 corners: an
exact mask scores about .96 against those. Each pill is cut once around its true box and once around a shifted one.
The yardstick is u2netp, rembg's small model, on the same crops.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from benchmarks.rows import Row, bootstrap, share_row
from pipeline.cutout import CROP_MARGIN, CROP_SIZE
from runners.background import BackgroundRemover
from runners.session import session_options
from training.outlined import OutlinedPill, outlined_crops, outlined_pills

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

PART: Final = "background"
DATASET: Final = "boostcamp_train, held out"
SHIFT: Final = 0.06
"""How far the corners of a shifted box stray, as a share of its long side (one deviation)."""


def iou(found: UInt8, true: UInt8) -> float:
    """Intersection over union of two masks, nonzero = pill; 1 when both are empty."""
    a, b = found > 0, true > 0
    union = np.count_nonzero(a | b)
    return float(np.count_nonzero(a & b) / union) if union else 1.0


def shifted(pills: Sequence[OutlinedPill], seed: int = 3) -> list[OutlinedPill]:
    """The same pills with the boxes that a detector might give."""
    rng = np.random.default_rng(seed)
    out = []
    for pill in pills:
        x1, y1, x2, y2 = np.array(pill.box) + rng.normal(0, SHIFT * max(np.subtract(pill.box[2:], pill.box[:2])), 4)
        out.append(OutlinedPill(pill.file, pill.outline, (float(x1), float(y1), float(x2), float(y2))))
    return out


def iou_rows(remover: BackgroundRemover, data: Path, *, model: str = "ours") -> list[Row]:
    """Mean IoU around true and shifted boxes, the share above .85, and CPU milliseconds a crop (one thread)."""
    pills = list(outlined_pills(data, held_out=True))
    rows = []
    for boxes, chosen in (("true boxes", pills), ("shifted boxes", shifted(pills))):
        crops = outlined_crops(iter(chosen), CROP_MARGIN, CROP_SIZE)
        began = time.process_time()
        found = [remover.mask(crop[None])[0] for crop in crops.images]
        spent = [(time.process_time() - began) / len(found) * 1000]
        scores = [iou(mask, true) for mask, true in zip(found, crops.masks, strict=True)]
        low, high = bootstrap(scores, lambda some: float(np.mean(some)))
        name = f"{DATASET}, {boxes}"
        rows.append(Row(PART, name, f"mean IoU, {model}", float(np.mean(scores)), low, high, len(scores), "pills"))
        good = sum(score > 0.85 for score in scores)
        rows.append(share_row(PART, name, f"IoU > .85, {model}", good, len(scores), unit="pills"))
        rows.append(Row(PART, name, f"CPU ms a crop, {model}", spent[0], spent[0], spent[0], len(scores), "pills"))
    return rows


class U2NetP:
    """u2netp as rembg runs it: 320 px, ImageNet normalisation, answer stretched to [0, 1].

    Args:
        path: its ONNX file (see `training.starts`).
    """

    size: Final = 320
    mean: Final = np.array([0.485, 0.456, 0.406], np.float32)
    std: Final = np.array([0.229, 0.224, 0.225], np.float32)

    def __init__(self, path: Path) -> None:
        self.session = ort.InferenceSession(str(path), session_options(), providers=["CPUExecutionProvider"])

    def probabilities(self, crops: UInt8) -> Float32:
        """(N, C, C, 3) uint8 RGB -> (N, C, C) float32 in [0, 1]."""
        side = crops.shape[1]
        answers = []
        for crop in crops:
            image = cv2.resize(crop, (self.size, self.size), interpolation=cv2.INTER_AREA).astype(np.float32)
            image = (image / max(float(image.max()), 1e-6) - self.mean) / self.std
            feed = {self.session.get_inputs()[0].name: image.transpose(2, 0, 1)[None].astype(np.float32)}
            answer = np.asarray(self.session.run(None, feed)[0], np.float32)[0, 0]
            answer = (answer - answer.min()) / max(float(answer.max() - answer.min()), 1e-6)
            answers.append(cv2.resize(answer, (side, side)))
        return np.stack(answers)


def mask_rows(data: Path, models_dir: Path | None = None, u2netp: Path | None = None) -> list[Row]:
    """Rows for our model, and for u2netp where its file is given; [] where the photos are not there."""
    if not (data / "detect" / "boostcamp_train").is_dir():
        return []
    rows = iou_rows(BackgroundRemover.open(models_dir), data)
    if u2netp is not None:
        rows += iou_rows(BackgroundRemover(U2NetP(u2netp)), data, model="u2netp")
    return rows
