"""Logistic regression on a handful of features, without torch: what stated confidences are fitted and judged by."""

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

PULL = 0.02
"""Strength of the pull to 0 on each weight: a handful of samples more or less must not decide."""


def logistic(features: Float64, right: Float64, rounds: int = 50) -> Float64:
    """(F,) weights by Newton's method. `features`: (n, F); `right`: (n,), 0 or 1."""
    weights = np.zeros(features.shape[1])
    for _ in range(rounds):
        chance = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        gradient = features.T @ (chance - right) + PULL * weights
        curvature = (features * (chance * (1 - chance))[:, None]).T @ features + PULL * np.eye(len(weights))
        weights -= np.linalg.solve(curvature, gradient)
    return weights


def expected_error(chance: Float64, right: Float64, bins: int = 10) -> float:
    """Mean gap between stated chance and share that is right, both (n,), over `bins` equally full bins: [0, 1]."""
    order = np.argsort(chance, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    return sum(abs(float(chance[part].mean() - right[part].mean())) * len(part) for part in parts) / len(order)
