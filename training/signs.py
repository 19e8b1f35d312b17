"""What the recogniser can write: the signs of its output, and the texts it is drawn for training."""

import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from index.importers import kr_mfds, tw_tfda, us_nih
from pipeline.imprint_text import is_hangul, normalise

LATIN: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ./ "
"""Small letters are written as capitals, as `pipeline.imprint_text.normalise` does."""

TURNS_INTO_ITSELF: Final = frozenset("0O1HINSXZ869MWLTUVCKED")
"""Letters that are or look like letters when turned round (L is a 7, V an A, E a 3): a line of only these says nothing
about its direction."""


def has_a_top(text: str) -> bool:
    """Whether a text turned round is none."""
    return any(letter not in TURNS_INTO_ITSELF for letter in text if letter != " ")


def kept_out(word: str) -> bool:
    """Every tenth word is never drawn in training: what is measured on rendered faces is read, not remembered."""
    return zlib.crc32(word.encode()) % 10 == 0


@dataclass(frozen=True, slots=True)
class Words:
    """Distinct tokens of the three catalogues that our signs can write."""

    latin: tuple[str, ...]
    hangul: tuple[str, ...]

    def trained(self) -> "Words":
        """Those that training may draw: see `kept_out`."""
        latin, hangul = (tuple(word for word in part if not kept_out(word)) for part in (self.latin, self.hangul))
        return Words(latin, hangul)

    @property
    def signs(self) -> str:
        """All signs, Latin first, then the syllables of the Korean catalogue in code order."""
        return LATIN + "".join(sorted({letter for word in self.hangul for letter in word if is_hangul(letter)}))


def catalogue_words(data: Path) -> Words:
    """Words of the catalogues under `data`, the more frequent first."""
    folder = data / "catalogs"
    counts: Counter[str] = Counter()
    for items in (
        us_nih.load(folder / "us_nih.csv").items,
        tw_tfda.load(folder / "tw_tfda.csv").items,
        kr_mfds.load(folder / "kr_mfds.csv.gz").items,
    ):
        for item in items:
            for version in item.imprints:
                counts.update(normalise(f"{version.front or ''} {version.back or ''}"))
    ordered = [word for word, _ in counts.most_common()]
    hangul = tuple(w for w in ordered if any(map(is_hangul, w)) and all(is_hangul(c) or c in LATIN for c in w))
    return Words(tuple(w for w in ordered if all(c in LATIN for c in w)), hangul)
