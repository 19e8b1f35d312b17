"""Rows from top to bottom, in each from left to right."""

from pipeline.reading_order import in_reading_order


def order(**boxes: tuple[float, float, float, float]) -> str:
    return " ".join(in_reading_order(boxes, boxes.__getitem__))


def test_rows_then_columns():
    assert order(c=(0, 60, 40, 90), b=(60, 0, 100, 30), a=(0, 2, 40, 32), d=(50, 61, 90, 88)) == "a b c d"


def test_a_small_word_beside_a_large_one_is_in_its_row():
    assert order(mg=(110, 40, 150, 62), two=(0, 0, 80, 80)) == "two mg"
    assert order(right=(100, 59, 140, 79), left=(0, 61, 40, 81)) == "left right"  # a hair higher is no row of its own


def test_lines_that_nearly_touch_are_two_rows():
    assert order(below=(0, 40, 90, 70), above=(50, 5, 90, 42)) == "above below"


def test_nothing_is_nothing():
    assert in_reading_order([], lambda item: item) == []
