"""Which side carries which token, as the readers tell, and what a perfect reader reads there."""

import pytest

from benchmarks.imprint_ceiling import read_perfectly, token_sides, ways
from benchmarks.imprint_scores import ReadPill
from benchmarks.imprint_sets import Pill
from pipeline.imprint import ImprintLexicon, ItemImprint
from pipeline.imprint_lines import phrases_of
from pipeline.imprint_text import fold
from pipeline.schemas import Reading


def line(text, confidence=0.9):
    return Reading(text=text, confidence=confidence, box=[100, 60, 200, 100], rotation=0)


def read(tokens, *sides):
    return ReadPill(Pill((), tokens), tuple(sides))


@pytest.mark.parametrize(
    ("tokens", "front", "back", "sides"),
    [
        (("TEVA", "7270"), ["TEVA"], ["7270"], (("TEVA",), ("7270",))),
        (("TEVA", "7270"), ["TEVA 7270"], [], (("TEVA", "7270"), ())),  # a blank side is a side
        (("TEVA7270",), ["TEVA 7270"], [], (("TEVA7270",), ())),  # neighbouring words
        (("TEVA",), ["TEVA"], ["TEVA"], (("TEVA",), ("TEVA",))),  # printed twice
        (("TEVA", "7270"), ["TEVA"], [], None),  # where is 7270?
        (("M", "25"), ["M"], ["25", "M"], None),  # a letter is read anywhere
    ],
)
def test_a_token_is_where_it_was_read(tokens, front, back, sides):
    pill = read(tokens, [line(text) for text in front], [line(text) for text in back])
    assert token_sides([pill]) == sides


def test_what_one_reader_misses_the_other_may_tell():
    first, second = read(("TEVA", "7270"), [line("TEVA")], []), read(("TEVA", "7270"), [], [line("7Z7O")])
    assert token_sides([first, second]) == (("TEVA",), ("7270",))
    unsure = read(("TEVA", "7270"), [], [line("7270", 0.2)])
    assert token_sides([first, unsure]) is None


def test_a_perfect_reader_leaves_no_doubt_about_an_imprint_and_tells_nothing_of_a_blank_side():
    lexicon = ImprintLexicon([ItemImprint.from_texts("TEVA 7270", ""), ItemImprint.from_texts("TEVA 7271", "")])
    right, wrong = lexicon.match(read_perfectly(("TEVA", "7270"))).llr.max(axis=1)
    assert right > wrong + 2
    blank = lexicon.match(read_perfectly(())).llr.max(axis=1)
    assert blank[0] == blank[1]


def test_each_token_is_a_line_of_its_own_beside_its_neighbours():
    phrases, places = phrases_of(read_perfectly(("93", "7270")))
    assert places == 2
    assert "93" + fold("7270") in {phrase.text for phrase in phrases}


def test_every_way_that_tokens_may_stand_is_there_once():
    assert set(ways(("A", "B", "C"))) == {
        (("A", "B", "C"), ()), (("A", "B"), ("C",)), (("A", "C"), ("B",)), (("A",), ("B", "C")),
    }  # fmt: skip
    assert ways(("A",)) == [(("A",), ())]
