"""What the table of evidence counts."""

import numpy as np
import pytest

from benchmarks.fusion import KINDS, features, places, reduced, stranger_rows
from pipeline.ranking import RankingWeights, Terms
from training.ranking import Query

WEIGHTS = RankingWeights(
    visual=18, no_photo=0.4, imprint=0.7, blank=0.3, color=0.6, shape=0.8, form=0.8, hint=6, none_of_them=12,
    none_of_them_two=20, identified=0.8, readable=1.0, distinctive=0.3, unidentified=0.9, shortlist=50,
    read_bias=0, read_evidence=1,
)  # fmt: skip


def query(cosines: list[float], imprints: list[float], colors: list[float], right: int | None) -> Query:
    """One photo and items of which each kind of evidence says this."""
    n = len(cosines)
    zero, sides = np.zeros(n), np.zeros((n, 1, 2))
    terms = Terms(
        rows=np.arange(n), group=np.arange(n), cosine=np.repeat(np.array(cosines), 2).reshape(n, 1, 2),
        imprint=np.repeat(np.array(imprints), 2).reshape(n, 1, 2), agreement=sides, strength=sides, blank=sides,
        color=np.array(colors), shape=zero, form=zero, hint=zero, probability={},
    )  # fmt: skip
    return Query(terms, np.arange(n) == (-1 if right is None else right), right is not None, "g", 1)


@pytest.mark.parametrize(
    ("kind", "place"), [("look", 1), ("imprint", 0), ("look and imprint", 0), ("look, colour, shape, form", 1)]
)
def test_evidence_that_is_left_out_does_not_speak(kind: str, place: int) -> None:
    asked = query([0.5, 0.6], [9.0, 0.0], [-1.0, 0.0], right=0)
    assert places([reduced(asked, KINDS[kind])], [WEIGHTS]) == [place]


def test_an_answer_that_is_not_there_has_no_place() -> None:
    assert places([query([0.5, 0.6], [0, 0], [0, 0], right=None)], [WEIGHTS]) == [2]


def test_the_trees_see_the_answers_in_the_order_of_the_log_odds() -> None:
    values, right = features(query([0.5, 0.7, 0.6], [0, 0, 0], [0, 0, 0], right=2), WEIGHTS)
    assert values[:, 0].tolist() == [0.7, 0.6, 0.5]
    assert right.tolist() == [False, True, False]


def test_strangers_are_told_by_none_of_them() -> None:
    sure, stranger = query([0.9, 0.1], [0, 0], [0, 0], 0), query([0.3, 0.1], [0, 0], [0, 0], None)
    rows = {(row.dataset, row.metric): row.value for row in stranger_rows([sure, stranger], [WEIGHTS] * 2)}
    assert rows["in no catalogue or in one", "AUROC"] == 1
    assert rows["in no catalogue", "unidentified from 0.9"] == 1
    assert rows["in a catalogue", "unidentified from 0.5"] == 0
