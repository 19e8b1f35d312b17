"""The evaluator against cases whose answer follows from COCO's definition by hand."""

import numpy as np
import pytest

from benchmarks.average_precision import average_precision, match, overlaps

TRUTH = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], np.float32)


def found(*rows: tuple[float, float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 5)


def test_overlap_is_shared_area_over_joint_area() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [40, 40, 50, 50]], np.float32)
    assert overlaps(TRUTH[:1], boxes)[0] == pytest.approx([1.0, 50 / 150, 0.0])


def test_all_found_and_nothing_else_is_one() -> None:
    photo = match(found((0, 0, 10, 10, 0.9), (20, 0, 30, 10, 0.8)), TRUTH, 0.95)
    assert average_precision([photo]) == pytest.approx(1.0)


def test_one_of_two_found_covers_the_recall_points_up_to_one_half() -> None:
    photo = match(found((0, 0, 10, 10, 0.9)), TRUTH, 0.5)
    assert average_precision([photo]) == pytest.approx(51 / 101)  # recall 0.00 to 0.50


def test_a_better_scored_mistake_costs_precision() -> None:
    photo = match(found((50, 50, 60, 60, 0.95), (0, 0, 10, 10, 0.9), (20, 0, 30, 10, 0.8)), TRUTH, 0.5)
    # precision 1/2 at recall 1/2 and 2/3 at recall 1; interpolated: 2/3 everywhere
    assert average_precision([photo]) == pytest.approx(2 / 3)


def test_a_second_box_on_the_same_pill_is_a_mistake() -> None:
    hits = match(found((0, 0, 10, 10, 0.9), (0, 0, 10, 9, 0.8)), TRUTH, 0.5).hits
    assert hits.tolist() == [True, False]


def test_scores_are_ranked_over_all_photos_together() -> None:
    right = match(found((0, 0, 10, 10, 0.9)), TRUTH[:1], 0.5)
    wrong = match(found((50, 50, 60, 60, 0.5)), TRUTH[:1], 0.5)
    worse = match(found((50, 50, 60, 60, 0.95)), TRUTH[:1], 0.5)
    assert average_precision([right, wrong]) == pytest.approx(51 / 101)
    assert average_precision([right, worse]) == pytest.approx(51 / 101 / 2)


def test_overlap_below_the_threshold_is_a_miss() -> None:
    box = found((0, 0, 10, 6.9, 0.9))
    assert match(box, TRUTH, 0.65).hits.any()
    assert not match(box, TRUTH, 0.7).hits.any()


def test_nothing_found_is_zero_and_no_truth_is_an_error() -> None:
    assert average_precision([match(found(), TRUTH, 0.5)]) == 0.0
    with pytest.raises(ValueError, match="no true boxes"):
        average_precision([match(found((0, 0, 10, 10, 0.9)), TRUTH[:0], 0.5)])
