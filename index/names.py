"""Search by name: words of product, ingredient and maker, forgiving case, endings and a wrong letter."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

Float32 = NDArray[np.float32]

MAX_WORDS: Final = 8
"""Words of a query that count: bounds the work of one search."""
INSIDE: Final = 0.9
"""Agreement of a word that is only part of one ("hydroxyzine" for "ydroxyzine"); at its beginning it is 1."""
CLOSE: Final = 0.75
"""Least share of equal letters of a misspelled word that still counts."""
MIN_LETTERS: Final = 4
"""Shorter words are matched from their beginning only: anything resembles them."""

_WORD: Final = re.compile(r"[^\W_]+(?:\.\d+)?")


def words_of(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


class NameSearch:
    """The words of n texts, laid out for searching."""

    def __init__(self, texts: Sequence[str]) -> None:
        numbers: dict[str, int] = {}
        pairs: list[int] = []
        rows: list[int] = []
        for row, text in enumerate(texts):
            found = {numbers.setdefault(word, len(numbers)) for word in words_of(text)}
            pairs += found
            rows += [row] * len(found)
        self._n = len(texts)
        self._words = list(numbers)
        of_word = np.array(pairs, np.int32)
        order = np.argsort(of_word, kind="stable")
        self._rows = np.array(rows, np.int32)[order]
        self._starts = np.searchsorted(of_word[order], np.arange(len(numbers) + 1))

    def agreement(self, text: str) -> Float32:
        """(n,) in [0, 1]: mean over the words asked for of how well a word of each text agrees."""
        asked = list(dict.fromkeys(words_of(text)))[:MAX_WORDS]
        total = np.zeros(self._n, np.float32)
        for word in asked:
            likeness = self._likeness(word)
            hits = np.flatnonzero(likeness)
            hits = hits[
                np.argsort(likeness[hits], kind="stable")
            ]  # of several words of a text the best is written last
            best = np.zeros(self._n, np.float32)
            for hit in hits:
                best[self._rows[self._starts[hit] : self._starts[hit + 1]]] = likeness[hit]
            total += best
        return total / np.float32(max(len(asked), 1))

    def _likeness(self, word: str) -> Float32:
        """(words,) how well each known word agrees with the one asked for; 0 = not at all."""
        likeness = np.zeros(len(self._words), np.float32)
        if len(word) >= MIN_LETTERS and self._words:
            likeness = cdist(
                [word], self._words, scorer=Levenshtein.normalized_similarity, score_cutoff=CLOSE, dtype=np.float32
            )[0]
        for number, known in enumerate(self._words):
            if known.startswith(word):
                likeness[number] = 1.0
            elif len(word) >= MIN_LETTERS and word in known:
                likeness[number] = max(INSIDE, likeness[number])
        return likeness
