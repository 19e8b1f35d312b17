"""Real photos of pills without a reference photo: the domain that views only imitate.

Each is a class of its own, or shares one with the other photos of its pill where names say so. They teach what photos
of one pill have in common, and their share of every batch reaches the batch norms' statistics.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.cutout import cut_out
from training.appearance import bleed
from training.consumer import ELSEWHERE, load_photos
from training.cutouts import read_rgb
from training.detector_data import coco_boxes
from training.real_cutouts import Cutter, Query, consumer_queries, kept, named_pills

UInt8 = NDArray[np.uint8]

UNPUBLISHED: Final = "mfds-kpic-product"
"""Pictures of a publisher: not for weights that are given away."""
ALIKE: Final = 0.9
"""Cosine from which two pills of one photo are taken for one kind."""


@dataclass(frozen=True, slots=True)
class RealCrop:
    """One pill in one photo. `name`: photos of one pill share it; `kind`: which collection it is of."""

    rgba: UInt8  # (S, S, 4), the rim's colour carried outwards
    name: str
    kind: str


def real_crops(data: Path, size: int, cutter: Cutter | None = None, *, unnamed: bool = True) -> list[RealCrop]:
    """Consumer photos whose pill no catalogue shows under any label, named pills, and unnamed ones on hands and tables.

    No photo of a pill group that is tested against references is among them. `cutter`: None = the shipped models'.
    `unnamed`: whether those of `detect/boostcamp_train` are wanted, which take longest to cut.
    """
    cutter = cutter or Cutter(None)
    known, unknown = load_photos(data)
    with ELSEWHERE.open(encoding="utf-8") as handle:
        tested = {row["number"] for row in csv.DictReader(handle)}
    groups = {photo.pill_group for photo in known} | {p.pill_group for p in unknown if p.number in tested}
    names = {photo.number: photo.ndc11 for photo in unknown if photo.pill_group not in groups}
    consumer = [q for q in consumer_queries(cutter, [*known, *unknown]) if q.name in names]
    found = [RealCrop(_small(face, size), f"ndc {names[q.name]}", "consumer") for q in consumer for face in q.cutouts]
    named = named_pills(cutter, data / "detect" / "mypillbox_train")
    found += [RealCrop(_small(face, size), min(q.right), "named") for q in named for face in q.cutouts]
    if unnamed:
        found += [RealCrop(_small(face, size), q.name, "unnamed") for q in _unnamed(cutter, data) for face in q.cutouts]
    return found


def _unnamed(cutter: Cutter, data: Path) -> Sequence[Query]:
    """Every pill of `detect/boostcamp_train`, by photo and number."""
    folder = data / "detect" / "boostcamp_train"

    def make() -> list[Query]:
        coco = json.loads((folder / "coco.json").read_text(encoding="utf-8"))
        left_out = {image["file_name"] for image in coco["images"] if image.get("source_hint") == UNPUBLISHED}
        queries = []
        for path, boxes in tqdm(list(coco_boxes(folder)), desc=folder.name, disable=None):
            if str(path.relative_to(folder)) in left_out:
                continue
            picture = read_rgb(path)
            for number, (x1, y1, x2, y2) in enumerate(np.asarray(boxes, float).tolist()):
                face = cutter.boxed(picture, (x1, y1, x2 - x1, y2 - y1)) if min(x2 - x1, y2 - y1) >= 24 else None
                name = f"{path.stem}:{number}"
                queries.append(Query(name, [] if face is None else [face], frozenset({name})))
        return queries

    return kept(f"{folder.name}-{cutter.version}", make)


def _small(face: UInt8, size: int) -> UInt8:
    small = cut_out(np.ascontiguousarray(face[..., :3]), face[..., 3], size=size)
    return np.dstack([bleed(small), small[..., 3]])
