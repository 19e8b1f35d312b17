"""The most believable of all turns."""

import pytest

from pipeline.schemas import Reading
from pipeline.transcript import transcript


def line(text, row, rotation=0, confidence=0.9):
    return Reading(text=text, confidence=confidence, box=[100, 60 * row, 200, 60 * row + 40], rotation=rotation)


def test_the_surest_turn_is_told_top_to_bottom():
    said = transcript([line("7270", 3), line("VALT", 1, 180, 0.4), line("TEVA", 1, confidence=0.8)])
    assert said.text == "TEVA 7270"
    assert said.confidence == pytest.approx(0.72)


def test_nothing_read_is_no_text_and_no_confidence():
    assert (transcript([]).text, transcript([]).confidence) == ("", 0.0)
