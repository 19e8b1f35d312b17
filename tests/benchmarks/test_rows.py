import numpy as np
import pytest

from benchmarks.rows import bootstrap, share_row, wilson


def test_wilson_interval_of_a_known_case() -> None:
    assert wilson(30, 60) == pytest.approx((0.3773, 0.6227), abs=1e-3)  # textbook value for 30 of 60


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (10, 10), (1, 1)])
def test_interval_stays_within_zero_and_one_and_holds_the_share(hits: int, n: int) -> None:
    row = share_row("part", "set", "metric", hits, n, unit="photos")
    assert 0 <= row.low <= row.value <= row.high <= 1


def test_bootstrap_surrounds_the_mean_and_narrows_with_more_items() -> None:
    values = np.random.default_rng(1).normal(5, 1, 400).tolist()

    def mean(chosen: list[float]) -> float:
        return float(np.mean(chosen))

    low, high = bootstrap(values, mean)
    few_low, few_high = bootstrap(values[:20], mean)
    assert low < mean(values) < high
    assert high - low < few_high - few_low


def test_draws_for_which_the_measure_is_undefined_are_left_out() -> None:
    def ratio(chosen: list[int]) -> float:
        if not any(chosen):
            raise ValueError("undefined")
        return sum(chosen) / len(chosen)

    low, high = bootstrap([0, 0, 1], ratio)
    assert 0 < low <= high <= 1
