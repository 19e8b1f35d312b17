"""The chance of every text of a tree under a recogniser's steps, against the sum over all ways written out."""

from itertools import product

import numpy as np
import pytest

from pipeline.imprint_ctc import FLOOR, PrefixTree, best_chance, joined, split_at_spaces, text_of


def brute_force(text: str, steps: list[dict[str, float]], signs: str) -> float:
    """Sum over every way of putting one sign or none on each step that says `text`."""
    total = 0.0
    for way in product(["", *signs], repeat=len(steps)):
        said = "".join(s for n, s in enumerate(way) if s and (n == 0 or s != way[n - 1]))
        if said == text:
            rest = [max(1 - sum(step.values()), FLOOR) for step in steps]
            total += float(np.prod([rest[n] if not s else max(steps[n].get(s, 0), FLOOR) for n, s in enumerate(way)]))
    return total


def chances(texts: list[str], steps: list[dict[str, float]]) -> dict[str, float]:
    found, values = PrefixTree(texts).log_chances(steps)
    return dict(zip([texts[i] for i in found], values.tolist(), strict=True))


@pytest.mark.parametrize("text", ["A", "AB", "AA", "B", "ABA", "BA"])
def test_the_sum_is_that_over_all_ways(text):
    steps = [{"A": 0.6, "B": 0.3}, {"A": 0.2}, {"B": 0.7, "A": 0.1}, {"A": 0.5}]
    found = chances(["A", "AB", "AA", "B", "ABA", "BA"], steps)
    assert found[text] == pytest.approx(np.log(brute_force(text, steps, "AB")), abs=1e-9)


def test_what_was_seen_is_likelier_than_its_neighbours():
    steps = [{"T": 0.9}, {}, {"E": 0.8, "F": 0.1}, {"V": 0.9}, {}, {"A": 0.95}]
    found = chances(["TEVA", "TFVA", "TEV", "TEVAS", "PFIZER"], steps)
    assert max(found, key=found.get) == "TEVA"
    assert found["TFVA"] > found["TEV"]
    assert "PFIZER" not in found  # most of its letters are nowhere to be seen


def test_a_double_letter_needs_something_between():
    assert chances(["55", "5"], [{"5": 0.9}, {}, {"5": 0.9}])["55"] > np.log(0.8)
    assert chances(["55", "5"], [{"5": 0.9}, {"5": 0.9}])["55"] < np.log(0.01)


def test_look_alikes_stand_for_each_other():
    steps = [{"1": 0.9}, {}, {"0": 0.9}]
    found = chances(["10", "IO", "XY"], steps)
    assert found["10"] > found["IO"] > np.log(0.1)
    assert "XY" not in found


def test_texts_without_end_or_steps():
    assert chances(["A"], []) == {}
    assert PrefixTree([]).log_chances([{"A": 1.0}])[0].size == 0


def test_words_of_a_line_and_lines_one_after_the_other():
    steps = [{"A": 0.9}, {" ": 0.9}, {"B": 0.9}, {}]
    assert [text_of(steps[a:b]) for a, b in split_at_spaces(steps)] == ["A", "B"]
    assert text_of(joined([[{"5": 0.9}], [{"5": 0.9}]])) == "55"


def test_best_chance_is_that_of_the_likeliest_way():
    assert best_chance([{"A": 0.5, "B": 0.2}, {}, {"A": 0.2}]) == pytest.approx(np.log(0.5 * 1 * 0.8))
