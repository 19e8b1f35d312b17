"""Probabilities of signs, step by step, as texts."""

import numpy as np
import pytest

from pipeline.imprint_ctc import text_of
from runners.ocr_decode import KEPT, Calibration, decode

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ "


def chances(*steps: dict[str, float]) -> np.ndarray:
    """(T, 1 + signs): what is not given is "no sign"."""
    out = np.zeros((len(steps), 1 + len(SIGNS)), np.float32)
    for row, step in enumerate(steps):
        for sign, chance in step.items():
            out[row, 1 + SIGNS.index(sign)] = chance
    out[:, 0] = 1 - out.sum(axis=1)
    return out


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([{"T": 0.9}, {"T": 0.8}, {}, {"V": 0.9}], "TV"),
        ([{"5": 0.9}, {}, {"5": 0.9}], "55"),
        ([{"5": 0.9}, {"5": 0.9}], "5"),
        ([{" ": 0.9}, {"A": 0.9}, {" ": 0.9}, {}, {" ": 0.9}, {"B": 0.9}], "A B"),
        ([{"A": 0.3}, {"A": 0.3}], ""),
        ([{}, {}], ""),
    ],
)
def test_repeats_are_one_letter_unless_nothing_stands_between(steps, text):
    decoded = decode(chances(*steps), SIGNS)
    assert decoded.text == text
    assert " ".join(text_of(decoded.steps).split()) == text  # the compact form says the same


def test_only_the_likeliest_signs_are_kept_and_the_rest_is_no_sign():
    spread = dict.fromkeys("ABCDEFGH", 0.1) | {"X": 0.15}
    (step,) = decode(chances(spread), SIGNS).steps
    assert len(step) == KEPT
    assert max(step, key=step.get) == "X"
    assert decode(chances({"A": 0.001}), SIGNS).steps == [{}]


def test_log_probability_is_that_of_the_best_way():
    assert decode(chances({"A": 0.5}, {"B": 0.8}), SIGNS).log_probability == pytest.approx(np.log(0.4), abs=1e-4)


def test_confidence_falls_with_the_evidence_and_stays_a_probability():
    calibration = Calibration(2.0, 3.0, 0.1)
    values = [calibration.chance(log_probability, 4) for log_probability in (0.0, -1.0, -100.0)]
    assert values == sorted(values, reverse=True)
    assert all(0 <= value <= 1 for value in values)
