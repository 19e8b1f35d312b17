"""How well "no imprint" is told: `python -m benchmarks no_imprint --data DIR`.

Sides seen by eye: NIH sides that neither trained the reader nor are held out for it, and consumer development photos.
What nothing read and the classifier say is fitted by logistic regression, each pill judged by a fit without it. Some of
the NIH sides trained the classifier, so that its figures there flatter; the consumer photos did not.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.attributes import CONSUMER_BY_EYE, lit_box
from benchmarks.options import parse_with_data
from benchmarks.report import table, write
from benchmarks.rows import Row, bootstrap, share_row
from index.faces import cut_isolated
from pipeline.attributes import Attributes
from pipeline.cutout import crop_around, cut_out
from pipeline.no_imprint import log_odds
from runners.background import BackgroundRemover
from runners.classifier import Classifier
from runners.ocr import Reader
from training.attribute_labels import by_eye
from training.cutouts import read_rgb
from training.imprint_pills import imprint_pills
from training.logistic import logistic

UInt8 = NDArray[np.uint8]
Float64 = NDArray[np.float64]

PART: Final = "no imprint"
FOLDS: Final = 5
BINS: Final = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class SeenSide:
    """`blank`: by eye; `silent`: nothing was read; `imprinted`: log odds by the classifier."""

    source: str
    pill: str
    blank: bool
    silent: bool
    imprinted: float


def cutouts(data: Path) -> Iterator[tuple[str, str, bool, UInt8]]:
    """Source, pill, whether it is blank, and (S, S, 4) uint8 RGBA of every side."""
    part, group = {}, {}
    for pill in imprint_pills(data):
        for crop in pill.crops:
            part[crop.name] = pill.part
    with (data / "catalogs" / "us_nih.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            for column in ("crop_front", "crop_back"):
                group.setdefault(row[column], row["appearance_group"])
    for file, (imprinted, _) in by_eye().items():
        if imprinted is None or part.get(file) == "train":
            continue
        source = "NIH held-out" if part.get(file) == "held-out" else "NIH"
        for cut in cut_isolated(read_rgb(data / "nih" / "crops" / file)):
            yield source, group.get(file, file), not imprinted, cut
    remover = BackgroundRemover.open(None)
    with CONSUMER_BY_EYE.open(encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["imprinted"]]
    for row in rows:
        photo = read_rgb(data / "nih" / "consumer" / "img" / row["file"])
        crop = crop_around(photo, lit_box(photo), margin=0.1)
        mask = remover.mask(crop.pixels[None])[0]
        if mask.any():
            yield "consumer photos", row["file"], row["imprinted"] == "0", cut_out(crop.pixels, mask)


def sides(data: Path) -> list[SeenSide]:
    """Everything seen by eye, as reader and classifier see it."""
    reader, classifier = Reader.open(None), Classifier.open(None)
    return [
        SeenSide(
            source, pill, blank, not reader.read(cut[None])[0],
            log_odds(Attributes.from_row(classifier.classify(cut[None])[0]).imprinted),
        )
        for source, pill, blank, cut in cutouts(data)
    ]  # fmt: skip


def features(of: Sequence[SeenSide], kind: str) -> Float64:
    """(n, 1 to 3)."""
    one, silent = np.ones(len(of)), np.array([float(side.silent) for side in of])
    seen = np.array([-side.imprinted for side in of])
    return np.stack({"silence": [one, silent], "classifier": [one, seen], "both": [one, silent, seen]}[kind], axis=1)


def cross_fitted(x: Float64, blank: Float64, pills: Sequence[str]) -> Float64:
    """(n,) chances, each from a fit without its pill."""
    names = sorted(set(pills))
    fold = dict(zip(names, np.random.default_rng(0).integers(0, FOLDS, len(names)), strict=True))
    folds = np.array([fold[pill] for pill in pills])
    out = np.zeros(len(blank))
    for number in range(FOLDS):
        weights = logistic(x[folds != number], blank[folds != number])
        out[folds == number] = 1 / (1 + np.exp(-x[folds == number] @ weights))
    return out


def loss(pairs: Sequence[tuple[float, bool]]) -> float:
    """Mean nats lost on (chance, truth)."""
    chances, truth = np.clip([p for p, _ in pairs], 1e-4, 1 - 1e-4), np.array([t for _, t in pairs])
    return float(-np.where(truth, np.log(chances), np.log(1 - chances)).mean())


def reliability(pairs: Sequence[tuple[float, bool]]) -> str:
    """Markdown: stated chance against the share that is blank."""
    lines = ["| chance of no imprint | sides | mean chance | blank |", "|---|---|---|---|"]
    edges = (0.0, *BINS, 1.0)
    for low, high in pairwise(edges):
        chosen = [(p, t) for p, t in pairs if low <= p < high or (high == 1.0 and p == 1.0)]
        if chosen:
            stated, found = np.mean(chosen, axis=0)
            lines.append(f"| {low:.1f} to {high:.1f} | {len(chosen)} | {stated:.3f} | {found:.3f} |")
    return "\n".join(lines)


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks no_imprint`."""
    arguments = parse_with_data(
        argparse.ArgumentParser(prog="python -m benchmarks no_imprint", description=__doc__), argv
    )
    every = sides(arguments.data)
    fitted = [side for side in every if side.source != "NIH held-out"]
    held_out = [side for side in every if side.source == "NIH held-out"]
    blank, pills = np.array([float(side.blank) for side in fitted]), [side.pill for side in fitted]
    rows = [
        share_row(PART, source, metric, sum(getattr(side, wanted) for side in of), len(of), unit="sides")
        for source in ("NIH", "consumer photos")
        for metric, given, wanted in (
            ("blank, of sides on which nothing was read", "silent", "blank"),
            ("nothing read, of blank sides", "blank", "silent"),
        )
        if (of := [side for side in fitted if side.source == source and getattr(side, given)])
    ]
    for kind in ("silence", "classifier", "both"):
        chances = cross_fitted(features(fitted, kind), blank, pills)
        weights = logistic(features(fitted, kind), blank)
        last = 1 / (1 + np.exp(-features(held_out, kind) @ weights))
        judged = [*zip(fitted, chances, strict=True), *zip(held_out, last, strict=True)]
        for source in ("NIH", "NIH held-out", "consumer photos"):
            pairs = [(float(p), side.blank) for side, p in judged if side.source == source]
            rows.append(
                Row(PART, source, f"nats lost, by {kind}", loss(pairs), *bootstrap(pairs, loss), len(pairs), "sides")
            )
    quiet = [side for side in fitted if side.silent]
    x, truth = features(quiet, "classifier"), np.array([float(side.blank) for side in quiet])
    chances = cross_fitted(x, truth, [side.pill for side in quiet])
    bias, seen = logistic(x, truth)
    notes = (
        f"\n\nOf a side on which nothing was read: log odds of no imprint = {bias:.3f} - {seen:.3f} x log odds of the "
        f"classifier's \"imprinted\"; {int(truth.sum())} of {len(truth)} such sides are blank.\n\n"
        + reliability([(float(p), bool(t)) for p, t in zip(chances, truth, strict=True)])
    )  # fmt: skip
    print(table(rows), notes)
    print(f"written to {write('no_imprint', 'No imprint', 'python -m benchmarks no_imprint --data DIR', rows, notes)}")
