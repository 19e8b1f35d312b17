"""The product's own figures on real consumer photos: the whole answer.

One photo per query, 60 photos of 54 to 58 pills whose label does not contradict what is on them; the right answer is
the appearance group of the true item (items that show the same reference photo are one answer).
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import requests

from benchmarks.rows import Row, share_row
from pipeline.identify import Pipeline
from pipeline.photo import read_photo
from training.consumer import ConsumerPhoto, load_photos, pairs, truth

PART = "pill"
TOPS = (1, 5, 10)

Answer = Callable[[Sequence[ConsumerPhoto]], dict[str, Any]]
"""One or two photos of a pill -> the JSON of /v1/identify with ten candidates."""


def in_process(pipeline: Pipeline) -> Answer:
    """Ask the pipeline directly."""

    def ask(photos: Sequence[ConsumerPhoto]) -> dict[str, Any]:
        read = [read_photo(photo.path.read_bytes()) for photo in photos]
        return asyncio.run(pipeline.identify(*read, top_k=10)).model_dump()

    return ask


def over_http(url: str) -> Answer:
    """Ask a running service. Raises requests.HTTPError when it does not answer 200."""

    def ask(photos: Sequence[ConsumerPhoto]) -> dict[str, Any]:
        files = {name: photo.path.read_bytes() for name, photo in zip(("front", "back"), photos, strict=False)}
        answer = requests.post(f"{url}/v1/identify", files=files, data={"top_k": "10"}, timeout=60)
        answer.raise_for_status()
        return dict(answer.json())

    return ask


def answer_rows(ask: Answer, data: Path, name: str) -> list[Row]:
    """Top-1/5/10 of the whole answer, one and two photos; how often it says "identified", and how often wrongly."""
    known, unknown = load_photos(data)
    right = truth(data)
    rows: list[Row] = []
    said: list[tuple[dict[str, Any], set[str]]] = []
    for count, queries in ((1, [(photo,) for photo in known]), (2, pairs(known))):
        answers = [(ask(query), right[query[0].appearance]) for query in queries]
        if count == 1:
            said = answers
        dataset = f"consumer photos, {count} a query, {name}"
        places = [_rank_of(answer, ids) for answer, ids in answers]
        rows += [
            share_row(PART, dataset, f"top-{k}", sum(p < k for p in places), len(places), unit="queries") for k in TOPS
        ]
    said += [(ask((photo,)), set()) for photo in unknown]
    sure = [(answer, ids) for answer, ids in said if answer["decision"] == "identified"]
    wrong = sum(_rank_of(answer, ids) != 0 for answer, ids in sure)
    everything = f"consumer photos in ({len(known)}) and not in ({len(unknown)}) the gallery, {name}"
    rows.append(share_row(PART, everything, "said identified", len(sure), len(said), unit="photos"))
    rows.append(share_row(PART, everything, "said identified and was wrong", wrong, len(said), unit="photos"))
    return rows


def _rank_of(answer: dict[str, Any], right: set[str]) -> int:
    """Place (0 = first) of the first right candidate; 10**6 when there is none."""
    for candidate in answer["candidates"]:
        if right & {candidate["item_id"], *candidate["same_appearance"]}:
            return int(candidate["rank"]) - 1
    return 10**6
