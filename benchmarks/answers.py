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
from training.consumer import load_photos, pairs, right_answers

PART = "pill"
TOPS = (1, 5, 10)

Answer = Callable[[Sequence[Path]], dict[str, Any]]
"""Files of one or two photos of a pill -> the JSON of /v1/identify with ten candidates."""


def in_process(pipeline: Pipeline) -> Answer:
    """Ask the pipeline directly."""

    def ask(photos: Sequence[Path]) -> dict[str, Any]:
        read = [read_photo(photo.read_bytes()) for photo in photos]
        return asyncio.run(pipeline.identify(*read, top_k=10)).model_dump()

    return ask


def over_http(url: str) -> Answer:
    """Ask a running service. Raises requests.HTTPError when it does not answer 200."""

    def ask(photos: Sequence[Path]) -> dict[str, Any]:
        files = {name: photo.read_bytes() for name, photo in zip(("front", "back"), photos, strict=False)}
        answer = requests.post(f"{url}/v1/identify", files=files, data={"top_k": "10"}, timeout=60)
        answer.raise_for_status()
        return dict(answer.json())

    return ask


def answer_rows(ask: Answer, data: Path, name: str) -> list[Row]:
    """Top-1/5/10 of the whole answer, one and two photos; how often it says "identified", and how often wrongly."""
    known, unknown = load_photos(data)
    right = right_answers(data)
    elsewhere = [photo for photo in unknown if photo.number in right]
    rows: list[Row] = []
    single: list[tuple[dict[str, Any], set[str]]] = []
    for label, queries in (
        (f"consumer photos, 1 a query, {name}", [(photo,) for photo in known]),
        (f"consumer photos, 2 a query, {name}", pairs(known)),
        (f"consumer photos under another label, 1 a query, {name}", [(photo,) for photo in elsewhere]),
    ):
        answers = [(ask([photo.path for photo in query]), right[query[0].number]) for query in queries]
        places = [_rank_of(answer, ids) for answer, ids in answers]
        rows += [
            share_row(PART, label, f"top-{k}", sum(p < k for p in places), len(places), unit="queries") for k in TOPS
        ]
        single += answers if len(queries[0]) == 1 else []
    strangers = [(ask([photo.path]), set[str]()) for photo in unknown if photo.number not in right]
    pictures = sorted((data / "detect" / "negatives" / "img").iterdir())
    rows += _said(f"consumer photos of known pills, {name}", single)
    rows += _said(f"consumer photos of pills in no catalogue, {name}", strangers)
    rows += _said(f"photos without a pill, {name}", [(ask([path]), set()) for path in pictures])
    return rows


def _said(label: str, answers: Sequence[tuple[dict[str, Any], set[str]]]) -> list[Row]:
    """How often each decision was given, and how often "identified" named a wrong item."""
    n = len(answers)
    decisions = [answer["decision"] for answer, _ in answers]
    wrong = sum(answer["decision"] == "identified" and _rank_of(answer, ids) != 0 for answer, ids in answers)
    return [
        *(
            share_row(PART, label, f"said {decision}", decisions.count(decision), n, unit="photos")
            for decision in ("identified", "candidates", "unidentified")
        ),
        share_row(PART, label, "said identified and was wrong", wrong, n, unit="photos"),
    ]


def _rank_of(answer: dict[str, Any], right: set[str]) -> int:
    """Place (0 = first) of the first right candidate; 10**6 when there is none."""
    for candidate in answer["candidates"]:
        if right & {candidate["item_id"], *candidate["same_appearance"]}:
            return int(candidate["rank"]) - 1
    return 10**6
