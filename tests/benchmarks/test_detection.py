"""The benchmark of finding: what counts as found, at which precision, and what is told of photos without pills."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.average_precision import Matches
from benchmarks.detection import recall_at_precision
from benchmarks.pills_found import WORKING_SCORE, false_pill_rows, found, precision, recall, working_rows
from pipeline.identify import Pipeline
from pipeline.photo import read_photo
from pipeline.ports import Runners
from pipeline.schemas import Versions


class BrightIsPill:
    """Every bright patch has a box; the red ones are none by the verdict."""

    async def detect(self, frame: np.ndarray) -> np.ndarray:
        count, _, stats, _ = cv2.connectedComponentsWithStats((frame.max(axis=2) > 150).astype(np.uint8))
        return np.array([(x, y, x + w, y + h, 0.9) for x, y, w, h, _ in stats[1:count]], np.float32).reshape(-1, 5)

    async def mask(self, crops: np.ndarray) -> np.ndarray:
        return ((crops.max(axis=3) > 150) * 255).astype(np.uint8)

    async def judge(self, crops: np.ndarray) -> np.ndarray:
        middle = crops.shape[1] // 2
        return np.where(crops[:, middle, middle, 1] > 150, 0.9, 0.1).astype(np.float32)


@pytest.fixture
def pipeline() -> Pipeline:
    two = BrightIsPill()
    return Pipeline(
        Runners(two, two, None, None, None), None, Versions(bundle="", models={}, index="", catalogs={}), None
    )


def picture(path: Path, *squares: tuple[int, tuple[int, int, int]]) -> Path:
    """A photo of 400 x 300 with squares of 60 px at (x, 100), each of a BGR colour."""
    image = np.full((300, 400, 3), 60, np.uint8)
    for x, color in squares:
        image[100:160, x : x + 60] = color
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)
    return path


WHITE, RED = (230, 230, 230), (40, 40, 220)


def test_recall_is_the_best_at_which_precision_holds() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    photo = Matches(scores, np.array([True, True, False, True]), 4)
    assert recall_at_precision([photo], 1.0) == 0.5
    assert recall_at_precision([photo], 0.75) == 0.75
    assert recall_at_precision([Matches(scores[:1], np.array([False]), 4)], 0.97) == 0
    with pytest.raises(ValueError, match="no true boxes"):
        recall_at_precision([Matches(scores[:0], np.zeros(0, bool), 0)])


def test_recall_and_precision_count_boxes_over_all_photos() -> None:
    one = Matches(np.array([0.9, 0.8], np.float32), np.array([True, False]), 1)
    other = Matches(np.zeros(0, np.float32), np.zeros(0, bool), 3)
    assert recall([one, other]) == 0.25
    assert precision([one, other]) == 0.5
    assert precision([other]) == 1


def test_what_has_no_mask_is_not_told(pipeline: Pipeline, tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", (50, WHITE), (250, RED))
    boxes = found(pipeline, read_photo(path.read_bytes()))
    assert boxes.shape == (1, 5)
    assert np.abs(boxes[0, :4] - [50, 100, 110, 160]).max() < 2

    truth = np.array([[50, 100, 110, 160], [250, 100, 310, 160]], np.float32)
    rows = {row.metric: row.value for row in working_rows(pipeline, [(path, truth)], "photos")}
    assert rows == {f"recall at {WORKING_SCORE}": 0.5, f"precision at {WORKING_SCORE}": 1.0}


def test_false_pills_are_counted_and_so_are_their_photos(pipeline: Pipeline, tmp_path: Path) -> None:
    picture(tmp_path / "img/a.png", (50, WHITE), (250, WHITE))
    picture(tmp_path / "img/b.png", (50, RED))
    picture(tmp_path / "img/c.png")
    total, photos = false_pill_rows(pipeline, tmp_path)
    assert (total.value, total.n) == (2, 3)
    assert photos.value == pytest.approx(1 / 3)
