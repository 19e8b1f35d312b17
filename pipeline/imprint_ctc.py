"""How probable every imprint of the catalogues is under what the recogniser saw, letter by letter.

The recogniser gives, for each step along a line, how likely each sign stands there (Reading.steps). The chance of a
text is the sum over all ways it can be laid along the steps (CTC forward: Graves et al. 2006, equations 6 to 8). The
texts share their beginnings in a tree, so each beginning is computed once; branches that begin with letters nowhere
to be seen are left out before the sum starts.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.imprint_confusions import MEASURED, WRITTEN, syllable_shares
from pipeline.imprint_text import is_hangul

Int32 = NDArray[np.int32]
Float64 = NDArray[np.float64]
Steps = Sequence[Mapping[str, float]]

FLOOR: Final = 1e-3
"""Probability left to any sign at any step: the recogniser is never that sure."""
SEEN: Final = 0.03
"""A letter that reaches this somewhere on the line may be on it."""
UNSEEN_ALLOWED: Final = 1
"""Letters of a text that may be nowhere to be seen."""
SILENT: Final = "./ "
"""Signs that texts are compared without."""


class PrefixTree:
    """Distinct texts, laid out as a tree of their letters; level after level, so that parents come first."""

    def __init__(self, texts: Sequence[str]) -> None:
        longest = max(map(len, texts), default=0)
        signs = np.array(texts, dtype=f"U{max(longest, 1)}").view(np.uint32)
        signs = signs.reshape(len(texts), max(longest, 1))  # 0: past the end
        used = np.unique(signs[signs > 0])
        letters = [chr(sign) for sign in used]
        self._code = {letter: number for number, letter in enumerate(letters)}
        parents, codes = [np.zeros(1, np.int64)], [np.full(1, -1, np.int64)]
        node, levels = np.zeros(len(texts), np.int64), [0, 1]
        for depth in range(longest):
            on = np.flatnonzero(signs[:, depth])
            edges, which = np.unique(
                node[on] * len(used) + np.searchsorted(used, signs[on, depth]), return_inverse=True
            )
            parents.append(edges // len(used))
            codes.append(edges % len(used))
            node[on] = levels[-1] + which
            levels.append(levels[-1] + len(edges))
        self._parent, self._letter = np.concatenate(parents).astype(np.int32), np.concatenate(codes).astype(np.int32)
        self._levels = np.array(levels)  # level n is self._levels[n] to self._levels[n + 1]
        self._depth = np.repeat(np.arange(longest + 1, dtype=np.int32), np.diff(self._levels))
        self._node = node.astype(np.int32)
        self._shares = _shares(letters)

    def log_chances(self, steps: Steps) -> tuple[Int32, Float64]:
        """The texts that the steps may say, as positions in `texts`, and the logarithm of their probability."""
        if not len(self._node) or not steps:
            return np.zeros(0, np.int32), np.zeros(0)
        signs, blanks = self._emissions(steps)
        nodes = self._plausible(signs, blanks)
        place = np.full(len(self._parent), -1, np.int32)
        place[nodes] = np.arange(len(nodes))
        parent, letter = place[self._parent[nodes]], self._letter[nodes]
        doubled = letter == letter[parent]  # the same letter twice needs a blank between
        on_sign, on_blank = np.zeros(len(nodes)), np.zeros(len(nodes))
        on_blank[0] = 1.0  # the root: nothing said yet
        for sign, blank in zip(signs, blanks, strict=True):
            before = on_blank[parent] + np.where(doubled, 0.0, on_sign[parent])
            fresh = np.where(letter >= 0, sign[letter], 0.0) * (on_sign + before)
            on_blank = blank * (on_sign + on_blank)
            on_sign = fresh
        chances = on_sign + on_blank
        where = place[self._node]
        texts = np.flatnonzero(where >= 0).astype(np.int32)
        return texts, np.log(np.maximum(chances[where[texts]], 1e-300))

    def _emissions(self, steps: Steps) -> tuple[Float64, Float64]:
        """(T, letters) probability of each letter of the tree, (T,) of none."""
        signs = np.zeros((len(steps), len(self._code)))
        blanks = np.ones(len(steps))
        for row, step in enumerate(steps):
            for sign, chance in step.items():
                if sign not in SILENT:
                    blanks[row] -= chance
                if (code := self._code.get(sign)) is not None:
                    signs[row, code] = chance
        seen = np.flatnonzero(signs.any(axis=0))  # few: as a whole the product would wake the threads of BLAS
        return np.maximum(signs[:, seen] @ self._shares[seen], FLOOR), np.maximum(blanks, FLOOR)

    def _plausible(self, signs: Float64, blanks: Float64) -> Int32:
        """Nodes whose path has hardly a letter that is nowhere to be seen, and is about as long as the line."""
        unseen = signs.max(axis=0) < SEEN
        longest = int((blanks < 0.5).sum()) + 2
        missing = np.zeros(len(self._parent), np.int8)
        for start, stop in zip(self._levels[1:-1], self._levels[2:], strict=True):
            missing[start:stop] = missing[self._parent[start:stop]] + unseen[self._letter[start:stop]]
        return np.flatnonzero((missing <= UNSEEN_ALLOWED) & (self._depth <= longest)).astype(np.int32)


def _shares(letters: Sequence[str]) -> Float64:
    """(read, meant): how much of a read letter's probability counts for a meant one: as often as it is so misread."""
    out = np.eye(len(letters))
    place = {letter: number for number, letter in enumerate(letters)}
    for read, meant, times, total in MEASURED:
        if read in place and meant in place:
            out[place[read], place[meant]] = times / total
    korean = [n for n, letter in enumerate(letters) if is_hangul(letter)]
    out[np.ix_(korean, korean)] = syllable_shares([letters[n] for n in korean])
    for (one, other), share in WRITTEN:
        if one in place and other in place:
            out[place[one], place[other]] = max(share, out[place[one], place[other]])
            out[place[other], place[one]] = max(share, out[place[other], place[one]])
    return out


def best_chance(steps: Steps) -> float:
    """Logarithm of the probability of the likeliest way along the steps, whatever it says."""
    return float(sum(np.log(max(max(step.values(), default=0.0), 1 - sum(step.values()), FLOOR)) for step in steps))


def split_at_spaces(steps: Steps) -> list[tuple[int, int]]:
    """Runs of steps, as (start, stop), between those where a space is likelier than anything else."""
    spaces = [n for n, step in enumerate(steps) if step and max(step, key=lambda s: step[s]) == " " and step[" "] > 0.5]
    edges = [-1, *spaces, len(steps)]
    return [(a + 1, b) for a, b in pairwise(edges) if b > a + 1]


def text_of(steps: Steps) -> str:
    """The best text: the likeliest sign of each step, repeats merged, "" where none is likelier than nothing."""
    best = [_best(step) for step in steps]
    return "".join(sign for n, sign in enumerate(best) if sign and (n == 0 or sign != best[n - 1]))


def _best(step: Mapping[str, float]) -> str:
    if not step:
        return ""
    sign = max(step, key=lambda s: step[s])
    return sign if step[sign] > 1 - sum(step.values()) else ""


def joined(parts: Iterable[Steps]) -> Steps:
    """Lines read one after the other, with a step of nothing between."""
    out: list[Mapping[str, float]] = []
    for part in parts:
        out += [{}, *part] if out else part
    return out
