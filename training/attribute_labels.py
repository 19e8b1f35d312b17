"""What is known of a pill's looks, as one row in the classifier's layout: 1 yes, 0 no, NaN not known.

In a head that is "one of", several ones mean "one of these, the source does not say which".
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.attributes import ATTRIBUTE_WIDTH, HEADS, LAYOUT, MULTI_LABEL

Float32 = NDArray[np.float32]

BY_EYE: Final = Path(__file__).parents[1] / "configs" / "faces_by_eye.csv"
"""500 NIH sides drawn at random and labelled by eye: something imprinted? which score line? Empty = in doubt."""

UNSPLIT: Final = {
    "green": ("light green", "teal"), "teal": ("green",), "blue": ("navy",), "purple": ("magenta",),
    "red": ("magenta",), "pink": ("magenta",), "white": ("transparent",), "gray": ("transparent",),
}  # fmt: skip
"""Colour words of the American and Taiwanese lists that cover several of ours: the others stay unknown."""


def unknown() -> Float32:
    """A row of which nothing is known."""
    return np.full(ATTRIBUTE_WIDTH, np.nan, np.float32)


def put(row: Float32, head: str, words: Iterable[str]) -> None:
    """Write into `row`, in place, that `head` is (one of) `words`; no words leave it unknown."""
    chosen = set(words)
    if chosen:
        row[LAYOUT[head]] = [float(name in chosen) for name in HEADS[head]]


def put_colors(row: Float32, colors: Sequence[str], *, coarse: bool) -> None:
    """Write the colours. `coarse`: in the words of a list shorter than ours (see `UNSPLIT`)."""
    put(row, "colors", colors)
    if not colors or not coarse:
        return
    part = row[LAYOUT["colors"]]
    for color in colors:
        for other in UNSPLIT.get(color, ()):
            if other not in colors:
                part[HEADS["colors"].index(other)] = np.nan


def put_imprinted(row: Float32, imprinted: bool) -> None:
    """Write whether letters or a logo are on this side."""
    row[LAYOUT["imprinted"]] = float(imprinted)


def is_right(head: str, said: Float32, true: Float32) -> bool | None:
    """Whether scores of one head agree with its labels; None where nothing is known.

    Args:
        said: scores of the head's words, any scale on which 0 (logits) is even for "imprinted".
        true: labels: 1, 0 or NaN.

    Colours are right when the likeliest of them, as many as the pill has, are exactly its colours.
    """
    if head == "imprinted":
        return None if np.isnan(true[0]) else bool((said[0] > 0) == (true[0] > 0))
    words = set(np.flatnonzero(true == 1))
    if not words:
        return None
    if head in MULTI_LABEL:
        return set(np.argsort(-said)[: len(words)]) == words
    return int(said.argmax()) in words


def agreed(rows: Sequence[Float32]) -> Float32:
    """What several rows about one photo say alike; where they differ, nothing is known."""
    first = rows[0].copy()
    for head in HEADS:
        part = LAYOUT[head]
        stated = [row[part] for row in rows if not np.isnan(row[part]).all()]
        if not stated:
            continue
        same = all(np.array_equal(stated[0], other, equal_nan=True) for other in stated[1:])
        first[part] = stated[0] if same else np.nan
    return first


def by_eye(table: Path = BY_EYE) -> dict[str, tuple[bool | None, str | None]]:
    """Crop file -> (imprinted, score line), None where in doubt."""
    with table.open(encoding="utf-8") as handle:
        return {
            row["file"]: (bool(int(row["imprinted"])) if row["imprinted"] else None, row["score_line"] or None)
            for row in csv.DictReader(handle)
        }
