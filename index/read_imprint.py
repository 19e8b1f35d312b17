"""Readings of a reference photo -> what the catalogue says is on that side, where the tables do not say it.

The reader tries several turns of a cut-out, and only one of them is upright. Which one cannot always be told (a pill
has no top), so the likely turns are kept as versions: the query is read in all its turns too, and meets one of them.
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from index.importers.rows import Imprint
from pipeline.imprint_text import fold, normalise
from pipeline.schemas import Reading

MIN_CONFIDENCE: Final = 0.45
"""Lines below this are dropped. On 150 NIH pills with a stated imprint this keeps 81 % of the tokens, and 13 % of the
sides read carry something that is not stated (5 % of the statements are wrong themselves); from .35 on it would keep
82 %, with 14 %, from .6 on 79 %, with 12 %, and from .8 on 52 %, with 9 %."""
MAX_VERSIONS: Final = 2
NEAR_BEST: Final = 0.7
"""A turn is likely when its weight (letters times confidence) is at least this share of the best turn's."""
MAX_TEXT: Final = 60
MIN_LETTERS: Final = 2


def versions_of(readings: Sequence[Reading]) -> list[str]:
    """The likely texts of one side, most likely first; [] when nothing was read with confidence."""
    turns: dict[int, list[Reading]] = {}
    for reading in readings:
        if reading.confidence >= MIN_CONFIDENCE and normalise(reading.text):
            turns.setdefault(reading.rotation, []).append(reading)
    weights = {turn: sum(_letters(line) * line.confidence for line in lines) for turn, lines in turns.items()}
    likely = sorted(turns, key=lambda turn: -weights[turn])
    texts: dict[str, str] = {}
    for turn in likely:
        if weights[turn] >= NEAR_BEST * weights[likely[0]]:
            text = " ".join(" ".join(normalise(line.text)) for line in sorted(turns[turn], key=_reading_order))
            texts.setdefault(fold(text), text[:MAX_TEXT].strip())
    return list(texts.values())[:MAX_VERSIONS]


def read_imprints(front: Sequence[Reading], back: Sequence[Reading]) -> tuple[Imprint, ...]:
    """Versions of an item's imprint as read from its photos; a side where nothing was read stays unknown."""
    fronts, backs = versions_of(front), versions_of(back)
    return tuple(
        Imprint(front=f or (fronts[0] if fronts else None), back=b or (backs[0] if backs else None))
        for f, b in zip_longest(fronts, backs)
    )


def told_apart(stated: Imprint, front: Sequence[Reading], back: Sequence[Reading]) -> Imprint | None:
    """A stated imprint whose sides the source does not know, with its tokens put on the sides they were read on.

    None unless every token was read, on one side only (on both where the source states it twice). Tokens of one
    letter are read anywhere and so are never told apart. A side that gets no token stays unknown.
    """
    tokens = normalise(f"{stated.front or ''} {stated.back or ''}")
    seen = {
        side: [fold("".join(normalise(r.text))) for r in readings] for side, readings in (("f", front), ("b", back))
    }
    sides: dict[str, list[str]] = {"f": [], "b": []}
    for token in dict.fromkeys(tokens):
        folded = fold(token)
        where = [side for side, texts in seen.items() if any(folded in text for text in texts)]
        if len(folded) < MIN_LETTERS or len(where) != min(tokens.count(token), len(seen)):
            return None
        for side in where:
            sides[side].append(token)
    return Imprint(front=" ".join(sides["f"]) or None, back=" ".join(sides["b"]) or None)


def _letters(reading: Reading) -> int:
    return sum(map(len, normalise(reading.text)))


def _reading_order(reading: Reading) -> tuple[int, float]:
    """Lines from top to bottom, pieces of a line from left to right; px of the turned cut-out."""
    left, top, _, bottom = reading.box
    return round((top + bottom) / max(bottom - top, 1.0)), left
