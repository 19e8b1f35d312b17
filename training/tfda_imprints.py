"""Taiwanese pills with a stated imprint: pressed and printed letters on photos of many cameras, both faces in each."""

import asyncio
import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.build import Part, photo_jobs
from index.cache import CACHE, BuildCache
from index.engines.shard import model_hashes
from index.importers import tw_tfda
from index.photos import PhotoStudy
from pipeline.imprint_text import normalise
from runners.local import load_local_runners
from training.imprint_pills import ImprintPill

UInt8 = NDArray[np.uint8]

SEED: Final = 7
TUNING: Final = 12
"""One pill in so many is for tuning, none is held out: what is judged is the hospital's photos."""


def judged(data: Path) -> set[str]:
    """Rows whose pill is on a hospital photo, and those of the same photo: they train nothing."""
    with (data / "tw_hospital" / "pairs.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    return {row["tfda_id"] for row in rows} | {i for row in rows for i in row["tfda_same_photo_ids"].split("|") if i}


def tfda_pills(data: Path) -> list[tuple[str, ImprintPill]]:
    """(row id, pill) of every row with a mark and one photo, in a fixed random order; pills of one photo are in one
    part. `crops` names the whole photo twice."""
    with (data / "catalogs" / "tw_tfda.csv").open(encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["images"] and (row["mark1"] or row["mark2"])]
    aside, seen, pills = judged(data), set[str](), []
    for row in sorted(rows, key=lambda row: row["id"]):
        photo = data / "tfda" / "img" / row["images"].split("|")[0]
        tokens = (*normalise(row["mark1"].split("|")[0]), *normalise(row["mark2"].split("|")[0]))
        if row["id"] in aside or photo.name in seen or not tokens:
            continue
        seen.add(photo.name)
        pills.append((row["id"], ImprintPill(row["id"], row["id"], tokens, (photo, photo), "train")))
    random.Random(SEED).shuffle(pills)
    for number in range(0, len(pills), TUNING):
        name, pill = pills[number]
        pills[number] = (name, ImprintPill(pill.appearance, pill.group, pill.tokens, pill.crops, "tuning"))
    return pills


def tfda_cutouts(data: Path, most: int, cache: Path = CACHE) -> Iterator[tuple[UInt8, ImprintPill]]:
    """(S, S, 4) uint8 RGBA of each face of the first `most` pills, cut out as the index cuts them.

    `cache`: of its build, which has found the faces already."""
    part = Part(tw_tfda.load(data / "catalogs" / "tw_tfda.csv"), data / "tfda" / "img")
    jobs = {job.path.name: job for job in photo_jobs([part], "nothing")}
    with BuildCache(cache) as known:
        study = PhotoStudy(load_local_runners(None), model_hashes(None), known, workers=1, progress=lambda _: None)
        for _, pill in tfda_pills(data)[:most]:
            for cutout in asyncio.run(study.cut_outs(jobs[pill.crops[0].name])):
                yield cutout, pill
