"""What readings on consumer photos are worth: which count as right, and the fit."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.ranking import RankingWeights, SideEvidence
from pipeline.read_confidence import chance_on_photo
from pipeline.schemas import Reading
from training.consumer import ConsumerPhoto
from training.logistic import expected_error
from training.read_confidence import TextRead, cross_validated, fit, made_of, outcomes, report, texts_read

SHIPPED = RankingWeights.load(Path(__file__).parents[2] / "configs" / "ranking.yaml")


@pytest.mark.parametrize(
    ("text", "tokens", "right"),
    [("TEVA", ["TEVA", "7270"], True), ("7270TEVA", ["TEVA", "7270"], True), ("TEVATEVA", ["TEVA"], True),
     ("TEV", ["TEVA"], False), ("TEVA1", ["TEVA", "7270"], False), ("X", [], False)],
)  # fmt: skip
def test_a_text_is_right_when_tokens_and_nothing_else_make_it(text, tokens, right):
    assert made_of(text, tokens) is right


def photo(number: str, imprint: str) -> ConsumerPhoto:
    return ConsumerPhoto(Path("none.jpg"), number, f"g{number}", "0", "", imprint)


def said(text: str) -> SideEvidence:
    return SideEvidence(None, [Reading(text=text, confidence=0.7, box=[0, 0, 9, 9], rotation=0)], None)


def test_only_photos_with_a_stated_imprint_and_a_reading_count():
    photos = [photo("1", "TEVA;7270"), photo("2", "TEVA;7270"), photo("3", ""), photo("4", "A"), photo("5", "A")]
    evidence = {"1": said("727O"), "2": said("M"), "3": said("M"), "4": SideEvidence(None, [], None)}
    assert texts_read(photos, evidence) == [TextRead(0.7, True, "g1"), TextRead(0.7, False, "g2")]


def too_sure(n: int) -> list[TextRead]:
    """A reader that says .9 and .5 where .6 and .3 are right."""
    rng = np.random.default_rng(0)
    texts = []
    for number in range(n):
        stated, true = ((0.9, 0.6), (0.5, 0.3))[number % 2]
        texts.append(TextRead(stated, bool(rng.random() < true), f"g{number % 40}"))
    return texts


def test_the_fit_takes_a_reader_that_is_too_sure_at_its_true_worth():
    weights = fit(too_sure(4000), SHIPPED)
    assert chance_on_photo(0.9, weights) == pytest.approx(0.6, abs=0.04)
    assert chance_on_photo(0.5, weights) == pytest.approx(0.3, abs=0.04)
    assert weights.model_dump().keys() == SHIPPED.model_dump().keys()


def test_a_pill_is_judged_by_a_fit_without_it():
    texts = [*too_sure(60), *(TextRead(0.9, False, "new") for _ in range(30))]
    told = cross_validated(texts)
    without = fit(texts[:60], SHIPPED)
    assert told[-1] > 0.35  # the 30 wrong ones did not teach their own fit
    assert abs(told[-1] - chance_on_photo(0.9, without)) < 0.12


def test_expected_error_is_the_gap_between_stated_and_true():
    assert expected_error(np.full(100, 0.9), np.tile([1.0, 0.0], 50), bins=1) == pytest.approx(0.4)
    assert expected_error(np.repeat([0.0, 1.0], 50), np.repeat([0.0, 1.0], 50), bins=2) == 0


def test_the_report_names_both_errors_and_how_many():
    texts = too_sure(200)
    before = expected_error(np.array([text.confidence for text in texts]), outcomes(texts), 5)
    assert f"n = 200, {outcomes(texts).mean():.3f} right" in report(texts)
    assert f"{before:.3f} by the reader" in report(texts)
