"""The classifier's output row, taken apart and put together in one place."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.vocabulary import COLORS, FORMS, SCORE_LINES, SHAPES

HEADS: Final[dict[str, tuple[str, ...]]] = {
    "colors": COLORS,  # multi-label: independent probabilities
    "shape": SHAPES,  # one of
    "form": FORMS,  # one of
    "score_line": SCORE_LINES,  # one of
    "imprinted": ("imprinted",),  # probability that letters or a logo are on this side
}
MULTI_LABEL: Final = frozenset({"colors", "imprinted"})


def _layout() -> dict[str, slice]:
    layout, start = {}, 0
    for head, names in HEADS.items():
        layout[head] = slice(start, start + len(names))
        start += len(names)
    return layout


LAYOUT: Final[dict[str, slice]] = _layout()
ATTRIBUTE_WIDTH: Final = sum(len(names) for names in HEADS.values())


@dataclass(frozen=True, slots=True)
class Attributes:
    """Probabilities in [0, 1] by name, for one side of one pill."""

    colors: dict[str, float]
    shape: dict[str, float]
    form: dict[str, float]
    score_line: dict[str, float]
    imprinted: float

    @classmethod
    def from_row(cls, row: NDArray[np.float32]) -> "Attributes":
        """`row`: (ATTRIBUTE_WIDTH,) float32 as a classifier returns it."""

        def head(name: str) -> dict[str, float]:
            return {n: float(p) for n, p in zip(HEADS[name], row[LAYOUT[name]], strict=True)}

        return cls(
            colors=head("colors"),
            shape=head("shape"),
            form=head("form"),
            score_line=head("score_line"),
            imprinted=head("imprinted")["imprinted"],
        )
