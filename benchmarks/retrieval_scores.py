"""How good ranked answers are: where the right one stands, and how well confidence tells right from wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.rows import Row, bootstrap, share_row

NOWHERE: Final = 10**6
"""Place of a right answer that was not found at all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One query. `places`: of every right answer (0 = first), ascending, at least one; `sure`: score of the first
    answer, whatever it is; -inf where nothing was found in the photo."""

    places: tuple[int, ...]
    sure: float

    @classmethod
    def missed(cls) -> "Outcome":
        return cls((NOWHERE,), -np.inf)


def reciprocal_rank(outcome: Outcome) -> float:
    """1 / place of the first right answer, counted from 1; 0 when it was not found."""
    return 0.0 if outcome.places[0] >= NOWHERE else 1 / (outcome.places[0] + 1)


def average_precision(outcome: Outcome) -> float:
    """Mean over the right answers of the precision at each one's place."""
    return float(np.mean([0.0 if p >= NOWHERE else n / (p + 1) for n, p in enumerate(outcome.places, start=1)]))


def global_average_precision(outcomes: Sequence[Outcome]) -> float:
    """GAP: first answers of all queries in one list, the surest first; precision summed at the right ones, divided by
    the number of queries (Weyand et al., 2020, https://arxiv.org/abs/2004.01804; as ePillID reports it)."""
    order = sorted(outcomes, key=lambda outcome: -outcome.sure)
    right = np.array([outcome.places[0] == 0 for outcome in order], float)
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float((precision * right).sum() / len(right))


def outcome_rows(part: str, dataset: str, outcomes: Sequence[Outcome], unit: str) -> list[Row]:
    """Top-1/5/10/50, MRR, MAP and GAP of at least one query, with 95 % intervals. MAP is left out where every query
    has one right answer: it is MRR then."""
    n = len(outcomes)
    rows = [
        share_row(part, dataset, f"top-{k}", sum(o.places[0] < k for o in outcomes), n, unit=unit)
        for k in (1, 5, 10, 50)
    ]
    measures = {
        "MRR": lambda chosen: float(np.mean([reciprocal_rank(o) for o in chosen])),
        "MAP": lambda chosen: float(np.mean([average_precision(o) for o in chosen])),
        "GAP": global_average_precision,
    }
    if all(len(outcome.places) == 1 for outcome in outcomes):
        del measures["MAP"]
    rows += [
        Row(part, dataset, name, measure(outcomes), *bootstrap(outcomes, measure), n, unit)
        for name, measure in measures.items()
    ]
    return rows
