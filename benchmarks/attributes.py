"""How often the classifier names colours, shape, form, score line and imprint right, on the shipped ONNX.

Two sets, neither trained on: NIH crops of held-out looks, as the index sees them; and real consumer photos with one
pill each, cut out by our own background remover. Labels are the catalogue's where it states them; score line and
imprint of a side are in no catalogue and were labelled by eye, as were shape and form of the consumer photos.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row, share_row
from index.vocabulary import translator
from pipeline.attributes import HEADS, LAYOUT
from pipeline.cutout import crop_around, cut_out
from runners.background import BackgroundRemover
from runners.classifier import Classifier
from training.attribute_faces import consumer_groups, nih_faces, part_of
from training.attribute_labels import is_right, put, put_colors, put_imprinted, unknown
from training.cutouts import read_rgb

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

PART: Final = "classifier"
CONSUMER_BY_EYE: Final = Path(__file__).with_name("consumer_by_eye.csv")


def head_rows(dataset: str, probabilities: Float32, labels: Sequence[Float32]) -> list[Row]:
    """Share right per head over the pills whose label is known; `probabilities`: (N, ATTRIBUTE_WIDTH)."""
    rows = []
    for head, part in LAYOUT.items():
        shift = 0.5 if head == "imprinted" else 0.0  # `is_right` takes scores that are even at 0
        verdicts = [
            is_right(head, said[part] - shift, true[part]) for said, true in zip(probabilities, labels, strict=True)
        ]
        known = [verdict for verdict in verdicts if verdict is not None]
        if known:
            rows.append(share_row(PART, dataset, f"{head} right", sum(known), len(known), unit="sides"))
    return rows


def first_color_row(dataset: str, probabilities: Float32, labels: Sequence[Float32]) -> Row:
    """Share of sides whose likeliest colour is one of theirs: what a person who is asked for one colour would name."""
    part = LAYOUT["colors"]
    known = [
        (said[part], true[part]) for said, true in zip(probabilities, labels, strict=True) if (true[part] == 1).any()
    ]
    hits = sum(bool(true[int(said.argmax())] == 1) for said, true in known)
    return share_row(PART, dataset, "likeliest color is one of the pill's", hits, len(known), unit="sides")


def recall_rows(dataset: str, head: str, probabilities: Float32, labels: Sequence[Float32]) -> list[Row]:
    """Per word of a "one of" head: how many of the sides that are that are called that."""
    part = LAYOUT[head]
    rows = []
    for column, word in enumerate(HEADS[head]):
        said = [row[part] for row, true in zip(probabilities, labels, strict=True) if true[part][column] == 1]
        if said:
            hits = sum(int(row.argmax()) == column for row in said)
            rows.append(share_row(PART, dataset, f"{head} {word}: recall", hits, len(said), unit="sides"))
    return rows


def reference_sides(data: Path) -> tuple[list[UInt8], list[Float32]]:
    """Held-out NIH sides: cut-outs as the index makes them, and what is known of them."""
    kept_out = consumer_groups(data)
    faces = [face for face in nih_faces(data) if part_of(face.group, kept_out) == "held_out"]
    return [cut_out(face.rgba[..., :3], face.rgba[..., 3]) for face in faces], [face.labels for face in faces]


def consumer_sides(data: Path, remover: BackgroundRemover) -> tuple[list[UInt8], list[Float32]]:
    """Consumer photos cropped to one pill: cut out by `remover` around the photo's middle, and what is known."""
    with (data / "nih" / "consumer" / "consumer.csv").open(encoding="utf-8") as handle:
        stated = {row["file"]: row["color"] for row in csv.DictReader(handle)}
    words = translator("us-nih")
    cutouts, labels = [], []
    with CONSUMER_BY_EYE.open(encoding="utf-8") as handle:
        seen = list(csv.DictReader(handle))
    for row in seen:
        image = read_rgb(data / "nih" / "consumer" / "img" / row["file"])
        crop = crop_around(image, lit_box(image), margin=0.1)  # these photos already keep a margin of their own
        mask = remover.mask(crop.pixels[None])[0]
        if not mask.any():
            continue
        known = unknown()
        put_colors(known, words.colors(stated[row["file"]].split(";")), coarse=True)
        for head in ("shape", "form", "score_line"):
            put(known, head, [row[head]] if row[head] else [])
        if row["imprinted"]:
            put_imprinted(known, row["imprinted"] == "1")
        cutouts.append(cut_out(crop.pixels, mask))
        labels.append(known)
    return cutouts, labels


def lit_box(image: UInt8) -> tuple[float, float, float, float]:
    """The part of a photo, (H, W, 3) uint8, that is not the black bars of its letterbox: x1, y1, x2, y2 px."""
    x, y, w, h = cv2.boundingRect((image.max(axis=2) > 8).astype(np.uint8))
    return float(x), float(y), float(x + w), float(y + h)


def classify_all(classifier: Classifier, cutouts: Sequence[UInt8]) -> Float32:
    """(N, ATTRIBUTE_WIDTH) probabilities, one side at a time as the service asks."""
    return np.concatenate([classifier.classify(cutout[None]) for cutout in cutouts])


def attribute_rows(data: Path, models_dir: Path | None = None) -> list[Row]:
    """Rows of both sets; [] for a set whose pictures are not there."""
    classifier = Classifier.open(models_dir)
    rows = []
    if (data / "nih" / "crops").is_dir():
        cutouts, labels = reference_sides(data)
        said = classify_all(classifier, cutouts)
        name = "NIH crops, held-out looks"
        rows += [*head_rows(name, said, labels), first_color_row(name, said, labels)]
        rows += recall_rows(name, "shape", said, labels)
        rows += recall_rows(name, "score_line", said, labels)
    if (data / "nih" / "consumer").is_dir():
        cutouts, labels = consumer_sides(data, BackgroundRemover.open(models_dir))
        said = classify_all(classifier, cutouts)
        name = "consumer photos"
        rows += [*head_rows(name, said, labels), first_color_row(name, said, labels)]
        rows += recall_rows(name, "score_line", said, labels)
    return rows
