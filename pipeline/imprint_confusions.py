"""What the reader takes letters for, as costs: a text that it nearly always reads rightly is not excused lightly.

Measured on the shipped reader by `python -m training confusions`: 2,450 labelled lines of NIH pills that trained or
tuned it, each seen in eight other lights; 56,014 letters, 1,439 wrong. Most wrong letters are dropped ones.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.imprint_text import LOOK_ALIKE

Float32 = NDArray[np.float32]
UInt32 = NDArray[np.uint32]

LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MEASURED: Final = (
    ("", "1", 111, 4686), ("0", "O", 101, 377), ("", "I", 68, 904), ("", "9", 63, 2853), ("", "0", 52, 4463),
    ("", "A", 52, 2296), ("", "R", 43, 1221), ("", "8", 43, 2203), ("", "6", 41, 2367), ("", "N", 35, 860),
    ("", "2", 35, 3964), ("", "3", 34, 4575), ("", "M", 26, 1710), ("", "G", 25, 1274), ("", "7", 21, 3400),
    ("", "4", 21, 3475), ("T", "I", 19, 904), ("", "5", 18, 4157), ("I", "1", 15, 4686), ("U", "W", 14, 212),
    ("", "E", 14, 1408), ("8", "9", 13, 2853), ("", "L", 13, 1219), ("L", "I", 12, 904), ("S", "5", 12, 4157),
    ("C", "G", 11, 1274), ("", "S", 11, 525), ("1", "7", 11, 3400), ("", "V", 10, 1597), ("0", "D", 10, 331),
    ("", "O", 9, 377), ("5", "6", 9, 2367), ("I", "L", 9, 1219), ("7", "1", 9, 4686), ("", "Z", 9, 336),
    ("1", "I", 8, 904), ("6", "5", 8, 4157), ("", "X", 8, 279), ("2", "4", 8, 3475), ("2", "7", 7, 3400),
    ("", "F", 7, 425), ("F", "E", 7, 1408), ("", "U", 7, 279), ("", "T", 7, 1534), ("T", "R", 6, 1221),
    ("", "B", 6, 539), ("3", "8", 6, 2203), ("", "H", 6, 298), ("", "P", 6, 1055), ("F", "T", 5, 1534),
    ("V", "M", 5, 1710), ("5", "8", 5, 2203), ("3", "G", 5, 1274), ("B", "6", 5, 2367), ("5", "S", 5, 525),
    ("", "Y", 5, 533), ("T", "7", 5, 3400), ("", "D", 5, 331), ("I", "H", 4, 298), ("6", "8", 4, 2203),
    ("E", "G", 4, 1274), ("F", "R", 4, 1221), ("G", "6", 4, 2367), ("O", "0", 4, 4463), ("0", "8", 4, 2203),
    ("6", "9", 4, 2853), ("1", "T", 4, 1534), ("8", "6", 4, 2367), ("3", "9", 4, 2853), ("C", "0", 3, 4463),
    ("B", "8", 3, 2203), ("5", "9", 3, 2853), ("L", "R", 3, 1221), ("9", "8", 3, 2203), ("9", "G", 3, 1274),
    ("A", "R", 3, 1221), ("0", "9", 3, 2853), ("9", "0", 3, 4463), ("I", "T", 3, 1534), ("R", "B", 3, 539),
    ("8", "5", 3, 4157), ("2", "3", 3, 4575), ("M", "H", 3, 298),
)  # fmt: skip
"""(read, meant, times, times meant); pairs seen three times or more."""
WRITTEN: Final = (("0O", 0.6), ("1I", 0.5), ("1L", 0.2), ("IL", 0.2))
"""Signs that catalogues, above all the Korean one, write for each other as they please, and how often, by estimate:
that is no misreading and was not measured."""
DROPPED: Final = 0.017
"""Share of letters that are dropped,"""
ADDED: Final = 0.002
"""... and that are added."""
PRIOR: Final = 0.5
"""Times that any other letter counts as read for any letter: of 1,260 pairs most were not seen."""
TEMPER: Final = 0.6
"""How much of the measured nats is believed: lines of other cameras are read worse than those it was measured on."""


@cache
def replaced() -> Float32:
    """(37, 37) nats, read by meant; the last row and column stand for every other sign. 0 for a letter read rightly."""
    place = {letter: number for number, letter in enumerate(LETTERS)}
    meant = np.full(len(LETTERS), 500.0)
    times = np.full((len(LETTERS), len(LETTERS)), PRIOR)
    for read, letter, count, total in MEASURED:
        if read and letter:
            times[place[read], place[letter]] = count
            meant[place[letter]] = total
        elif letter:
            meant[place[letter]] = total
    share = times / meant
    for (one, other), written in WRITTEN:
        for pair in ((place[one], place[other]), (place[other], place[one])):
            share[pair] = max(share[pair], written)
    out = np.full((len(LETTERS) + 1, len(LETTERS) + 1), -np.log(PRIOR / 500))
    out[:-1, :-1] = -np.log(share)
    np.fill_diagonal(out[:-1, :-1], 0.0)
    return np.asarray(TEMPER * out, np.float32)


def codes(signs: UInt32) -> NDArray[np.intp]:
    """Rows of `replaced` for code points of any shape."""
    table = np.full(128, len(LETTERS), np.intp)
    table[[ord(letter) for letter in LETTERS]] = np.arange(len(LETTERS))
    return np.where(signs < 128, table[np.minimum(signs, 127)], len(LETTERS))


def edit_costs(read: str, meant: UInt32, lengths: NDArray[np.intp], distances: NDArray[np.uint8]) -> Float32:
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
    pairs = np.where(letters == own, np.float32(0), pairs)
    straight = same & (_unlike(own, letters) == distances)
    longer = np.maximum(lengths - len(read), 0)
    shorter = np.maximum(len(read) - lengths, 0)
    moved = TEMPER * (-np.log(DROPPED) * longer - np.log(ADDED) * shorter - np.log(PRIOR / 500) * (
        np.maximum(distances - longer - shorter, 0)
    ))  # fmt: skip
    return np.asarray(np.where(straight, pairs.sum(axis=1), moved), np.float32)


def _unlike(own: UInt32, letters: UInt32) -> NDArray[np.intp]:
    """(n,): letters of each row that are not even look-alikes of a text's."""
    table = np.arange(128, dtype=np.uint32)
    for sign, merged in LOOK_ALIKE.items():
        table[sign] = ord(merged)

    def folded(signs: UInt32) -> UInt32:
        return np.where(signs < 128, table[np.minimum(signs, 127)], signs)

    return np.asarray((folded(letters) != folded(own)).sum(axis=1), np.intp)
