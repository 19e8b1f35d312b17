"""What an OCR read in several turns of one pill, as evidence: places on the pill, and what may stand at each.

Readings of different turns at the same place are alternatives: one line of text was read several times, mostly
wrongly. Readings beside or below each other in one turn may be parts of one token (a score line splits "93").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, radians, sin
from typing import Final

from pipeline.cutout import CUTOUT_SIZE
from pipeline.imprint_ctc import Steps, joined, split_at_spaces, text_of
from pipeline.imprint_text import bare, fold, normalise
from pipeline.reading_order import in_reading_order
from pipeline.schemas import Reading

MAX_PLACES: Final = 12
"""More lines than this are noise of a texture; bounds the work a picture can cause."""
MAX_TOKEN: Final = 24
"""Longest token compared; the longest in the three catalogues has 20 letters."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word of one reading: text as normalised, confidence in [0, 1], box in px of the cut-out as turned.

    `steps`: its part of the reading's steps, () where the reader gave none or they do not fall into words."""

    text: str
    confidence: float
    rotation: int
    box: tuple[float, float, float, float]
    steps: Steps = ()

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the box in px of the cut-out before turning; origin in its middle, y down."""
        x = (self.box[0] + self.box[2]) / 2 - CUTOUT_SIZE / 2
        y = (self.box[1] + self.box[3]) / 2 - CUTOUT_SIZE / 2
        c, s = cos(radians(self.rotation)), sin(radians(self.rotation))
        return c * x - s * y, s * x + c * y

    def covers(self, point: tuple[float, float]) -> bool:
        """Whether a point (as `center`) lies in the box."""
        c, s = cos(radians(self.rotation)), sin(radians(self.rotation))
        x = c * point[0] + s * point[1] + CUTOUT_SIZE / 2
        y = -s * point[0] + c * point[1] + CUTOUT_SIZE / 2
        return self.box[0] <= x <= self.box[2] and self.box[1] <= y <= self.box[3]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text that may stand on the pill, and the places it then explains. `text` is folded; `steps`: see `Reading`.

    `read`: the same as the reader gave it; "" where a person typed it, whose 0 may be an O."""

    text: str
    confidence: float
    places: tuple[int, ...]
    steps: Steps = ()
    read: str = ""


def tokens_of(readings: Sequence[Reading]) -> list[Token]:
    """The words of all readings; a line's box is shared out among its words: by their steps, else by their length."""
    tokens = []
    for reading in readings:
        words = normalise(reading.text)
        for word, span, steps in _by_steps(reading, words) or _by_length(words):
            left, top, right, bottom = reading.box
            box = (left + (right - left) * span[0], top, left + (right - left) * span[1], bottom)
            tokens.append(Token(word[:MAX_TOKEN], reading.confidence, reading.rotation, box, steps))
    return tokens


def _by_steps(reading: Reading, words: Sequence[str]) -> list[tuple[str, tuple[float, float], Steps]]:
    """Each word with its share of the line, (start, stop) in [0, 1], and its steps; [] where they do not fit."""
    spans = split_at_spaces(reading.steps)
    parts = [reading.steps[start:stop] for start, stop in spans]
    spoken = [(span, part) for span, part in zip(spans, parts, strict=True) if normalise(text_of(part))]
    if len(spoken) != len(words) or any(
        normalise(text_of(part)) != (word,) for (_, part), word in zip(spoken, words, strict=True)
    ):
        return []
    whole = len(reading.steps)
    return [
        (word, (start / whole, stop / whole), part) for ((start, stop), part), word in zip(spoken, words, strict=True)
    ]


def _by_length(words: Sequence[str]) -> list[tuple[str, tuple[float, float], Steps]]:
    letters = sum(map(len, words))
    edges = [0, *accumulate(map(len, words))]
    return [(word, (edges[n] / letters, edges[n + 1] / letters), ()) for n, word in enumerate(words)]


def _is_alternative(token: Token, seed: Token) -> bool:
    """Whether both stand at the same place of the pill."""
    return seed.covers(token.center) or token.covers(seed.center)


def phrases_of(readings: Sequence[Reading]) -> tuple[list[Phrase], int]:
    """All texts worth comparing and the number of places they were read at."""
    tokens = sorted(tokens_of(readings), key=lambda t: -t.confidence * len(t.text))
    seeds: list[Token] = []
    place: dict[int, int] = {}
    for number, token in enumerate(tokens):
        at = next((i for i, seed in enumerate(seeds) if _is_alternative(token, seed)), None)
        if at is None:
            if len(seeds) == MAX_PLACES:
                continue
            at = len(seeds)
            seeds.append(token)
        place[number] = at

    best: dict[tuple[str, tuple[int, ...]], Phrase] = {}

    def add(text: str, confidence: float, places: tuple[int, ...], steps: Steps) -> None:
        key = (fold(text)[:MAX_TOKEN], places)
        if key not in best or best[key].confidence < confidence:
            best[key] = Phrase(key[0], confidence, places, steps, bare(text)[:MAX_TOKEN])

    for number, at in place.items():
        add(tokens[number].text, tokens[number].confidence, (at,), tokens[number].steps)
    for rotation in {tokens[number].rotation for number in place}:
        line = in_reading_order((n for n in place if tokens[n].rotation == rotation), lambda n: tokens[n].box)
        for length in (2, 3):
            for start in range(len(line) - length + 1):
                part = line[start : start + length]
                places = tuple(sorted({place[n] for n in part}))
                if len(places) == length:
                    text = "".join(tokens[n].text for n in part)
                    whole = all(tokens[n].steps for n in part)
                    steps = joined(tokens[n].steps for n in part) if whole else ()
                    add(text, min(tokens[n].confidence for n in part), places, steps)
    return list(best.values()), len(seeds)
