"""Label rows: what is not known stays unknown, and what is right is judged the same in training and reports."""

import numpy as np
import pytest

from pipeline.attributes import HEADS, LAYOUT
from training.attribute_labels import agreed, by_eye, is_right, put, put_colors, put_imprinted, unknown


def colors_of(row: np.ndarray) -> dict[str, float]:
    return dict(zip(HEADS["colors"], row[LAYOUT["colors"]].tolist(), strict=True))


def test_only_what_is_put_is_known() -> None:
    row = unknown()
    put(row, "shape", ["oval", "oblong"])
    assert [HEADS["shape"][i] for i in np.flatnonzero(row[LAYOUT["shape"]])] == ["oval", "oblong"]
    put(row, "form", [])
    assert np.isnan(row[LAYOUT["form"]]).all()
    assert np.isnan(row[LAYOUT["colors"]]).all()


def test_a_short_list_of_colors_does_not_rule_out_finer_ones() -> None:
    row = unknown()
    put_colors(row, ["green"], coarse=True)
    assert colors_of(row)["green"] == 1
    assert np.isnan(colors_of(row)["light green"])
    assert colors_of(row)["red"] == 0
    put_colors(row, ["green"], coarse=False)
    assert colors_of(row)["light green"] == 0


def test_rows_that_disagree_leave_the_head_unknown() -> None:
    one, other = unknown(), unknown()
    put(one, "shape", ["round"])
    put(other, "shape", ["oval"])
    put(one, "form", ["tablet"])
    both = agreed([one, other])
    assert np.isnan(both[LAYOUT["shape"]]).all()
    assert both[LAYOUT["form"]].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("said", "right"), [(["white", "red"], True), (["white", "blue"], False), (["red", "white"], True)]
)
def test_two_colors_are_right_only_together(said: list[str], right: bool) -> None:
    true = unknown()
    put_colors(true, ["white", "red"], coarse=True)
    scores = np.zeros(len(HEADS["colors"]), np.float32)
    for place, name in enumerate(said):
        scores[HEADS["colors"].index(name)] = 2 - place
    assert is_right("colors", scores, true[LAYOUT["colors"]]) is right


def test_any_of_several_allowed_shapes_is_right_and_unknown_is_not_judged() -> None:
    true = unknown()
    scores = np.zeros(len(HEADS["shape"]), np.float32)
    scores[HEADS["shape"].index("oblong")] = 1
    assert is_right("shape", scores, true[LAYOUT["shape"]]) is None
    put(true, "shape", ["oval", "oblong"])
    assert is_right("shape", scores, true[LAYOUT["shape"]]) is True


def test_a_blank_side_is_a_label_too() -> None:
    true = unknown()
    put_imprinted(true, False)
    assert is_right("imprinted", np.array([-1.0]), true[LAYOUT["imprinted"]]) is True
    assert is_right("imprinted", np.array([1.0]), true[LAYOUT["imprinted"]]) is False


def test_the_labels_by_eye_speak_our_words() -> None:
    seen = by_eye()
    assert len(seen) == 500
    assert {score for _, score in seen.values()} <= {*HEADS["score_line"], None}
    assert 100 < sum(imprinted is False for imprinted, _ in seen.values()) < 200
