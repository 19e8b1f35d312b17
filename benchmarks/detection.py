"""How well the detector finds pills, measured on the shipped ONNX through its runner.

`detect/mypillbox_val` and `detect/crowd_val` have boxes; `detect/negatives` has no pill; the consumer photos of
`nih/consumer` that show their own background have one pill each and no box.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.average_precision import IOUS, Matches, average_precision, match
from benchmarks.rows import Row, bootstrap, share_row
from runners.detector import Detector
from training.cutouts import read_rgb

UInt8 = NDArray[np.uint8]
Floats = NDArray[np.float32]

PART = "detector"
BOXED = ("mypillbox_val", "crowd_val")
WORKING_SCORE = 0.4
"""Score from which a box counts as a pill where one threshold is needed."""
COCO_MAX = 100


def boxed_photos(folder: Path) -> list[tuple[Path, Floats]]:
    """Photos of a COCO folder with their true boxes, (n, 4) corners in px."""
    coco = json.loads((folder / "coco.json").read_text())
    boxes: dict[int, list[list[float]]] = defaultdict(list)
    for note in coco["annotations"]:
        x, y, w, h = note["bbox"]
        boxes[note["image_id"]].append([x, y, x + w, y + h])
    return [
        (folder / image["file_name"], np.asarray(boxes[image["id"]], np.float32).reshape(-1, 4))
        for image in coco["images"]
    ]


def precision_rows(detector: Detector, folder: Path) -> list[Row]:
    """mAP50 and mAP50-95 on one COCO folder; the interval is a bootstrap over photos."""
    photos = [(detector.detect(read_rgb(path))[:COCO_MAX], truth) for path, truth in boxed_photos(folder)]
    by_iou = [[match(found, truth, iou) for iou in IOUS] for found, truth in photos]

    def at_half(chosen: Sequence[list[Matches]]) -> float:
        return average_precision([matches[0] for matches in chosen])

    def over_all(chosen: Sequence[list[Matches]]) -> float:
        return float(np.mean([average_precision([m[i] for m in chosen]) for i in range(len(IOUS))]))

    return [
        Row(PART, folder.name, metric, measure(by_iou), *bootstrap(by_iou, measure), len(by_iou), "photos")
        for metric, measure in (("mAP50", at_half), ("mAP50-95", over_all))
    ]


def negative_row(detector: Detector, folder: Path, score: float = WORKING_SCORE) -> Row:
    """Share of photos without pills on which nothing is taken for one."""
    paths = sorted((folder / "img").iterdir())
    clean = sum(not (detector.detect(read_rgb(path))[:, 4] >= score).any() for path in paths)
    return share_row(PART, folder.name, f"no box at {score}", clean, len(paths), unit="photos")


def single_pill_row(detector: Detector, folder: Path, score: float = WORKING_SCORE) -> Row:
    """Share of the consumer photos on which exactly one box is found and, as far as can be told without a true box,
    it is the pill: on photos cropped to the pill it must hold their middle."""
    with (folder / "consumer.csv").open(encoding="utf-8") as file:
        photos = [row for row in csv.DictReader(file) if row["real_background"] == "1"]
    good = 0
    for photo in photos:
        image = read_rgb(folder / "img" / photo["file"])
        found = detector.detect(image)
        found = found[found[:, 4] >= score]
        if len(found) == 1:
            x1, y1, x2, y2 = found[0, :4]
            middle = x1 <= image.shape[1] / 2 <= x2 and y1 <= image.shape[0] / 2 <= y2
            good += bool(middle or photo["kind"] == "asv")
    return share_row(PART, "nih/consumer", f"exactly one good box at {score}", good, len(photos), unit="photos")


def detection_rows(detector: Detector, data: Path) -> list[Row]:
    """All of the above for the folders that `data` holds."""
    rows = []
    for name in BOXED:
        if (data / "detect" / name).is_dir():
            rows += precision_rows(detector, data / "detect" / name)
    if (data / "detect/negatives").is_dir():
        rows.append(negative_row(detector, data / "detect/negatives"))
    if (data / "nih/consumer").is_dir():
        rows.append(single_pill_row(detector, data / "nih/consumer"))
    return rows
