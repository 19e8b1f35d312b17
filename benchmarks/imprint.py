"""How well imprints are read and matched, measured on the shipped models: `python -m benchmarks imprint --data DIR`.

Our reader, PP-OCRv6 small and, where it was trained here, the reader of whole faces (`training.face_reader`) read the
same cut-outs in the same run. Held out are 150 NIH pills, drawn with a fixed
seed: neither they nor a pill that shares a photo with them trained the reader or tuned anything (`--half tuning`
measures the 150 that did tune). Further: consumer photos with their own background and a stated imprint, a hospital's
photos, and rendered faces with words, for Hangul also fonts, that the reader was not trained on.

A pill counts as right when an item of its appearance group has the best score; groups of equal score share the places.
Which side of an NIH crop carries which token is not known, so both sides are pooled, and "one side" contains sides
that carry nothing; what a perfect reader would get on the same pills stands beside it.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import imprint_sets
from benchmarks.imprint_ceiling import read_perfectly, token_sides, ways
from benchmarks.imprint_scores import PART, Readings, ReadPill, confidence_table, reading_rows
from benchmarks.imprint_sets import Pill
from benchmarks.options import parse_with_data
from benchmarks.report import table, write
from benchmarks.rows import Row, share_row, wilson
from index.importers import kr_mfds, tw_tfda, us_nih
from pipeline.imprint import ImprintLexicon, ItemImprint
from pipeline.schemas import Reading
from pipeline.settings import settings
from runners.ocr import Reader
from training import face_reader
from training.imprint_pills import Part
from training.ppocr_small import PpocrSmall

UInt8 = NDArray[np.uint8]
Read = Callable[[UInt8], list[list[Reading]]]
Query = tuple[Sequence[Readings], str]
"""The sides seen, and the group that is right."""

PERFECT: Final = "a perfect reader"
TOPS: Final = (1, 5)
TIMED: Final = 20
"""Pills whose faces are read several times, for the clock."""
REPEATS: Final = 7


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
        self.seconds: list[float] = []
        self._matched: dict[int, tuple[Readings, NDArray[np.float32]]] = {}

    def chances(self, sides: Iterable[Readings], group: str, *, us_only: bool) -> list[float]:
        """For each of TOPS: the chance that the group is among that many best, equal scores drawn at random."""
        per_side = [self._llr(readings) for readings in sides]
        scores = np.full(len(self._us), -np.inf)
        np.maximum.at(scores, self._answer, np.sum(per_side, axis=0))
        right = self._number[f"us:{group}"]
        rivals = np.delete(scores, right)[np.delete(self._us, right) if us_only else slice(None)]
        better = int((rivals > scores[right] + 1e-5).sum())
        equal = int((np.abs(rivals - scores[right]) <= 1e-5).sum())
        return [float(np.clip((top - better) / (equal + 1), 0, 1)) for top in TOPS]

    def _llr(self, readings: Readings) -> NDArray[np.float32]:
        """Of every entry's better side; each side's readings are matched once."""
        if id(readings) not in self._matched:
            began = time.process_time()
            llr = self._lexicon.match(readings).llr.max(axis=1)
            self.seconds.append(time.process_time() - began)
            self._matched[id(readings)] = (readings, llr)  # kept alive, so that its id stays its own
        return self._matched[id(readings)][1]

    def forget(self) -> None:
        """Drop what was matched and timed, between two readers."""
        self._matched.clear()
        self.seconds.clear()

    def __contains__(self, group: str) -> bool:
        return f"us:{group}" in self._number


def read_all(read: Read, pills: Sequence[Pill]) -> list[ReadPill]:
    """What a reader says of each face. One with no face has no readings."""
    return [ReadPill(pill, tuple(read(face[None])[0] for face in pill.faces) or ([],)) for pill in pills]


def speed_row(name: str, read: Read, pills: Sequence[Pill]) -> Row:
    """CPU time of one face with all it needs: of each the best of REPEATS, as other processes share the cores."""
    best = []
    for face in (face for pill in pills[:TIMED] for face in pill.faces):
        seconds = []
        for _ in range(REPEATS):
            began = time.process_time()
            read(face[None])
            seconds.append(time.process_time() - began)
        best.append(1000 * min(seconds))
    low, high = (float(value) for value in np.percentile(best, [2.5, 97.5]))
    metric = f"ms of one core per face, best of {REPEATS} (range of 95 %)"
    return Row("speed", f"{name}: NIH", metric, float(np.median(best)), low, high, len(best), "faces")


def rank_rows(catalogue: Catalogue, queries: Sequence[Query], dataset: str) -> list[Row]:
    """The right pill first and among five by imprint alone, against US items and against all three catalogues."""
    rows = []
    for us_only, against in ((True, "US items with an imprint"), (False, "three catalogues")):
        chances = np.array([catalogue.chances(sides, group, us_only=us_only) for sides, group in queries])
        rows += share_rows(chances, dataset, against)
    return rows


def share_rows(chances: NDArray[np.float64], dataset: str, against: str) -> list[Row]:
    """`chances`: (n, TOPS) of the right pill to be among that many."""
    rows = []
    for top, hits in zip(TOPS, chances.sum(axis=0), strict=True):
        low, high = wilson(round(float(hits)), len(chances))
        value = float(hits) / len(chances)
        metric = f"top-{top} by imprint alone, {against}"
        rows.append(Row(PART, dataset, metric, value, min(low, value), max(high, value), len(chances), "queries"))
    return rows


def sets(data: Path, models_dir: Path | None, half: Part, *, photos: bool) -> dict[str, list[Pill]]:
    """Everything that `data` and the fonts of this machine allow to measure; `photos`: those that people took too."""
    taken = {
        "consumer photos": imprint_sets.consumer(data, models_dir),
        "hospital photos": imprint_sets.hospital(data, models_dir),
    } if photos else {}  # fmt: skip
    return {
        f"NIH {half}": imprint_sets.nih(data, half),
        **taken,
        "rendered Latin, unseen words": imprint_sets.rendered(data, "latin"),
        "rendered Latin along the rim": imprint_sets.rendered(data, "latin", rim=True),
        "rendered Hangul, unseen words and fonts": imprint_sets.rendered(data, "hangul"),
    }


def ceiling_rows(readers: Sequence[Sequence[ReadPill]], catalogue: Catalogue, dataset: str) -> list[Row]:
    """What a perfect reader would get on the same pills, both sides and one; `readers`: what each read, pill by pill.

    Where the readers do not tell which side carries what, both sides together are taken as one that carries all, and
    one side is also counted as if they stood in the best of all ways, for each figure its own: no reader gets more."""
    both: list[Query] = []
    told: list[Query] = []
    untold: list[tuple[list[list[Readings]], str]] = []
    for same in zip(*readers, strict=True):
        pill = same[0].pill
        if pill.group not in catalogue:
            continue
        sides = token_sides(same)
        both.append(([read_perfectly(tokens) for tokens in sides or (pill.tokens, ())], pill.group))
        if sides:
            told += [((read_perfectly(tokens),), pill.group) for tokens in sides]
        else:
            untold.append(([[read_perfectly(side) for side in way] for way in ways(pill.tokens)], pill.group))
    title = f"{PERFECT}: {dataset}, one side"
    rows = rank_rows(catalogue, both, f"{PERFECT}: {dataset}, both sides")
    rows += rank_rows(catalogue, told, title)
    rows += rank_rows(catalogue, [query for query in told if query[0][0]], f"{title}, with letters")
    for us_only, against in ((True, "US items with an imprint"), (False, "three catalogues")):
        known = [catalogue.chances(sides, group, us_only=us_only) for sides, group in told]
        best = [
            np.max([np.mean([catalogue.chances([side], group, us_only=us_only) for side in way], axis=0)
                    for way in every], axis=0)
            for every, group in untold for _ in range(2)
        ]  # fmt: skip
        rows += share_rows(np.concatenate([known, best]), f"{title}, the others at their best", against)
    left_out = "left out: the readers do not tell which tokens it carries"
    asked = len(told) + 2 * len(untold)
    return [*rows, share_row(PART, title, left_out, 2 * len(untold), asked, unit="sides")]


def reader_rows(
    name: str, read: Read, faces: dict[str, list[Pill]], catalogue: Catalogue
) -> tuple[list[Row], str, dict[str, list[ReadPill]]]:
    """All tables of one reader, and what it read."""
    rows: list[Row] = []
    tables = {}
    for title, pills in faces.items():
        if not pills:
            continue
        found = read_all(read, pills)
        rows += reading_rows(found, f"{name}: {title}")
        tables[title] = found
        known = [pill for pill in found if pill.pill.group in catalogue]
        if known and len(known[0].sides) > 1:
            rows += rank_rows(catalogue, [(p.sides, p.pill.group) for p in known], f"{name}: {title}, both sides")
            rows += rank_rows(
                catalogue, [((side,), p.pill.group) for p in known for side in p.sides], f"{name}: {title}, one side"
            )
        elif known:
            rows += rank_rows(catalogue, [(p.sides, p.pill.group) for p in known], f"{name}: {title} in the gallery")
    rows.append(speed_row(name, read, next(iter(faces.values()))))
    return rows, confidence_table((f"{name}: {title}", found) for title, found in tables.items()), tables


def readers(models_dir: Path | None, faces: dict[str, list[Pill]]) -> Iterator[tuple[str, Read, dict[str, list[Pill]]]]:
    """Name, reader, and what it is to read; the reader of whole faces where one was trained here."""
    yield "ours", Reader.open(models_dir).read, faces
    yield "PP-OCRv6 small", PpocrSmall().read, faces
    if face_reader.available():
        small = ("NIH", "rendered")
        yield (
            "ours, whole face",
            face_reader.WholeFace.open().read,
            {name: pills for name, pills in faces.items() if name.startswith(small)},
        )


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks imprint`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks imprint", description=__doc__)
    parser.add_argument("--half", choices=("held-out", "tuning"), default="held-out")
    parser.add_argument("--designs", action="store_true", help="the readers compared on NIH and rendered faces only")
    arguments = parse_with_data(parser, argv)
    models_dir = settings().models_dir
    faces = sets(arguments.data, models_dir, arguments.half, photos=not arguments.designs)
    catalogue = Catalogue(arguments.data)
    rows: list[Row] = []
    tables = []
    nih = f"NIH {arguments.half}"
    seen: list[list[ReadPill]] = []
    for title, read, of in readers(models_dir, faces):
        own, confidence, found = reader_rows(title, read, of, catalogue)
        seen.append(found[nih])
        ms = np.array(catalogue.seconds) * 1000
        own.append(
            Row("speed", title, "ms to match one face's readings with 33,000 items", float(np.median(ms)),
                *map(float, np.percentile(ms, [2.5, 97.5])), len(ms), "faces")
        )  # fmt: skip
        catalogue.forget()
        rows += own
        tables.append(confidence)
    rows += ceiling_rows(seen, catalogue, nih)
    name, command = "imprint", "python -m benchmarks imprint --data DIR"
    if arguments.half == "tuning":
        name, command = f"{name}_tuning", f"{command} --half tuning"
    if arguments.designs:
        name, command = f"{name}_designs", f"{command} --designs"
    notes = "\n\n## Accuracy by confidence\n\n" + "\n\n".join(tables)
    print(table(rows), notes)
    print(f"written to {write(name, 'Imprints', command, rows, notes)}")
