"""Matching readings against imprints."""

import numpy as np
import pytest

from pipeline.imprint import MOST_TYPED, ImprintLexicon, ItemImprint
from pipeline.schemas import Reading

CATALOG = {
    "teva7270": ItemImprint.from_texts("TEVA;7270", None, sides_known=False),
    "teva7230": ItemImprint.from_texts("TEVA;7230", None, sides_known=False),
    "teva": ItemImprint.from_texts("TEVA", "", sides_known=True),
    "barr": ItemImprint.from_texts("b;974;3;0", None, sides_known=False),
    "dwp": ItemImprint.from_texts("DWP분할선TM5", "분할선"),
    "ninety": ItemImprint.from_texts("9;3", "5510"),
    "five": ItemImprint.from_texts("5", ""),
    "six": ItemImprint.from_texts("5", "TV"),
    "mark": ItemImprint.from_texts("마크", ""),
    "unknown": ItemImprint.from_texts(None, None),
    "korean": ItemImprint.from_texts("하벤허브", ""),
}
NAMES = list(CATALOG)


@pytest.fixture(scope="module")
def lexicon():
    return ImprintLexicon(list(CATALOG.values()))


def at(row, text, rotation=0, confidence=0.9):
    return Reading(text=text, confidence=confidence, box=[100, 60 * row, 100 + 20 * len(text), 60 * row + 40],
                   rotation=rotation)  # fmt: skip


def first(lexicon, *readings):
    return NAMES[int(lexicon.match(readings).llr.max(axis=1).argmax())]


def test_both_tokens_read_find_the_item(lexicon):
    assert first(lexicon, at(1, "TEVA"), at(3, "7270")) == "teva7270"


def test_the_rare_token_decides_between_items_of_one_maker(lexicon):
    assert first(lexicon, at(1, "TEVA"), at(3, "7230")) == "teva7230"


def test_a_letter_read_wrongly_and_look_alikes_are_forgiven(lexicon):
    assert first(lexicon, at(1, "TEVR"), at(3, "727O")) == "teva7270"


def test_tokens_read_as_one_line_and_a_token_read_in_two(lexicon):
    assert first(lexicon, at(2, "DWPTM5")) == "dwp"
    assert first(lexicon, at(1, "DWP"), at(3, "TM5")) == "dwp"
    assert first(lexicon, at(2, "93")) == "ninety"


def test_nonsense_from_other_turns_does_not_hide_the_right_item(lexicon):
    turned = [at(1, "VAEL", rotation=180, confidence=0.95), at(4, "OZZL", rotation=180, confidence=0.99)]
    assert first(lexicon, at(1, "TEVA"), at(3, "7270"), *turned) == "teva7270"


def test_a_strong_reading_that_the_item_cannot_explain_speaks_against_it(lexicon):
    match = lexicon.match([at(1, "TEVA"), at(3, "7270")])
    side = match.llr[NAMES.index("teva"), 0]
    assert side < match.llr[NAMES.index("teva7270"), 0]
    assert side < lexicon.match([at(1, "TEVA")]).llr[NAMES.index("teva"), 0]


def test_sides_are_told_apart_where_the_catalogue_knows_them(lexicon):
    match = lexicon.match([at(2, "5510")])
    front, back = match.llr[NAMES.index("ninety")]
    assert back > 0 > front
    assert match.llr[NAMES.index("teva7270"), 0] == match.llr[NAMES.index("teva7270"), 1]


def test_values_keep_their_ranges(lexicon):
    match = lexicon.match([at(1, "TEVA"), at(3, "7270"), at(5, "X")])
    assert match.agreement.shape == match.strength.shape == (len(NAMES), 2)
    assert match.agreement.min() >= 0 <= match.strength.min()
    assert match.agreement.max() <= 1
    assert match.agreement[NAMES.index("teva7270")].max() > 0.6 > match.agreement[NAMES.index("korean")].max()
    np.testing.assert_array_equal(lexicon.score([at(1, "TEVA")]), lexicon.score_sides([at(1, "TEVA")]).max(axis=1))


def test_an_item_whose_imprint_is_not_known_gets_no_evidence(lexicon):
    match = lexicon.match([at(1, "TEVA")])
    row = NAMES.index("unknown")
    assert not match.known[row].any()
    assert not match.llr[row].any()
    assert not match.agreement[row].any()


def test_nothing_read_speaks_for_blank_sides(lexicon):
    match = lexicon.match([])
    assert match.llr[NAMES.index("five"), 1] > match.llr[NAMES.index("dwp"), 0]
    assert not match.strength.any()


def test_blank_sides_are_exposed(lexicon):
    np.testing.assert_array_equal(lexicon.blank[NAMES.index("mark")], [0, 1])
    np.testing.assert_array_equal(lexicon.blank[NAMES.index("dwp")], [0, 1])
    assert np.isnan(lexicon.blank[NAMES.index("unknown")]).all()


@pytest.mark.parametrize(
    ("typed", "name"),
    [("teva 7270", "teva7270"), ("TEVA727O", "teva7270"), ("tm5 dwp", "dwp"), ("DWP|TM5", "dwp"), ("93", "ninety"),
     ("하벤허브", "korean"), ("b974", "barr")],
)  # fmt: skip
def test_search_forgives(lexicon, typed, name):
    assert NAMES[int(lexicon.search(typed).argmax())] == name


def test_search_for_both_sides(lexicon):
    scores = lexicon.search("5 TV")
    assert scores.argmax() == NAMES.index("six")


def test_an_empty_lexicon_matches_nothing():
    match = ImprintLexicon([]).match([at(1, "TEVA")])
    assert match.llr.shape == (0, 2)


def stepped(text, row, unsure=None):
    """A reading with its steps: each letter sure, or with another one likelier at one place."""
    steps = [step for letter in text for step in ({letter: 0.95}, {})]
    if unsure:
        place, other = unsure
        steps[2 * place] = {other: 0.6, text[place]: 0.35}
        text = text[:place] + other + text[place + 1 :]
    return at(row, text).model_copy(update={"steps": steps})


def test_what_the_recogniser_nearly_read_counts(lexicon):
    wrong, nearly = at(3, "7210"), stepped("7270", 3, unsure=(2, "1"))
    assert nearly.text == wrong.text
    row = NAMES.index("teva7270")
    assert lexicon.match([nearly]).llr[row, 0] > lexicon.match([wrong]).llr[row, 0] + 0.25
    assert first(lexicon, at(1, "TEVA"), nearly) == "teva7270"


def test_a_sure_reading_counts_the_same_with_and_without_steps(lexicon):
    with_steps, without = lexicon.match([stepped("TEVA", 1)]), lexicon.match([at(1, "TEVA")])
    np.testing.assert_allclose(with_steps.llr.max(axis=0), without.llr.max(axis=0), atol=0.05)


def test_words_typed_together_may_stand_on_different_sides():
    lexicon = ImprintLexicon([ItemImprint.from_texts(*sides) for sides in (("TEVA", "7292"), ("TEVA", "576"))])
    agreement = lexicon.search("teva 576")
    assert agreement[1] == pytest.approx(1.0)
    assert agreement[0] < 0.9


def test_a_long_typed_text_costs_a_bounded_number_of_passes(monkeypatch):
    lexicon = ImprintLexicon([ItemImprint.from_texts("TEVA", "576")])
    passes = []
    one = lexicon._search_sides
    monkeypatch.setattr(lexicon, "_search_sides", lambda text: (passes.append(text), one(text))[1])
    lexicon.search(" ".join(f"W{i}" for i in range(60)))
    assert len(passes) == MOST_TYPED
