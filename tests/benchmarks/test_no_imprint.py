"""Fitting and judging the chance of no imprint."""

import numpy as np
import pytest

from benchmarks.no_imprint import SeenSide, cross_fitted, features, loss, reliability
from training.logistic import logistic


def drawn(n: int = 400) -> list[SeenSide]:
    rng = np.random.default_rng(0)
    out = []
    for number in range(n):
        imprinted = float(rng.normal(0, 3))
        blank = bool(rng.random() < 1 / (1 + np.exp(imprinted)))
        out.append(SeenSide("NIH", f"p{number % 100}", blank, bool(rng.random() < (0.9 if blank else 0.1)), imprinted))
    return out


def test_the_fit_finds_the_weights_that_drew_the_data():
    sides = drawn(4000)
    bias, seen = logistic(features(sides, "classifier"), np.array([float(side.blank) for side in sides]))
    assert abs(bias) < 0.2
    assert seen == pytest.approx(1.0, abs=0.15)


def test_two_kinds_of_evidence_lose_less_than_either():
    sides = drawn()
    truth = [side.blank for side in sides]
    lost = {}
    for kind in ("silence", "classifier", "both"):
        chances = cross_fitted(features(sides, kind), np.array(truth, float), [side.pill for side in sides])
        lost[kind] = loss(list(zip(chances.tolist(), truth, strict=True)))
    assert lost["both"] < min(lost["silence"], lost["classifier"])


def test_a_pill_is_judged_by_a_fit_without_it():
    sides = [SeenSide("NIH", "odd", True, False, 9.0), *(s for s in drawn(100) if s.pill != "odd")]
    x, truth = features(sides, "classifier"), np.array([float(side.blank) for side in sides])
    pills = [side.pill for side in sides]
    own = logistic(x, truth)
    assert cross_fitted(x, truth, pills)[0] < 1 / (1 + np.exp(-x[0] @ own))


def test_reliability_counts_every_side_once():
    rows = reliability([(0.05, False), (0.5, True), (0.95, True), (1.0, True)]).splitlines()[2:]
    assert [row.split(" | ")[1] for row in rows] == ["1", "1", "2"]
