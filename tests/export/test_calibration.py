"""Confidence fitted on outcomes."""

import numpy as np
import pytest

pytest.importorskip("torch")

from export.calibration import expected_error, fit
from runners.ocr_decode import Calibration


def test_the_fit_finds_the_odds_that_made_the_outcomes():
    rng = np.random.default_rng(0)
    truth = Calibration(2.0, 1.5, 0.2)
    features = np.stack([np.ones(4000), -rng.exponential(1.5, 4000), rng.integers(1, 7, 4000)], axis=1)
    right = np.array([rng.random() < truth.chance(row[1], int(row[2])) for row in features], float)
    found = fit(features, right)
    assert found.bias == pytest.approx(truth.bias, abs=0.4)
    assert found.evidence == pytest.approx(truth.evidence, abs=0.2)
    assert expected_error(found, features, right) < 0.03 < expected_error(Calibration(6.0, 0.0, 0.0), features, right)
