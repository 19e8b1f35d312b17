"""What the reader takes letters for, as costs: a text that it nearly always reads rightly is not excused lightly.

The counts stand in `data/confusions.csv`, written by `python -m training confusions` for the shipped reader: letters
misread on lines that stand upright (most wrong ones are dropped ones), letters read on lines that lie upside down (a 6
for a 9), and Hangul syllables by which of their jamo are wrong.
"""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.imprint_text import LOOK_ALIKE

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt32 = NDArray[np.uint32]
Codes = NDArray[np.intp]

TABLE: Final = Path(__file__).parent / "data" / "confusions.csv"
LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
JAMO: Final = (
    "initial", "vowel", "initial+vowel", "final", "initial+final", "vowel+final", "initial+vowel+final"
)  # fmt: skip
"""What can differ between two syllables; the number of an entry, from 1, has a bit for each: initial 1, vowel 2,
final 4."""
FIRST_SYLLABLE: Final = 0xAC00
LAST_SYLLABLE: Final = 0xD7A3
FINALS: Final = 28
"""Syllables per initial and vowel, one of them without a final (Unicode standard, section 3.12)."""
VOWELS: Final = 21

WRITTEN: Final = (("0O", 0.6), ("1I", 0.5), ("1L", 0.2), ("IL", 0.2))
"""Signs that catalogues, above all the Korean one, write for each other as they please, and how often, by estimate:
that is no misreading and was not measured."""
PRIOR: Final = 0.5
"""Times that any other letter counts as read for any letter: of 1,260 pairs most were not seen."""
TEMPER: Final = 0.6
"""How much of the measured nats is believed: lines of other cameras are read worse than those it was measured on."""
TURNED_PRIOR: Final = 5.0
"""Letters read at random, any for any, that each letter counts as turned: fewer were seen upside down."""
TURNED: Final = 0.1
"""How often a reading is one of a line that lies upside down, by estimate: the reader mostly sees nothing there."""
NAMED: Final = frozenset({"dropped", "added", "hangul dropped", "hangul added"})
"""Shares that the costs need."""


class Counted(NamedTuple):
    """One line of the table: how often, `times` of `of`, something was read.

    `kind` "upright", "turned": the letter `read` for the letter `meant`, "" = none; "hangul": a syllable for another
    from which `read`, an entry of `JAMO`, differs; "share": what `read` names.
    """

    kind: str
    read: str
    meant: str
    times: int
    of: int


def load(path: Path) -> dict[str, tuple[Counted, ...]]:
    """The counts by kind. Raises ValueError, with the line, where the file is none of ours."""
    kinds: dict[str, list[Counted]] = {"upright": [], "turned": [], "hangul": [], "share": []}
    with path.open(newline="", encoding="utf-8") as handle:
        rows = csv.reader(handle)
        if tuple(next(rows, ())) != Counted._fields:
            raise ValueError(f"{path}: its first line is not {','.join(Counted._fields)}")
        for number, row in enumerate(rows, start=2):
            try:
                kind, read, meant, times, of = row
                counted = Counted(kind, read, meant, int(times), int(of))
                kinds[kind].append(counted)
            except (ValueError, KeyError) as error:
                raise ValueError(f"{path}, line {number}: {','.join(row)}") from error
            if not 0 <= counted.times <= counted.of or counted.of < 1:
                raise ValueError(f"{path}, line {number}: {counted.times} of {counted.of}")
    if missing := NAMED - {counted.read for counted in kinds["share"]}:
        raise ValueError(f"{path} does not say how often: {', '.join(sorted(missing))}")
    return {kind: tuple(found) for kind, found in kinds.items()}


_COUNTED: Final = load(TABLE)
MEASURED: Final = tuple((c.read, c.meant, c.times, c.of) for c in _COUNTED["upright"])
"""(read, meant, times, times meant) of upright letters."""
SHARES: Final[Mapping[str, float]] = {c.read: c.times / c.of for c in _COUNTED["share"]}


def share_of(name: str) -> float:
    """A measured share, kept away from 0 by what was not seen in 10,000."""
    return max(SHARES[name], 1e-4)


@cache
def replaced() -> Float32:
    """(37, 37) nats, read by meant; the last row and column stand for every other sign. 0 for a letter read rightly."""
    place = {letter: number for number, letter in enumerate(LETTERS)}
    meant = np.full(len(LETTERS), 500.0)
    times = np.full((len(LETTERS), len(LETTERS)), PRIOR)
    for read, letter, count, total in MEASURED:
        if letter:
            meant[place[letter]] = total
        if read and letter:
            times[place[read], place[letter]] = count
    share = times / meant
    for (one, other), written in WRITTEN:
        for pair in ((place[one], place[other]), (place[other], place[one])):
            share[pair] = max(share[pair], written)
    out = np.full((len(LETTERS) + 1, len(LETTERS) + 1), -np.log(PRIOR / 500))
    out[:-1, :-1] = -np.log(share)
    np.fill_diagonal(out[:-1, :-1], 0.0)
    return np.asarray(TEMPER * out, np.float32)


@cache
def turned() -> Float32:
    """(37, 37) nats, read by meant, of a letter on a line that lies upside down; see `replaced`."""
    place = {letter: number for number, letter in enumerate(LETTERS)}
    meant = np.zeros(len(LETTERS))
    times = np.full((len(LETTERS), len(LETTERS)), TURNED_PRIOR / len(LETTERS))
    for c in _COUNTED["turned"]:
        times[place[c.read], place[c.meant]] += c.times
        meant[place[c.meant]] = c.of
    out = np.full((len(LETTERS) + 1, len(LETTERS) + 1), np.log(500 / PRIOR))
    out[:-1, :-1] = -np.log(times / (meant + TURNED_PRIOR))
    return np.asarray(TEMPER * out, np.float32)


@cache
def syllables() -> Float32:
    """(8,) nats of one syllable for another by what differs, bits as in `JAMO`; 0 for a syllable read rightly."""
    out = np.full(len(JAMO) + 1, np.log(500 / PRIOR))
    for c in _COUNTED["hangul"]:
        out[1 + JAMO.index(c.read)] = -np.log((c.times + PRIOR) / (c.of + 500))
    out[0] = 0.0
    return np.asarray(TEMPER * out, np.float32)


def syllable_shares(letters: Sequence[str]) -> Float64:
    """(n, n) of syllables: how often one is read for another; 1 for itself."""
    signs = np.array([ord(letter) for letter in letters], np.uint32)
    chance = np.zeros(len(JAMO) + 1)
    for c in _COUNTED["hangul"]:
        chance[1 + JAMO.index(c.read)] = c.times / c.of
    chance[0] = 1.0
    return chance[_differing(*np.meshgrid(signs, signs, indexing="ij"))]


def differing(one: str, other: str) -> str:
    """Which jamo of two different syllables differ: an entry of `JAMO`."""
    bits = int(_differing(np.array([ord(one)], np.uint32), np.array([ord(other)], np.uint32))[0])
    return JAMO[bits - 1]


def _differing(one: UInt32, other: UInt32) -> Codes:
    """Bits of the jamo that differ, of code points of syllables, of one shape."""
    a, b = one.astype(np.int64) - FIRST_SYLLABLE, other.astype(np.int64) - FIRST_SYLLABLE
    per_initial = FINALS * VOWELS
    return np.asarray(
        (a // per_initial != b // per_initial)
        + 2 * (a % per_initial // FINALS != b % per_initial // FINALS)
        + 4 * (a % FINALS != b % FINALS),
        np.intp,
    )


def _is_hangul(signs: UInt32) -> NDArray[np.bool_]:
    return (signs >= FIRST_SYLLABLE) & (signs <= LAST_SYLLABLE)


def codes(signs: UInt32) -> Codes:
    """Rows of `replaced` for code points of any shape."""
    table = np.full(128, len(LETTERS), np.intp)
    table[[ord(letter) for letter in LETTERS]] = np.arange(len(LETTERS))
    return np.where(signs < 128, table[np.minimum(signs, 127)], len(LETTERS))


def edit_costs(read: str, meant: UInt32, lengths: Codes, distances: NDArray[np.uint8]) -> Float32:
    """Nats for reading a text where each of n others stands.

    Args:
        read: the text.
        meant: (n, W) code points of the others, 0 past their end.
        lengths: (n,) of the others.
        distances: (n,) letters to insert, delete or replace, look-alikes aside.
    """
    own = np.array([ord(letter) for letter in read], np.uint32)
    same = lengths == len(read)
    letters = np.where(same[:, None], meant[:, : len(read)], own)
    pairs = replaced()[codes(own), codes(letters)]
    korean = _is_hangul(own)
    if korean.any():
        both = korean & _is_hangul(letters)
        pairs = np.where(both, syllables()[np.where(both, _differing(np.broadcast_to(own, letters.shape), letters), 0)],
                         pairs)  # fmt: skip
    pairs = np.where(letters == own, np.float32(0), pairs)
    straight = same & (_unlike(own, letters) == distances)
    longer = np.maximum(lengths - len(read), 0)
    shorter = np.maximum(len(read) - lengths, 0)
    script = "hangul " if korean.any() else ""
    moved = TEMPER * (
        -np.log(share_of(f"{script}dropped")) * longer - np.log(share_of(f"{script}added")) * shorter
        - np.log(PRIOR / 500) * np.maximum(distances - longer - shorter, 0)
    )  # fmt: skip
    return np.asarray(np.where(straight, pairs.sum(axis=1), moved), np.float32)


def turned_costs(read: str, meant: Codes, *, most: float) -> Float32 | None:
    """Nats for reading a text on a line that lies upside down, where each of n texts as long stands.

    Args:
        read: the text.
        meant: (letters, n) codes of the texts.
        most: nats beyond which no cost is of interest: None when none can be below.
    """
    rows = turned()[codes(np.array([ord(letter) for letter in reversed(read)], np.uint32))]
    found = np.float32(-TEMPER * np.log(TURNED))
    if found + float(rows.min(axis=1).sum()) > most:
        return None
    return np.asarray(sum((row[letters] for row, letters in zip(rows, meant, strict=True)), start=found), np.float32)


def _unlike(own: UInt32, letters: UInt32) -> Codes:
    """(n,): letters of each row that are not even look-alikes of a text's."""
    table = np.arange(128, dtype=np.uint32)
    for sign, merged in LOOK_ALIKE.items():
        table[sign] = ord(merged)

    def folded(signs: UInt32) -> UInt32:
        return np.where(signs < 128, table[np.minimum(signs, 127)], signs)

    return np.asarray((folded(letters) != folded(own)).sum(axis=1), np.intp)
