"""What counts as read."""

import pytest

from benchmarks.imprint_scores import ReadPill, confidence_table
from benchmarks.imprint_sets import Pill
from pipeline.schemas import Reading


def line(text, row=1, rotation=0, confidence=0.9):
    return Reading(text=text, confidence=confidence, box=[100, 60 * row, 200, 60 * row + 40], rotation=rotation)


def read(tokens, *sides):
    return ReadPill(Pill((), tokens), tuple(sides))


@pytest.mark.parametrize(
    ("sides", "exact"),
    [
        (([line("TEVA")], [line("7270")]), True),
        (([line("TEVA", 1), line("7Z7O", 3)], []), True),  # look-alikes
        (([line("TEVA 7270", 1), line("TEVA 7270", 3)], []), True),  # printed twice
        (([line("TEVA")], []), False),
        (([line("TEVA")], [line("7270"), line("X", 3)]), False),
        (
            ([line("TEVA", confidence=0.3), line("VALTER", rotation=180)], [line("7270")]),
            False,
        ),  # the surer turn counts
    ],
)
def test_an_imprint_is_exact_when_all_of_it_and_nothing_else_was_read(sides, exact):
    assert read(("TEVA", "7270"), *sides).exact is exact


def test_tokens_count_in_whatever_turn_they_were_read():
    pill = read(("TEVA", "7270"), [line("TEVA", confidence=0.3), line("VALTER", rotation=180)])
    assert pill.tokens_found == 1
    assert pill.overlap == (0, 0)  # of the transcript


def test_confidence_is_that_of_the_least_sure_face():
    assert read(("A",), [line("A", confidence=0.9)], [], [line("B", confidence=0.4)]).confidence == pytest.approx(0.4)
    assert read(("A",), [], []).confidence == 0


def test_the_table_counts_pills_from_a_confidence_on():
    pills = [read(("A",), [line("A", confidence=0.92)]), read(("B",), [line("C", confidence=0.6)]), read(("D",), [])]
    rows = confidence_table([("drawn", pills)]).splitlines()[2:]
    assert rows[0].startswith("| drawn | >= 0.00 | 2 of 3 | 0.500")
    assert rows[-1].startswith("| drawn | >= 0.90 | 1 of 3 | 1.000")
