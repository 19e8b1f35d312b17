"""`python -m benchmarks retrieval --data DIR`: the embedding alone, without a word read or a colour named.

Consumer photos against all NIH sides and against every photo of the index, one photo and two; hospital photos that
show both faces against the Taiwanese catalogue and everything; photo against photo. Pills that show the same
reference photo are one answer. 60 consumer photos, of pills no embedder here was trained on a photo of.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.options import parse_with_data
from benchmarks.report import table, write
from benchmarks.retrieval_scores import NOWHERE, Outcome, outcome_rows
from benchmarks.rows import Row
from index.search import SHIPPED, LoadedIndex
from pipeline.ports import Float32, UInt8
from runners.embedder import Embedder
from runners.session import MODELS_DIR, read_manifest
from training.consumer import load_photos, pairs, truth
from training.real_cutouts import Cutter, Query, consumer_queries, hospital_queries, named_pills

PART: Final = "embedding"
SHORTLIST: Final = 400
"""Items looked at per face; what is not among them counts as not found."""

Embed = Callable[[UInt8], Float32]
"""(N, S, S, 4) cut-outs -> (N, R, D) unit vectors in R turns."""


def against_index(query: Sequence[Float32], gallery: LoadedIndex, catalogs: list[str] | None, right: frozenset[str],
                  ) -> Outcome:  # fmt: skip
    """Where the right items stand among the answers to one face or two, each (R, D); `right`: item ids.

    An item's score is the cosine of its better side; for two faces the better way to lay them on its two sides.
    """
    if not query:
        return Outcome.missed()
    rows = np.unique(np.concatenate([gallery.nearest(face, SHORTLIST, catalogs) for face in query]))
    sides = np.stack([gallery.similarities(face, rows) for face in query], axis=1)  # (n, faces, 2)
    sides = np.where(np.isnan(sides), -1.0, sides)
    if len(query) == 1:
        scores = sides[:, 0].max(axis=1)
    else:
        scores = np.maximum(sides[:, 0, 0] + sides[:, 1, 1], sides[:, 0, 1] + sides[:, 1, 0]) / 2
    groups, seen = gallery.attributes(rows).group, []
    for position in np.argsort(-scores, kind="stable"):
        if groups[position] not in seen:
            seen.append(groups[position])
        if gallery.item(int(rows[position])).item_id in right:
            return Outcome((seen.index(groups[position]),), float(scores.max()))
    return Outcome((NOWHERE,), float(scores.max()))


def against_photos(query: Float32, others: Float32, right: Sequence[bool]) -> Outcome:
    """Where the photos of the same pill stand; `query` (R, D), `others` (n, R, D): their first turn counts."""
    scores = (others[:, 0] @ query.T).max(axis=1)
    order = np.argsort(-scores, kind="stable")
    return Outcome(tuple(int(p) for p in np.flatnonzero(np.asarray(right)[order])), float(scores.max()))


def _targets(gallery: LoadedIndex, own: str, name: str) -> list[tuple[list[str] | None, str]]:
    """The catalogue that the queries' pills are in; and every catalogue, where the index has more."""
    every: list[tuple[list[str] | None, str]] = [(None, "all catalogues")] if len(gallery.catalogs) > 1 else []
    return [([own], name), *every]


def embedded(queries: Sequence[Query], embed: Embed) -> list[list[Float32]]:
    """The vectors of every query's faces, each (R, D)."""
    return [[embed(cutout[None])[0] for cutout in query.cutouts] for query in queries]


def consumer_rows(cutter: Cutter, embed: Embed, gallery: LoadedIndex, data: Path) -> list[Row]:
    """One photo, then two of one pill, against the NIH sides and against every catalogue with photos."""
    known, unknown = load_photos(data)
    answers = truth(data)
    photos = [*known, *unknown]
    vectors = dict(zip((photo.number for photo in photos), embedded(consumer_queries(cutter, photos), embed),
                       strict=True))  # fmt: skip
    rows = []
    for catalogs, name in _targets(gallery, "us-nih", "all NIH sides"):
        for queries, what in (([(photo,) for photo in known], "one photo"), (pairs(known), "two photos")):
            outcomes = [
                against_index([face for photo in query for face in vectors[photo.number]], gallery, catalogs,
                              frozenset(answers[query[0].appearance]))
                for query in queries
            ]  # fmt: skip
            rows += outcome_rows(PART, f"consumer, {what} to {name}", outcomes, "queries")
    seen = [photo for photo in photos if vectors[photo.number]]
    stacked = np.stack([vectors[photo.number][0] for photo in seen])
    outcomes = []
    for i, photo in enumerate(seen):
        right = [other.ndc11 == photo.ndc11 for other in seen]
        del right[i]
        if any(right):
            outcomes.append(against_photos(stacked[i], np.delete(stacked, i, axis=0), right))
    return rows + outcome_rows(PART, f"consumer photo to {len(seen) - 1} consumer photos", outcomes, "photos")


def hospital_rows(cutter: Cutter, embed: Embed, gallery: LoadedIndex, data: Path) -> list[Row]:
    """Both faces, and the first found alone, against the TFDA photos and against every catalogue."""
    queries = hospital_queries(cutter, data)
    vectors = embedded(queries, embed)
    rows = []
    for catalogs, name in _targets(gallery, "tw-tfda", "TFDA"):
        for most, what in ((2, "two faces"), (1, "one face")):
            outcomes = [
                against_index(faces[:most], gallery, catalogs, query.right)
                for query, faces in zip(queries, vectors, strict=True)
            ]
            rows += outcome_rows(PART, f"hospital photo, {what} to {name}", outcomes, "photos")
    return rows


def named_rows(cutter: Cutter, embed: Embed, data: Path) -> list[Row]:
    """Named pills of the validation photos against those of the training photos: the same 17 pills, other photos."""
    queries, others = (named_pills(cutter, data / "detect" / f"mypillbox_{part}") for part in ("val", "train"))
    found = [other for other in others if other.cutouts]
    stacked = np.stack([faces[0] for faces in embedded(found, embed)])
    outcomes = []
    for query, faces in zip(queries, embedded(queries, embed), strict=True):
        right = [bool(other.right & query.right) for other in found]
        if any(right):
            outcomes.append(against_photos(faces[0], stacked, right) if faces else Outcome.missed())
    return outcome_rows(PART, f"myPillBox pill to {len(found)} others of 17 kinds", outcomes, "pills")


PARTS: Final = ("consumer", "hospital", "named")


def retrieval_rows(data: Path, index: Path, models_dir: Path | None, parts: Sequence[str] = PARTS) -> list[Row]:
    """All rows. The index must have been built with the embedder of `models_dir`; raises ValueError if not."""
    gallery = LoadedIndex(index)
    current = read_manifest(models_dir or MODELS_DIR).models["embedder"].sha256
    if gallery.manifest.models["embedder"] != current:
        raise ValueError(f"{index} was built with another embedder: run `python -m index build` first")
    cutter, embed = Cutter(models_dir), Embedder.open(models_dir).embed
    rows: list[Row] = []
    if "consumer" in parts:
        rows += consumer_rows(cutter, embed, gallery, data)
    if "hospital" in parts and "tw-tfda" in gallery.catalogs:
        rows += hospital_rows(cutter, embed, gallery, data)
    if "named" in parts:
        rows += named_rows(cutter, embed, data)
    return rows


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks retrieval`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks retrieval", description=__doc__)
    parser.add_argument("--index", type=Path, default=SHIPPED, help="folder of the index (default: the shipped one)")
    parser.add_argument("--models", type=Path, default=None, help="folder of the models (default: the shipped ones)")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part (may be repeated); default all")
    arguments = parse_with_data(parser, argv)
    try:
        rows = retrieval_rows(arguments.data, arguments.index, arguments.models, arguments.part or PARTS)
    except ValueError as error:
        parser.error(str(error))
    print(table(rows))
    name = "retrieval" + "".join(f"_{part}" for part in arguments.part or [])
    other = [] if arguments.index == SHIPPED else ["--index INDEX"]
    parts = [f"--part {part}" for part in arguments.part or []]
    command = " ".join(["python -m benchmarks retrieval --data DIR", *other, *parts])
    print(f"written to {write(name, 'Retrieval by the embedding alone', command, rows)}")
