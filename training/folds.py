"""Cross-validation by pill: photos of one pill are never on both sides."""

from collections.abc import Sequence

import numpy as np


def folds_of(pill_groups: Sequence[str], folds: int) -> list[int]:
    """The fold of each query, 0 <= fold < folds, by the pill group that it belongs to: all of a group are in one."""
    groups = sorted(set(pill_groups))
    fold = {group: i % folds for i, group in enumerate(np.random.default_rng(0).permutation(groups))}
    return [fold[group] for group in pill_groups]
