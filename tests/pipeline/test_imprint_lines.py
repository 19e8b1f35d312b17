"""Readings of several turns, put back on the pill."""

import pytest

from pipeline.imprint_lines import MAX_PLACES, phrases_of, tokens_of
from pipeline.schemas import Reading


def reading(text, box, rotation=0, confidence=0.9):
    return Reading(text=text, confidence=confidence, box=box, rotation=rotation)


def phrases(readings):
    found, _ = phrases_of(readings)
    return {phrase.text: phrase.places for phrase in found}


@pytest.mark.parametrize(
    ("rotation", "box"),
    [
        (0, [200, 92, 300, 112]),  # 58 px right of the middle, 90 px above it
        (90, [92, 84, 112, 184]),  # turned counter-clockwise: right -> up, up -> left
        (180, [84, 272, 184, 292]),
        (270, [272, 200, 292, 300]),
    ],
)
def test_a_place_is_the_same_in_every_turn(rotation, box):
    (token,) = tokens_of([reading("A", box, rotation)])
    assert token.center == pytest.approx((58, -90))


def test_turned_readings_of_one_line_are_alternatives_of_one_place():
    found = phrases([reading("66N", [100, 100, 200, 140]), reading("N99", [184, 244, 284, 284], 180, 0.6)])
    assert found["GGN"] == found["N99"]


def test_lines_of_one_turn_are_two_places_and_may_belong_together():
    found = phrases([reading("9", [100, 180, 130, 220]), reading("3", [250, 180, 280, 220])])
    assert found["9"] != found["3"]
    assert set(found["93"]) == {*found["9"], *found["3"]}


def test_words_of_a_line_have_their_own_places():
    found = phrases([reading("TEVA 727", [100, 100, 240, 140])])
    assert len({found["TEVA"], found["7Z7"]}) == 2
    assert "TEVA7Z7" in found


def test_a_noisy_picture_costs_a_bounded_number_of_places():
    readings = [reading("X", [x, y, x + 8, y + 8]) for x in range(20, 360, 20) for y in range(20, 360, 20)]
    _, places = phrases_of(readings)
    assert places == MAX_PLACES
