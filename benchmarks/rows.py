"""One measured number with its uncertainty: the row that all accuracy tables are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Row:
    """A result. `low`, `high`: 95 % interval. `n` counts `unit`s: photos, pills, pictures."""

    part: str
    dataset: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    unit: str


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share of `hits` in `n` > 0 trials (Wilson's score interval)."""
    z = 1.959964
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, min(share, float(middle - reach))), min(1.0, max(share, float(middle + reach)))


def share_row(part: str, dataset: str, metric: str, hits: int, n: int, *, unit: str) -> Row:
    """A share of yes-or-no outcomes."""
    low, high = wilson(hits, n)
    return Row(part, dataset, metric, hits / n, low, high, n, unit)


def bootstrap(
    items: Sequence[Item], measure: Callable[[Sequence[Item]], float], rounds: int = 500, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of `measure` over resampled `items`, each round drawing as many as there are."""
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(rounds):
        try:
            values.append(measure([items[i] for i in rng.integers(0, len(items), len(items))]))
        except ValueError:  # a draw for which the measure is not defined, such as only empty photos
            continue
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
