"""What it costs to have read one letter for another."""

import numpy as np
import pytest

from pipeline.imprint import ImprintLexicon, ItemImprint
from pipeline.imprint_confusions import (
    JAMO,
    LETTERS,
    MEASURED,
    TABLE,
    codes,
    differing,
    edit_costs,
    load,
    replaced,
    syllable_shares,
    syllables,
    turned,
    turned_costs,
)
from pipeline.schemas import Reading


def cost(read: str, meant: str, distance: int) -> float:
    signs = np.zeros((1, 24), np.uint32)
    signs[0, : len(meant)] = [ord(letter) for letter in meant]
    return float(edit_costs(read, signs, np.array([len(meant)]), np.array([distance], np.uint8))[0])


def test_the_measured_table_names_pairs_of_different_letters_each_once():
    pairs = [(read, meant) for read, meant, _, _ in MEASURED]
    assert len(set(pairs)) == len(pairs)
    assert all(read != meant and meant in LETTERS and 0 < times < total for read, meant, times, total in MEASURED)


def test_a_letter_read_rightly_costs_nothing_and_every_wrong_one_something():
    table = replaced()
    assert not np.diag(table)[:-1].any()
    assert (table[~np.eye(len(table), dtype=bool)] > 0).all()
    assert cost("TEVA", "TEVA", 0) == 0


@pytest.mark.parametrize(
    ("often", "seldom"), [(("T", "I"), ("K", "I")), (("8", "9"), ("4", "9")), (("U", "W"), ("A", "W"))]
)
def test_what_is_often_misread_costs_less(often, seldom):
    assert cost(*often, 1) < cost(*seldom, 1)


def test_look_alikes_cost_what_was_measured_though_they_are_no_edit():
    assert 0 < cost("0", "D", 0) < cost("Q", "D", 0)


def test_what_catalogues_write_for_each_other_costs_little_either_way():
    assert cost("0", "O", 0) == cost("O", "0", 0) < 0.5
    assert cost("1", "I", 0) == cost("I", "1", 0) < 0.5


def test_a_dropped_letter_costs_less_than_an_added_one():
    assert 0 < cost("TVA", "TEVA", 1) < cost("TEEVA", "TEVA", 1)
    assert cost("TVA", "TEVA", 1) < cost("XEVA", "TEVA", 1)


def test_signs_that_were_not_measured_cost_as_much_as_an_unseen_pair():
    assert cost("♥", "나", 1) == cost("A", "나", 1) == cost("가", "A", 1) > 4
    assert codes(np.array([ord("가"), ord("0")], np.uint32)).tolist() == [len(LETTERS), 0]


def test_of_two_imprints_the_one_that_is_misread_so_more_often_is_likelier():
    lexicon = ImprintLexicon([ItemImprint.from_texts("H19", ""), ItemImprint.from_texts("H14", "")])
    read = Reading(text="H18", confidence=0.9, box=[100, 100, 180, 140], rotation=0)
    often, seldom = lexicon.match([read]).llr[:, 0]
    assert often > seldom + 0.5


def test_who_types_an_o_for_a_zero_is_understood():
    lexicon = ImprintLexicon([ItemImprint.from_texts("7270", "")])
    assert lexicon.search("727O")[0] == pytest.approx(1.0)


def turned_cost(read: str, meant: str, most: float = 50.0) -> float | None:
    found = turned_costs(read, codes(np.array([[ord(letter)] for letter in meant], np.uint32)), most=most)
    return None if found is None else float(found[0])


def test_upside_down_letters_cost_what_was_measured_from_the_other_end():
    assert turned_cost("66", "99") < turned_cost("66", "77")
    assert turned_cost("W9", "6M") < turned_cost("W9", "M6")
    assert turned_cost("66", "99") < cost("66", "99", 2)


def test_a_reading_that_lay_upside_down_costs_more_than_one_that_stood():
    assert turned_cost("0", "0") > cost("0", "0", 0)


def test_a_text_whose_letters_are_none_upside_down_is_not_looked_for():
    assert turned_cost("FRPJ", "FRPJ", most=3.0) is None


def test_turned_chances_of_what_was_read_for_one_letter_sum_to_one():
    from pipeline.imprint_confusions import TEMPER

    assert np.exp(-turned()[:-1, :-1] / TEMPER).sum(axis=0).max() <= 1.001


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("가", "나", "initial"), ("가", "거", "vowel"), ("가", "각", "final"), ("가", "너", "initial+vowel"),
        ("가", "낙", "initial+final"), ("가", "걱", "vowel+final"), ("가", "넉", "initial+vowel+final"),
    ],
)  # fmt: skip
def test_which_jamo_differ(one, other, what):
    assert differing(one, other) == differing(other, one) == what


def test_a_syllable_costs_by_what_differs_and_nothing_where_nothing_does():
    table = syllables()
    assert table[0] == cost("가나", "가나", 0) == 0
    for other in ("나", "거", "각", "너", "낙", "걱", "넉"):
        assert cost(f"다{other}", "다가", 1) == pytest.approx(table[1 + JAMO.index(differing("가", other))])


def test_one_wrong_jamo_costs_less_than_three():
    nearest = min(cost("나라", "가라", 1), cost("거라", "가라", 1), cost("각라", "가라", 1))
    assert nearest < cost("넉라", "가라", 1)


def test_dropped_syllables_have_a_cost_of_their_own():
    assert 0 < cost("가나", "가나다", 1) != cost("TE", "TEV", 1)


def test_shares_of_syllables_are_one_for_themselves_and_small_for_others():
    shares = syllable_shares(["가", "나", "각"])
    assert np.diag(shares).tolist() == [1, 1, 1]
    assert shares[0, 1] == shares[1, 0] < 0.1


def test_of_two_korean_imprints_the_one_with_one_wrong_jamo_is_likelier():
    lexicon = ImprintLexicon([ItemImprint.from_texts("한미", ""), ItemImprint.from_texts("삭미", "")])
    near, far = lexicon.match([Reading(text="함미", confidence=0.9, box=[100, 100, 180, 140], rotation=0)]).llr[:, 0]
    assert near > far


def test_a_reading_from_the_wrong_turn_speaks_for_the_imprint_that_lay_upside_down():
    entries = [ItemImprint.from_texts("H 99", ""), ItemImprint.from_texts("K 44", ""), ItemImprint.from_texts("66", "")]
    found = ImprintLexicon(entries).match([Reading(text="66 H", confidence=0.9, box=[100, 100, 180, 140], rotation=0)])
    lying, other, _ = found.llr[:, 0]
    assert lying > other + 1


def test_what_stands_upright_stays_the_likelier():
    lexicon = ImprintLexicon([ItemImprint.from_texts("99", ""), ItemImprint.from_texts("66", "")])
    lying, upright = lexicon.match([Reading(text="66", confidence=0.9, box=[100, 100, 180, 140], rotation=0)]).llr[:, 0]
    assert upright > lying


HEAD = "kind,read,meant,times,of\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "first line"), ("read,meant\n", "first line"), (f"{HEAD}upright,0,O,x,5\n", "line 2"),
        (f"{HEAD}upright,0,O,1\n", "line 2"), (f"{HEAD}sideways,0,O,1,5\n", "line 2"),
        (f"{HEAD}upright,0,O,6,5\n", "6 of 5"), (f"{HEAD}upright,0,O,0,0\n", "0 of 0"),
        (f"{HEAD}share,added,,1,5\n", "how often: dropped"),
    ],
)  # fmt: skip
def test_a_table_that_is_none_is_refused_with_the_place(tmp_path, text, complaint):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        load(path)


def test_the_shipped_table_has_every_kind():
    assert all(load(TABLE).values())
