"""What a perfect reader would get: every stated token read exactly, each as a reading of its own, and nothing else.

Which side carries which token no table says. A token stands on the side on which one of the readers read it surely; of
a pill with a token that nobody so read the sides are not known. A side without tokens is a side
without readings: it tells nothing, and no reader can change that.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final

from benchmarks.imprint_scores import Readings, ReadPill
from pipeline.imprint_text import fold, normalise
from pipeline.schemas import Reading

SURE: Final = 0.5
"""Confidence from which a reading places a token."""
MOST_WORDS: Final = 3
"""Neighbouring words of a line that may be one token."""

Tokens = tuple[str, ...]


def token_sides(readers: Sequence[ReadPill]) -> tuple[Tokens, ...] | None:
    """The tokens of each side of one pill, as its readers place them; None where one is on no side, or where a single
    letter is on several (it is read anywhere)."""
    tokens = readers[0].pill.tokens
    read = [_read(*sides) for sides in zip(*(pill.sides for pill in readers), strict=True)]
    on = {token: [number for number, texts in enumerate(read) if fold(token) in texts] for token in tokens}
    if any(not where or (len(where) > 1 and len(token) == 1) for token, where in on.items()):
        return None
    return tuple(tuple(token for token in tokens if number in on[token]) for number in range(len(read)))


def ways(tokens: Tokens) -> list[tuple[Tokens, Tokens]]:
    """Every way that tokens may stand on two sides, each on one of them; which side is which does not matter."""
    first, *others = tokens
    return [
        ((first, *(token for token, here in zip(others, way, strict=True) if here)),
         tuple(token for token, here in zip(others, way, strict=True) if not here))
        for way in product((True, False), repeat=len(others))
    ]  # fmt: skip


def _read(*readers: Readings) -> set[str]:
    """What was surely read on one side: words, and neighbouring words as one; folded."""
    texts = set()
    for reading in (reading for readings in readers for reading in readings if reading.confidence >= SURE):
        words = [fold(word) for word in normalise(reading.text)]
        texts |= {
            "".join(words[start:stop])
            for start in range(len(words))
            for stop in range(start + 1, min(start + MOST_WORDS, len(words)) + 1)
        }
    return texts


def read_perfectly(tokens: Tokens) -> Readings:
    """A side with these tokens, one line each."""
    return [
        Reading(text=token, confidence=1.0, box=[100, 40 * row, 280, 40 * row + 30], rotation=0)
        for row, token in enumerate(tokens)
    ]
