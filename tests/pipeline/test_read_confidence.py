"""The reader's confidence as a person is told it."""

from pathlib import Path

import pytest

from pipeline.ranking import RankingWeights
from pipeline.read_confidence import chance_on_photo

SHIPPED = RankingWeights.load(Path(__file__).parents[2] / "configs" / "ranking.yaml")


def weights(bias: float, evidence: float) -> RankingWeights:
    return SHIPPED.model_copy(update={"read_bias": bias, "read_evidence": evidence})


@pytest.mark.parametrize("confidence", [0.01, 0.3, 0.5, 0.97])
def test_without_bias_and_at_full_evidence_it_is_the_readers_own(confidence):
    assert chance_on_photo(confidence, weights(0.0, 1.0)) == pytest.approx(confidence)


def test_a_bias_shifts_the_odds_and_little_evidence_flattens_them():
    assert chance_on_photo(0.5, weights(1.0, 1.0)) == pytest.approx(0.7311, abs=1e-4)
    assert chance_on_photo(0.9, weights(0.0, 0.5)) == pytest.approx(0.75, abs=1e-3)


@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_the_surest_readings_stay_chances(confidence):
    assert 0 < chance_on_photo(confidence, SHIPPED) < 1


def test_a_surer_reading_is_told_as_surer():
    told = [chance_on_photo(confidence / 20, SHIPPED) for confidence in range(1, 20)]
    assert told == sorted(told)
    assert told[0] < told[-1]
