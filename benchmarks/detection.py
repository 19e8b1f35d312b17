"""`python -m benchmarks detection --data DIR`: how well pills are found and cut out, on the shipped ONNX files.

First the detector alone, through its runner, then what `/v1/detect` makes of it (`benchmarks.pills_found`), then the
masks beside u2netp's (`benchmarks.masks`).

`detect/mypillbox_val` and `detect/crowd_val` have boxes; `detect/negatives` has no pill; the consumer photos of
`nih/consumer` that show their own background have one pill each and no box.
"""

import argparse
import asyncio
import csv
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import pills_found
from benchmarks.average_precision import COCO_MAX, IOUS, Matches, at_half, match, over_all
from benchmarks.masks import mask_rows
from benchmarks.options import parse_with_data
from benchmarks.pills_found import WORKING_SCORE, false_pill_rows, finder, small_pill_rows, working_rows
from benchmarks.report import table, write
from benchmarks.rows import Row, bootstrap, share_row
from pipeline.identify import Pipeline, Walk
from pipeline.photo import read_photo
from pipeline.settings import settings
from runners.detector import Detector
from training.cutouts import read_rgb
from training.starts import start_file

UInt8 = NDArray[np.uint8]
Floats = NDArray[np.float32]

PART = "detector"
BOXED = ("mypillbox_val", "crowd_val")
PRECISION = 0.97
"""Precision at which recall is stated."""


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

    return [
        Row(PART, folder.name, metric, measure(by_iou), *bootstrap(by_iou, measure), len(by_iou), "photos")
        for metric, measure in (("mAP50", at_half), ("mAP50-95", over_all))
    ]


def recall_at_precision(photos: Sequence[Matches], wanted: float = PRECISION) -> float:
    """Best recall over all scores at which precision is at least `wanted`; 0 where it never is."""
    total = sum(photo.truth for photo in photos)
    if total == 0:
        raise ValueError("no true boxes: recall is not defined")
    order = np.argsort(-np.concatenate([photo.scores for photo in photos]), kind="stable")
    right = np.cumsum(np.concatenate([photo.hits for photo in photos])[order])
    good = right / np.arange(1, len(right) + 1) >= wanted
    return float(right[good].max(initial=0) / total)


def recall_row(detector: Detector, folder: Path) -> Row:
    """Recall at precision .97 and overlap .5 on one COCO folder; the interval is a bootstrap over photos."""
    matches = [match(detector.detect(read_rgb(path)), truth, 0.5) for path, truth in boxed_photos(folder)]
    interval = bootstrap(matches, recall_at_precision)
    name = f"recall at precision {PRECISION}"
    return Row(PART, folder.name, name, recall_at_precision(matches), *interval, len(matches), "photos")


def negative_rows(detector: Detector, folder: Path, score: float = WORKING_SCORE) -> list[Row]:
    """What the detector alone takes for pills on photos without any."""
    counts = [
        int((detector.detect(read_rgb(path))[:, 4] >= score).sum()) for path in sorted((folder / "img").iterdir())
    ]

    def total(some: Sequence[int]) -> float:
        return float(sum(some))

    boxes = Row(PART, folder.name, f"boxes at {score}", total(counts), *bootstrap(counts, total), len(counts), "photos")
    clean = sum(count == 0 for count in counts)
    return [boxes, share_row(PART, folder.name, f"no box at {score}", clean, len(counts), unit="photos")]


def cost_rows(detector: Detector, models_dir: Path, photos: Sequence[Path]) -> list[Row]:
    """CPU milliseconds of one detection, letterboxing and suppression included, one thread; and the file's MB."""
    spent = []
    for path in [*photos[:3], *photos]:  # the first warm up
        image = read_rgb(path)
        began = time.process_time()
        detector.detect(image)
        spent.append((time.process_time() - began) * 1000)
    low, high = np.percentile(spent[3:], [2.5, 97.5])
    size = (models_dir / "detector.onnx").stat().st_size / 1e6
    return [
        Row(PART, "one photo", "CPU ms", float(np.median(spent[3:])), float(low), float(high), len(photos), "photos"),
        Row(PART, "file", "MB", size, size, size, 1, "file"),
    ]


def single_pill_row(pipeline: Pipeline, folder: Path) -> Row:
    """Share of the consumer photos on which one pill is found and, as far as can be told without a true box, it is
    the one: on photos cropped to the pill it must hold their middle."""
    with (folder / "consumer.csv").open(encoding="utf-8") as file:
        photos = [row for row in csv.DictReader(file) if row["real_background"] == "1"]
    good = 0
    for row in photos:
        photo = read_photo((folder / "img" / row["file"]).read_bytes())
        look = asyncio.run(pipeline.look(photo, Walk(), evidence=False))
        if look.box is not None:
            x1, y1, x2, y2 = look.box
            height, width = photo.pixels.shape[:2]
            good += (x1 <= width / 2 <= x2 and y1 <= height / 2 <= y2) or row["kind"] == "asv"
    return share_row(pills_found.PART, "nih/consumer", "one pill, the right one", good, len(photos), unit="photos")


def detection_rows(detector: Detector, data: Path) -> list[Row]:
    """All of the above for the folders that `data` holds."""
    rows = []
    for name in BOXED:
        if (data / "detect" / name).is_dir():
            rows += precision_rows(detector, data / "detect" / name)
            rows.append(recall_row(detector, data / "detect" / name))
    if (data / "detect/negatives").is_dir():
        rows += negative_rows(detector, data / "detect/negatives")
    return rows


def whole_rows(models_dir: Path, data: Path) -> list[Row]:
    """What is told of a photo in the end."""
    pipeline = finder(models_dir)
    rows = []
    if (data / "detect/negatives").is_dir():
        rows += false_pill_rows(pipeline, data / "detect/negatives")
    for name in BOXED:
        if (data / "detect" / name).is_dir():
            rows += working_rows(pipeline, boxed_photos(data / "detect" / name), name)
    if (data / "nih/consumer").is_dir():
        rows.append(single_pill_row(pipeline, data / "nih/consumer"))
    return rows


def rows_of(part: str, models: Path, data: Path) -> list[Row]:
    """Rows of one part."""
    if part == "detector":
        detector = Detector.open(models)
        photos = [path for path, _ in boxed_photos(data / "detect" / BOXED[0])]
        return detection_rows(detector, data) + cost_rows(detector, models, photos)
    if part == "found":
        return whole_rows(models, data)
    if part == "small":
        return small_pill_rows(models, data)
    return mask_rows(data, models, start_file("u2netp"))


PARTS = ("detector", "found", "small", "masks")


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks detection`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks detection", description=__doc__)
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part (may be repeated); default all")
    arguments = parse_with_data(parser, argv)
    rows: list[Row] = []
    for part in arguments.part or PARTS:
        found = rows_of(part, settings().models_dir, arguments.data)
        print(table(found), flush=True)
        rows += found
    name = "_".join(["detection", *(arguments.part or [])])
    command = " ".join(["python -m benchmarks detection --data DIR", *(f"--part {p}" for p in arguments.part or [])])
    print(f"written to {write(name, 'Finding and cutting out', command, rows)}")
