"""A whole imprint typed without a space, or with spaces elsewhere than on the pill: "teva7292" for TEVA and 7292.

The letters are laid out in parts, each of which stands on one side of the item as a token or a run of neighbouring
tokens, in whatever order and on whichever side. Look-alike letters are one; no other letter may differ.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Float32 = NDArray[np.float32]

MOST_PARTS: Final = 4
MOST_LETTERS: Final = 40
MOST_TRIES: Final = 300
"""Parts looked up for one text: bounds the work that "1111111111" can cause."""


class TypedRuns:
    """Where each folded text stands, for laying out typed ones.

    Args:
        units: folded texts, several may be equal.
        sides_of: for each unit the sides that carry it.
        entry_sides: (n_entries, 2) number of each entry's sides, -1 = not known, both equal = either.
        side_letters: (n_sides,) letters of all tokens of a side.
    """

    def __init__(
        self, units: Sequence[str], sides_of: Sequence[Int32], entry_sides: Int32, side_letters: Float32
    ) -> None:
        self._units: dict[str, list[int]] = defaultdict(list)
        for number, unit in enumerate(units):
            self._units[unit].append(number)
        self._sides_of = sides_of
        flat = entry_sides.ravel()
        order = np.argsort(flat, kind="stable")
        self._entries = (order // 2).astype(np.int32)  # entry after entry, by their sides
        self._starts = np.searchsorted(flat[order], np.arange(len(side_letters) + 1))
        letters = np.append(side_letters, np.float32(0))[entry_sides]  # -1 takes the 0 at the end
        self._letters = np.where(entry_sides[:, 0] == entry_sides[:, 1], letters[:, 0], letters.sum(axis=1))

    def agreement(self, text: str) -> Float32:
        """(n_entries,) in [0, 1]: 1 = the folded text is all that is on the item, 0 = it cannot be laid out."""
        out = np.zeros(len(self._letters), np.float32)
        if not 2 <= len(text) <= MOST_LETTERS:
            return out
        where: dict[str, Int32] = {}
        ways: list[tuple[int, Int32 | None, int]] = [(0, None, 0)]  # letters laid out, entries left, parts
        tries = 0
        while ways and tries < MOST_TRIES:
            start, entries, parts = ways.pop()
            for stop in range(start + 1, len(text) + 1):
                part = text[start:stop]
                if part not in self._units or (parts + 1 == MOST_PARTS and stop < len(text)):
                    continue
                tries += 1
                if part not in where:
                    where[part] = self._carrying(part)
                left = where[part] if entries is None else np.intersect1d(entries, where[part], assume_unique=True)
                if not len(left):
                    continue
                if stop < len(text):
                    ways.append((stop, left, parts + 1))
                else:
                    shares = np.minimum(len(text) / self._letters[left], self._letters[left] / len(text))
                    out[left] = np.maximum(out[left], 2 * shares / (1 + shares))
        return out

    def _carrying(self, part: str) -> Int32:
        """Entries with this text on one of their sides, each once, ascending."""
        sides = np.concatenate([self._sides_of[unit] for unit in self._units[part]])
        found = [self._entries[self._starts[side] : self._starts[side + 1]] for side in np.unique(sides)]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int32)
