"""What it costs to have read one letter for another."""

import numpy as np
import pytest

from pipeline.imprint import ImprintLexicon, ItemImprint
from pipeline.imprint_confusions import LETTERS, MEASURED, codes, edit_costs, replaced
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
    assert cost("가", "나", 1) == cost("A", "나", 1) == cost("가", "A", 1) > 4
    assert codes(np.array([ord("가"), ord("0")], np.uint32)).tolist() == [len(LETTERS), 0]


def test_of_two_imprints_the_one_that_is_misread_so_more_often_is_likelier():
    lexicon = ImprintLexicon([ItemImprint.from_texts("H19", ""), ItemImprint.from_texts("H14", "")])
    read = Reading(text="H18", confidence=0.9, box=[100, 100, 180, 140], rotation=0)
    often, seldom = lexicon.match([read]).llr[:, 0]
    assert often > seldom + 0.5


def test_who_types_an_o_for_a_zero_is_understood():
    lexicon = ImprintLexicon([ItemImprint.from_texts("7270", "")])
    assert lexicon.search("727O")[0] == pytest.approx(1.0)
