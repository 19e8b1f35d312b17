"""Evidence in, ranked answers and a decision out."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.attributes import Attributes
from pipeline.ranking import Ranking, RankingWeights, SideEvidence, rank
from pipeline.schemas import Hints, Reading
from pipeline.vocabulary import COLORS, FORMS, SCORE_LINES, SHAPES
from tests.pipeline.gallery import SmallGallery, small_gallery, unit

WEIGHTS = RankingWeights(
    visual=18, no_photo=0.4, imprint=0.7, blank=0.3, color=0.6, shape=0.8, form=0.8, hint=6, none_of_them=9,
    none_of_them_two=15, identified=0.8, readable=1.0, distinctive=0.3, unidentified=0.9, shortlist=50,
    read_bias=0, read_evidence=1,
)  # fmt: skip


@pytest.fixture
def gallery() -> SmallGallery:
    return small_gallery()


def read(*texts: str) -> list[Reading]:
    return [Reading(text=t, confidence=0.95, box=[60, 150 + 60 * i, 320, 200 + 60 * i], rotation=0)
            for i, t in enumerate(texts)]  # fmt: skip


def looks(shape: str, color: str, form: str) -> Attributes:
    def sure(names: tuple[str, ...], name: str) -> dict[str, float]:
        return {n: 0.96 if n == name else 0.04 / (len(names) - 1) for n in names}

    return Attributes(sure(COLORS, color), sure(SHAPES, shape), sure(FORMS, form), sure(SCORE_LINES, "none"), 0.9)


def ask(gallery: SmallGallery, *sides: SideEvidence, hints: Hints | None = None, **other: object) -> Ranking:
    return rank(gallery, sides, hints or Hints(), other.pop("catalogs", None), WEIGHTS, limit=5)


def names(gallery: SmallGallery, ranking: Ranking) -> list[str]:
    return [gallery.item(answer.row).name for answer in ranking.answers]


def test_letters_tell_look_alikes_apart(gallery):
    vectors = unit(1, 0.02, 0, 0)[None]
    found = ask(gallery, SideEvidence(vectors, read("BETA"), looks("round", "white", "tablet")))
    assert names(gallery, found)[0] == "Beta 20 mg"
    assert found.decision == "identified"


@pytest.mark.parametrize(
    ("twin", "decision"),
    [("beta 20 mg", "identified"), (None, "identified"), ("beta 40 mg", "candidates")],
)
def test_a_look_that_stands_for_two_medicines_is_never_identified(gallery, twin, decision):
    """One photo, or one imprint, may stand for two strengths: then no look, however sure, names the medicine."""
    beta = gallery.entries[1]
    other_id = "us-nih:1-8"
    item = beta.item.model_copy(update={"ingredient": "Beta 20 mg", "same_appearance": [other_id]})
    other = beta.item.model_copy(update={"item_id": other_id, "ingredient": twin})
    entries = [*gallery.entries, replace(beta, item=other)]
    entries[1] = replace(beta, item=item)
    side = SideEvidence(unit(1, 0.02, 0, 0)[None], read("BETA"), looks("round", "white", "tablet"))
    assert ask(SmallGallery(entries), side).decision == decision


def test_look_alikes_without_a_readable_imprint_are_never_identified(gallery):
    """The one mistake that harms: a white round pill, nothing read, however sure the numbers are."""
    sure = WEIGHTS.model_copy(update={"identified": 0.3, "none_of_them": -50.0})
    for readings in (None, [], read("8")):
        side = SideEvidence(unit(1, 0, 0, 0)[None], readings, looks("round", "white", "tablet"))
        found = rank(gallery, [side], Hints(), None, sure, limit=5)
        assert found.answers[0].probability > 0.3
        assert found.decision == "candidates"


def test_a_one_of_a_kind_look_can_be_identified_without_letters(gallery):
    found = ask(gallery, SideEvidence(unit(0, 0, 1, 0)[None], [], looks("oblong", "blue", "hard capsule")))
    assert names(gallery, found)[0] == "Gamma"
    assert found.decision == "identified"


def test_items_that_look_the_same_are_one_answer(gallery):
    found = ask(gallery, SideEvidence(unit(1, 0, 0, 0)[None], read("ALPHA"), None))
    assert [n.split()[0] for n in names(gallery, found)].count("Alpha") == 1


def test_probabilities_with_none_of_them_sum_to_one(gallery):
    found = ask(gallery, SideEvidence(unit(1, 0, 0, 0)[None], read("ALPHA"), looks("round", "white", "tablet")))
    assert sum(a.probability for a in found.answers) + found.none_of_them == pytest.approx(1.0)
    assert [a.probability for a in found.answers] == sorted((a.probability for a in found.answers), reverse=True)


def test_two_sides_are_assigned_the_better_way_round(gallery):
    front = SideEvidence(unit(1, 0, 0, 0)[None], read("ALPHA"), None)
    back = SideEvidence(unit(0, 1, 0, 0)[None], read("10"), None)
    assert ask(gallery, front, back).answers[0] == ask(gallery, back, front).answers[0]
    one, two = ask(gallery, front).answers[0].probability, ask(gallery, front, back).answers[0].probability
    assert two >= one


def test_an_item_without_a_photo_is_found_by_its_letters(gallery):
    found = ask(gallery, SideEvidence(None, read("DELTA"), looks("round", "white", "tablet")))
    assert names(gallery, found)[0] == "Delta"
    assert found.answers[0].evidence.visual is None


def test_an_unknown_pill_is_not_in_the_catalogue(gallery):
    stranger = SideEvidence(unit(0, 0, 0, 1)[None], [], looks("triangle", "green", "tablet"))
    found = ask(gallery, stranger)
    assert (found.decision, found.reason) == ("unidentified", "not_in_catalog")


def test_a_hint_narrows_but_does_not_exclude(gallery):
    side = SideEvidence(unit(1, 0.02, 0, 0)[None], None, looks("round", "white", "tablet"))
    hinted = ask(gallery, side, hints=Hints(imprint="beta"))
    assert names(gallery, hinted)[0] == "Beta 20 mg"
    wrong = ask(gallery, side, hints=Hints(shape="triangle"))
    assert {"Alpha 10 mg", "Beta 20 mg"} <= set(names(gallery, wrong))


@pytest.mark.parametrize("typed", ["beta20", "20 be ta", "Beta\n20", "BETA|20"])
def test_where_the_spaces_of_a_hint_are_does_not_matter(typed):
    found = ask(small_gallery(), SideEvidence(None, None, None), hints=Hints(imprint=typed))
    assert names(small_gallery(), found)[0] == "Beta 20 mg"
    assert found.answers[0].evidence.imprint is None  # what was typed is no reading


def test_only_the_catalogues_asked_for_answer(gallery):
    found = ask(gallery, SideEvidence(unit(1, 0, 0, 0)[None], read("DELTA"), None), catalogs=["kr-mfds"])
    assert set(names(gallery, found)) <= {"Delta"}


def test_without_look_and_letters_colour_and_shape_still_rank(gallery):
    found = ask(gallery, SideEvidence(None, None, looks("oblong", "blue", "hard capsule")))
    ranked = names(gallery, found) or [gallery.item(2).name]
    assert ranked[0] == "Gamma"


def test_wrong_weights_file_is_refused(tmp_path):
    path = tmp_path / "ranking.yaml"
    path.write_text("weights:\n  visual: 3\n")
    with pytest.raises(ValueError, match="no_photo"):
        RankingWeights.load(path)


def test_shipped_weights_load_and_are_sane():
    from pipeline.settings import ROOT

    weights = RankingWeights.load(ROOT / "configs" / "ranking.yaml")
    assert weights.visual > 0
    assert 0.5 <= weights.identified <= 1
    assert np.isfinite(list(weights.model_dump().values())).all()
