"""The attribute benchmark: only what is known is judged, per head and per word."""

import numpy as np
import pytest

from benchmarks.attributes import first_color_row, head_rows, lit_box, recall_rows
from pipeline.attributes import ATTRIBUTE_WIDTH, HEADS, LAYOUT
from training.attribute_labels import put, put_imprinted, unknown


def said(**words: str) -> np.ndarray:
    row = np.full(ATTRIBUTE_WIDTH, 0.1, np.float32)
    for head, word in words.items():
        row[LAYOUT[head].start + HEADS[head].index(word)] = 0.8
    return row


def known(**words: str) -> np.ndarray:
    row = unknown()
    for head, word in words.items():
        put(row, head, [word])
    return row


def test_heads_are_judged_only_where_the_truth_is_known() -> None:
    labels = [known(shape="round"), known(shape="oval"), known(form="tablet")]
    answers = np.stack([said(shape="round"), said(shape="round"), said(form="tablet")])
    rows = {row.metric: row for row in head_rows("x", answers, labels)}
    assert set(rows) == {"shape right", "form right"}
    assert (rows["shape right"].value, rows["shape right"].n) == (0.5, 2)
    assert (rows["form right"].value, rows["form right"].n) == (1.0, 1)


@pytest.mark.parametrize(("chance", "right"), [(0.8, 1.0), (0.2, 0.0)])
def test_an_imprint_is_seen_above_one_half(chance: float, right: float) -> None:
    label = unknown()
    put_imprinted(label, True)
    answer = np.full((1, ATTRIBUTE_WIDTH), 0.1, np.float32)
    answer[0, LAYOUT["imprinted"]] = chance
    assert head_rows("x", answer, [label])[0].value == right


def test_recall_is_per_word() -> None:
    labels = [known(score_line="line"), known(score_line="line"), known(score_line="none")]
    answers = np.stack([said(score_line="line"), said(score_line="none"), said(score_line="none")])
    rows = {row.metric: (row.value, row.n) for row in recall_rows("x", "score_line", answers, labels)}
    assert rows == {"score_line none: recall": (1.0, 1), "score_line line: recall": (0.5, 2)}


def test_black_bars_are_left_out() -> None:
    photo = np.zeros((100, 100, 3), np.uint8)
    photo[30:70] = 120
    assert lit_box(photo) == (0, 30, 100, 70)


def test_the_likeliest_color_counts_when_it_is_one_of_two() -> None:
    two = unknown()
    put(two, "colors", ["white", "red"])
    answers = np.stack([said(colors="red"), said(colors="blue"), said(colors="blue")])
    row = first_color_row("x", answers, [two, two, unknown()])
    assert (row.value, row.n) == (0.5, 2)
