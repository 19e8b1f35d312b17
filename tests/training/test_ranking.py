"""Fitting the ranking: what it costs to be wrong, and where "identified" begins."""

import csv

import numpy as np
import pytest

from index.search import LoadedIndex
from pipeline.ranking import RankingWeights, Terms
from training.consumer import ELSEWHERE
from training.ranking import FALSE_RATE, LOST_RATE, Query, fit, identified_threshold, loss, unidentified_threshold

WEIGHTS = RankingWeights(
    visual=18, no_photo=0.4, imprint=0.7, blank=0.3, color=0.6, shape=0.8, form=0.8, hint=6, none_of_them=12,
    none_of_them_two=20, identified=0.8, readable=1.0, distinctive=0.3, unidentified=0.9, shortlist=50,
    read_bias=0, read_evidence=1,
)  # fmt: skip


def query(cosines: list[float], right: int | None, group: str = "g", strength: float = 5.0) -> Query:
    """One photo and n items of cosines like these, each its own look; `right`: which of them it is."""
    n = len(cosines)
    zero, sides = np.zeros(n), np.zeros((n, 1, 2))
    terms = Terms(
        rows=np.arange(n), group=np.arange(n), cosine=np.repeat(np.array(cosines), 2).reshape(n, 1, 2), imprint=sides,
        agreement=sides + 1, strength=sides + strength, blank=sides, color=zero, shape=zero, form=zero, hint=zero,
        probability={},
    )  # fmt: skip
    return Query(terms, np.arange(n) == (-1 if right is None else right), right is not None, group, 1)


def test_unknown_pills_count_by_how_often_they_are_asked_not_by_how_many_were_collected() -> None:
    known, unknown = query([0.9, 0.2], 0), query([0.5, 0.2], None)
    once, often = loss([known, unknown], WEIGHTS), loss([known] + 9 * [unknown], WEIGHTS)
    assert once == pytest.approx(often)
    assert (
        min(loss([known], WEIGHTS), loss([unknown], WEIGHTS))
        < once
        < max(loss([known], WEIGHTS), loss([unknown], WEIGHTS))
    )


def test_fitting_lowers_the_loss() -> None:
    queries = [query([0.6, 0.58, 0.3], 0), query([0.62, 0.3, 0.6], 0), query([0.4, 0.3], None)]
    assert loss(queries, fit(queries, WEIGHTS)) < loss(queries, WEIGHTS)


def test_identified_begins_above_every_confident_mistake() -> None:
    mistakes = [query([0.9, 0.8], 1)]  # surely wrong: the first item leads
    right = [query([0.99, 0.3], 0) for _ in range(4)]
    assert FALSE_RATE * 5 < 1  # not one mistake in five is allowed
    careful = identified_threshold([*right, *mistakes], [WEIGHTS] * 5)
    assert careful > identified_threshold(right, [WEIGHTS] * 4)


def test_unidentified_begins_above_every_answer_that_helps() -> None:
    doubtful, sure = query([0.6, 0.2], 0), query([0.9, 0.2], 0)  # 18 * .6 < 12, the odds of none, < 18 * .9
    assert LOST_RATE * 2 < 1  # not one in two may be lost
    assert unidentified_threshold([doubtful, sure], [WEIGHTS] * 2) > unidentified_threshold([sure], [WEIGHTS])


def test_a_right_answer_that_nobody_would_find_does_not_keep_strangers_in() -> None:
    sixth = query([0.6, 0.59, 0.58, 0.57, 0.56, 0.3], 5)
    assert unidentified_threshold([sixth], [WEIGHTS]) == 0.5


def test_what_was_found_under_another_label_is_in_the_catalogues() -> None:
    index = LoadedIndex()
    with ELSEWHERE.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len({row["number"] for row in rows}) == len(rows)
    for row in rows:
        items = [index.find(item) for item in row["item_ids"].split("|")]
        assert len({item.ingredient.casefold() for item in items if item.ingredient}) <= 1, row["number"]
