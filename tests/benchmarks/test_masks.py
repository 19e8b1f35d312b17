"""The mask benchmark: overlap is counted right, boxes are shifted as a detector's are, every number has its row."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.masks import SHIFT, iou, iou_rows, mask_rows, shifted
from runners.background import BackgroundRemover
from training.outlined import OutlinedPill


def square(left: int) -> np.ndarray:
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, left : left + 20] = 255
    return mask


@pytest.mark.parametrize(("left", "expected"), [(10, 1.0), (20, 1 / 3), (0, 1 / 3)])
def test_overlap_of_two_squares(left: int, expected: float) -> None:
    assert iou(square(left), square(10)) == pytest.approx(expected)


def test_nothing_on_nothing_is_right_and_nothing_on_a_pill_is_wrong() -> None:
    empty = np.zeros((40, 40), np.uint8)
    assert iou(empty, empty) == 1
    assert iou(empty, square(10)) == 0


def test_boxes_are_shifted_by_a_share_of_their_size() -> None:
    pills = [OutlinedPill(Path("x"), np.zeros((3, 2), np.float32), (100, 100, 200, 150))] * 400
    moves = np.array([np.subtract(pill.box, (100, 100, 200, 150)) for pill in shifted(pills)])
    assert moves.std() == pytest.approx(100 * SHIFT, rel=0.1)
    assert abs(moves.mean()) < 1


class BrightIsPill:
    """A mask model for photos of bright pills on dark ground."""

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        return (crops.mean(axis=3) > 150).astype(np.float32)


def test_rows_of_a_model_that_is_right(tmp_path: Path) -> None:
    folder = tmp_path / "detect" / "boostcamp_train"
    (folder / "img").mkdir(parents=True)
    images, notes = [], []
    for number in range(10):
        photo = np.full((100, 100, 3), 30, np.uint8)
        cv2.rectangle(photo, (30, 30), (69, 69), (220, 220, 220), -1)
        cv2.imwrite(str(folder / "img" / f"{number}.png"), photo)
        images.append({"id": number, "file_name": f"img/{number}.png", "source_hint": "self-taken"})
        corners = [30, 30, 70, 30, 70, 70, 30, 70]
        notes.append({"image_id": number, "bbox": [30, 30, 40, 40], "segmentation": [corners]})
    (folder / "coco.json").write_text(json.dumps({"images": images, "annotations": notes}))
    rows = iou_rows(BackgroundRemover(BrightIsPill()), tmp_path)
    values = {(row.dataset.rsplit(", ")[-1], row.metric): row for row in rows}
    for boxes in ("true boxes", "shifted boxes"):
        assert values[boxes, "mean IoU, ours"].value > 0.95
        assert values[boxes, "mean IoU, ours"].n == 2  # 15 % of ten photos
        assert values[boxes, "IoU > .85, ours"].value == 1


def test_without_photos_there_are_no_rows(tmp_path: Path) -> None:
    assert mask_rows(tmp_path) == []
