"""How well imprints are read and matched, measured on the shipped models: `python -m benchmarks imprint --data DIR`.

Two sets. NIH reference crops (even black background) of 150 appearances whose row states an imprint: drawn with a fixed
seed, disjoint from the 150 that the matcher was tuned on (`--half tuning` measures those). Consumer photos with their
own background and a stated imprint, cut out by our detector and background remover as the service does.

A pill counts as right when an item of its appearance group has the best score; groups of equal score share the places.
Which side of an NIH crop carries which token is not known, so token recall pools both sides, and "one side" contains
sides that carry nothing.
"""

import argparse
import csv
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import table, write
from benchmarks.rows import Row, share_row, wilson
from index.faces import cut_isolated
from index.importers import kr_mfds, tw_tfda, us_nih
from pipeline.cutout import crop_around, cut_out
from pipeline.imprint import ImprintLexicon, ItemImprint
from pipeline.imprint_text import fold, normalise
from pipeline.schemas import Reading
from pipeline.settings import settings
from runners.background import BackgroundRemover
from runners.detector import Detector
from runners.ocr import Reader
from training.consumer import ConsumerPhoto, load_photos

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Readings = Sequence[Reading]

PART: Final = "ocr"
HALF: Final = 150
SEED: Final = 7
TOPS: Final = (1, 5)


@dataclass(frozen=True, slots=True)
class Sample:
    """One pill with a stated imprint and what was read on each photographed side."""

    tokens: tuple[str, ...]
    group: str  # appearance group; "" = not in the gallery
    sides: tuple[Readings, ...]


class Catalogue:
    """All imprints of the three catalogues, and which items are one answer."""

    def __init__(self, data: Path) -> None:
        folder = data / "catalogs"
        entries: list[ItemImprint] = []
        owners: list[str] = []
        us: list[bool] = []
        for catalog, items in (
            ("us", us_nih.load(folder / "us_nih.csv").items),
            ("tw", tw_tfda.load(folder / "tw_tfda.csv").items),
            ("kr", kr_mfds.load(folder / "kr_mfds.csv.gz").items),
        ):
            for item in items:
                for version in item.imprints:
                    entries.append(ItemImprint.from_texts(version.front, version.back, sides_known=item.sides_known))
                    owners.append(f"{catalog}:{item.appearance or item.key}")
                    us.append(catalog == "us")
        names, self._answer = np.unique(owners, return_inverse=True)
        self._number = {str(name): number for number, name in enumerate(names)}
        self._lexicon = ImprintLexicon(entries)
        self._us = np.zeros(len(names), bool)
        self._us[self._answer] = us

    def chances(self, sides: Iterable[Readings], group: str, *, us_only: bool) -> list[float]:
        """For each of TOPS: the chance that the group is among that many best, equal scores drawn at random."""
        per_side = [self._lexicon.match(readings).llr.max(axis=1) for readings in sides]
        scores = np.full(len(self._us), -np.inf)
        np.maximum.at(scores, self._answer, np.sum(per_side, axis=0))
        right = self._number[f"us:{group}"]
        rivals = np.delete(scores, right)[np.delete(self._us, right) if us_only else slice(None)]
        better = int((rivals > scores[right] + 1e-5).sum())
        equal = int((np.abs(rivals - scores[right]) <= 1e-5).sum())
        return [float(np.clip((top - better) / (equal + 1), 0, 1)) for top in TOPS]

    def __contains__(self, group: str) -> bool:
        return f"us:{group}" in self._number


def read_nih(reader: Reader, data: Path, half: str) -> list[Sample]:
    """Both sides of 150 appearances. `half`: "tuning" or "held-out"."""
    rows: dict[str, dict[str, str]] = {}
    with (data / "catalogs" / "us_nih.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            if row["imprint"] and row["crop_front"] and row["crop_back"]:
                rows.setdefault(row["appearance_id"], row)
    names = sorted(rows)
    random.Random(SEED).shuffle(names)
    chosen = names[:HALF] if half == "tuning" else names[HALF : 2 * HALF]
    samples = []
    for row in (rows[name] for name in chosen):
        faces = [cut_isolated(_photo(data / "nih/crops" / row[side]))[0] for side in ("crop_front", "crop_back")]
        read = tuple(reader.read(np.stack(faces)))
        samples.append(Sample(normalise(row["imprint"]), row["appearance_group"], read))
    return samples


def read_consumer(reader: Reader, data: Path, models_dir: Path | None) -> list[Sample]:
    """Consumer photos with a stated imprint; one on which no pill is found has no readings."""
    detector, remover = Detector.open(models_dir), BackgroundRemover.open(models_dir)
    with (data / "catalogs" / "us_nih.csv").open(encoding="utf-8") as handle:
        groups = {row["appearance_id"]: row["appearance_group"] for row in csv.DictReader(handle)}
    known, unknown = load_photos(data)
    return [
        Sample(normalise(photo.imprint), groups.get(photo.appearance, ""), (_read(photo, detector, remover, reader),))
        for photo in (*known, *unknown)
        if normalise(photo.imprint)
    ]


def _read(photo: ConsumerPhoto, detector: Detector, remover: BackgroundRemover, reader: Reader) -> Readings:
    image = _photo(photo.path)
    boxes = detector.detect(image)
    if not len(boxes):
        return []
    x1, y1, x2, y2 = (float(edge) for edge in boxes[0, :4])
    crop = crop_around(image, (x1, y1, x2, y2))
    mask = remover.mask(crop.pixels[None])[0]
    return reader.read(cut_out(crop.pixels, mask)[None])[0] if mask.any() else []


def _photo(path: Path) -> UInt8:
    """(H, W, 3) uint8 RGB. Raises `ValueError` where OpenCV cannot read the file."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} is not an image OpenCV reads")
    return np.ascontiguousarray(image[..., ::-1], np.uint8)


def tokens_found(sample: Sample) -> int:
    """How many of the pill's tokens were read, alone or as neighbouring words of one line, look-alikes merged."""
    read = set()
    for reading in (reading for side in sample.sides for reading in side):
        words = [fold(word) for word in normalise(reading.text)]
        read |= {"".join(words[a:b]) for a in range(len(words)) for b in range(a + 1, min(a + 3, len(words)) + 1)}
    return sum(fold(token) in read for token in sample.tokens)


def recall_rows(samples: Sequence[Sample], dataset: str) -> list[Row]:
    """Token recall (tokens of one pill are not independent: its interval is a little too narrow), exact imprints."""
    found = [tokens_found(sample) for sample in samples]
    wanted = [len(sample.tokens) for sample in samples]
    exact = sum(a == b for a, b in zip(found, wanted, strict=True))
    return [
        share_row(PART, dataset, "token recall", sum(found), sum(wanted), unit="tokens"),
        share_row(PART, dataset, "all tokens read", exact, len(samples), unit="pills"),
    ]


def rank_rows(catalogue: Catalogue, queries: Sequence[tuple[Sequence[Readings], str]], dataset: str) -> list[Row]:
    """The right pill first and among five by imprint alone, against US items and against all three catalogues."""
    rows = []
    for us_only, against in ((True, "US items with an imprint"), (False, "three catalogues")):
        chances = np.array([catalogue.chances(sides, group, us_only=us_only) for sides, group in queries])
        for top, hits in zip(TOPS, chances.sum(axis=0), strict=True):
            low, high = wilson(round(float(hits)), len(queries))
            value = float(hits) / len(queries)
            metric = f"top-{top} by imprint alone, {against}"
            rows.append(Row(PART, dataset, metric, value, min(low, value), max(high, value), len(queries), "queries"))
    return rows


def imprint_rows(data: Path, models_dir: Path | None = None, half: str = "held-out") -> list[Row]:
    """Everything that `data` allows to measure."""
    reader, catalogue = Reader.open(models_dir), Catalogue(data)
    nih = [sample for sample in read_nih(reader, data, half) if sample.group in catalogue]
    consumer = read_consumer(reader, data, models_dir)
    in_gallery = [sample for sample in consumer if sample.group in catalogue]
    return [
        *recall_rows(nih, f"NIH crops, {half}, both sides"),
        *rank_rows(catalogue, [(s.sides, s.group) for s in nih], f"NIH crops, {half}, both sides"),
        *rank_rows(catalogue, [((side,), s.group) for s in nih for side in s.sides], f"NIH crops, {half}, one side"),
        *recall_rows(consumer, "consumer photos, one side (tokens of both wanted)"),
        *rank_rows(catalogue, [(s.sides, s.group) for s in in_gallery], "consumer photos in the gallery, one side"),
    ]


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks imprint`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks imprint", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"))
    parser.add_argument("--half", choices=("held-out", "tuning"), default="held-out")
    arguments = parser.parse_args(argv)
    if arguments.data is None:
        parser.error("name the folder with the data: --data DIR or PILLSCOPE_DATA (see README, section Data)")
    rows = imprint_rows(arguments.data, settings().models_dir, arguments.half)
    name = "imprint" if arguments.half == "held-out" else "imprint_tuning"
    command = "python -m benchmarks imprint --data DIR" + ("" if name == "imprint" else " --half tuning")
    print(table(rows))
    print(f"written to {write(name, 'Imprints', command, rows)}")
