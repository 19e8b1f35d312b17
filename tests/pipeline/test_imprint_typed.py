"""Typed imprints whose spaces are not where the pill has them."""

import numpy as np
import pytest

import pipeline.imprint_typed as typed
from pipeline.imprint import ImprintLexicon, ItemImprint

CATALOG = {
    "teva": ItemImprint.from_texts("TEVA", "7292"),
    "teva other": ItemImprint.from_texts("TEVA", "576"),
    "mixed": ItemImprint.from_texts("M 20;LCI", None, sides_known=False),
    "short": ItemImprint.from_texts("TEVA", ""),
    "twice": ItemImprint.from_texts("55", ""),
    "split": ItemImprint.from_texts("9 3", "72 14"),
    "three": ItemImprint.from_texts("SP", "2 104"),
    "korean": ItemImprint.from_texts("하벤 허브", "10"),
    "unknown": ItemImprint.from_texts(None, None),
    "blank": ItemImprint.from_texts("", ""),
}
NAMES = list(CATALOG)


@pytest.fixture(scope="module")
def lexicon():
    return ImprintLexicon(list(CATALOG.values()))


@pytest.mark.parametrize(
    ("text", "name"),
    [("teva7292", "teva"), ("7292teva", "teva"), ("te va 72 92", "teva"), ("TEVA\n7292", "teva"),
     ("tevaS76", "teva other"), ("m20lci", "mixed"), ("lcim20", "mixed"), ("937214", "split"), ("9372 14", "split"),
     ("sp2104", "three"), ("2104sp", "three"), ("104sp2", "three"),
     ("하벤허브10", "korean"), ("10하벤 허브", "korean")],
)  # fmt: skip
def test_spaces_and_line_breaks_do_not_matter(lexicon, text, name):
    agreement = lexicon.search(text)
    assert NAMES[int(agreement.argmax())] == name
    assert agreement.max() == pytest.approx(1.0)


def test_what_is_left_of_the_imprint_counts_against_it(lexicon):
    agreement = lexicon.search("104sp")
    assert NAMES[int(agreement.argmax())] == "three"
    assert 0.5 < agreement.max() < 1.0


def test_letters_that_are_not_on_the_item_cannot_be_laid_out(lexicon):
    runs = lexicon._typed
    assert runs.agreement("TEVA7293").max() == 0
    assert runs.agreement("55" * 3)[NAMES.index("twice")] < 0.6
    assert runs.agreement("").max() == 0
    assert runs.agreement("T").max() == 0


def test_a_word_alone_is_still_matched_with_its_errors(lexicon):
    agreement = lexicon.search("tevr")
    assert agreement[NAMES.index("short")] == agreement.max() > 0


def test_the_parts_looked_up_are_bounded(lexicon, monkeypatch):
    sides = [ItemImprint.from_texts("1" * n, "1" * (n + 1)) for n in range(1, 20)]
    many = ImprintLexicon(sides)
    found = []
    one = many._typed._carrying
    monkeypatch.setattr(typed, "MOST_TRIES", 30)
    monkeypatch.setattr(many._typed, "_carrying", lambda part: (found.append(part), one(part))[1])
    many.search("1" * 40)
    assert 0 < len(found) <= 30 + 40
    assert len(many._typed.agreement("1" * 4000)) == len(sides)


def test_no_entries_no_agreement():
    assert ImprintLexicon([]).search("teva7292").shape == (0,)
    assert np.array_equal(ImprintLexicon([ItemImprint.from_texts(None, None)]).search("teva7292"), [0])


def test_a_pill_held_the_other_way_up_is_found_too_and_after_one_that_is_upright():
    lexicon = ImprintLexicon([ItemImprint.from_texts("M 99", ""), ItemImprint.from_texts("TEVA", "5")])
    assert lexicon.search("66 W")[0] == pytest.approx(0.9)
    both = ImprintLexicon([ItemImprint.from_texts("99", "H"), ItemImprint.from_texts("66", "H")])
    upright, turned = both.search("99 H")[:2]
    assert upright == pytest.approx(1.0)
    assert turned == pytest.approx(0.9)
