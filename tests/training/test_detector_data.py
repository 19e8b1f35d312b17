"""Conversion of boxes and scenes to the files that ultralytics reads."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm")

from training.detector_data import coco_boxes, held_out, label_lines, polygon_box, prepare, shrink, tight_crop


@dataclass
class OnePill:
    image: np.ndarray
    boxes: np.ndarray


class SquareScenes:
    """Scenes of one white square, big enough to be kept."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def scene(
        self, rng: np.random.Generator, size: tuple[int, int], pills: int,
        extent: tuple[float, float] = (0.1, 0.2), touching: float = 0.0,
    ) -> OnePill:  # fmt: skip
        self.asked.append(int(rng.integers(1_000_000)))
        boxes = np.array([[10, 10, 30, 40]] * pills, np.float32).reshape(-1, 4)
        return OnePill(np.zeros((*size, 3), np.uint8), boxes)


def coco_folder(root: Path, images: int) -> None:
    folder = root / "detect" / "photos"
    (folder / "img").mkdir(parents=True)
    for number in range(images):
        cv2.imwrite(str(folder / f"img/{number}.jpg"), np.zeros((50, 100, 3), np.uint8))
    square = [[20.0, 10.0, 40.0, 10.0, 40.0, 30.0, 20.0, 30.0]]
    listing = {
        "images": [
            {
                "id": n,
                "file_name": f"img/{n}.jpg",
                "width": 100,
                "height": 50,
                "source_hint": "shop" if n == 0 else "own",
            }
            for n in range(images)
        ],
        "annotations": [
            {"image_id": n, "bbox": [0, 0, 30, 30], **({"segmentation": square} if n == 1 else {})}
            for n in range(images)
        ],
    }
    (folder / "coco.json").write_text(json.dumps(listing))


def config() -> dict:
    scenes = {"pills": [1, 1], "side": [64, 64], "extent": [0.1, 0.2], "touching": 0.0}
    return {
        "seed": 3,
        "data": {
            "real": [{"folder": "photos", "drop": ["shop"], "hold_out": 0.25, "repeat": 2}],
            "long_side": 50,
            "scenes": {"few": {"count": 4, **scenes}, "empty": {"count": 2, **scenes, "pills": [0, 0]}},
            "held_out_scenes": 0.25,
        },
    }


def test_polygon_becomes_the_box_around_all_its_parts() -> None:
    assert polygon_box([[5, 5, 10, 5, 10, 20], [0, 8, 3, 9, 3, 8]]) == [0, 5, 10, 20]


def test_polygons_win_over_boxes_and_dropped_sources_are_gone(tmp_path: Path) -> None:
    coco_folder(tmp_path, 3)
    photos = coco_boxes(tmp_path / "detect/photos", ["shop"])
    assert [path.name for path, _ in photos] == ["1.jpg", "2.jpg"]
    assert photos[0][1].tolist() == [[20, 10, 40, 30]]
    assert photos[1][1].tolist() == [[0, 0, 30, 30]]


def test_label_is_relative_and_slivers_are_left_out() -> None:
    boxes = np.array([[10, 10, 30, 20], [99, 0, 130, 50]], np.float32)
    assert label_lines(boxes, 100, 50) == "0 0.200000 0.300000 0.200000 0.200000\n"


def test_shrinking_moves_boxes_along() -> None:
    image, boxes = shrink((np.zeros((50, 100, 3), np.uint8), np.array([[20, 10, 40, 30]], np.float32)), 50)
    assert image.shape == (25, 50, 3)
    assert boxes.tolist() == [[10, 5, 20, 15]]


@pytest.mark.parametrize("seed", range(6))
def test_tight_crop_keeps_the_pill_whole_and_its_box_on_it(seed: int) -> None:
    image = np.full((100, 200, 3), 90, np.uint8)
    image[40:60, 50:110] = 255
    cut, boxes = tight_crop((image, np.array([[50, 40, 110, 60]], np.float32)), 0.2, np.random.default_rng(seed))
    x1, y1, x2, y2 = boxes[0].astype(int)
    assert (cut[y1:y2, x1:x2] == 255).all()
    assert (cut == 255).all(axis=2).sum() == 20 * 60
    assert cut.shape[1] < 120


def test_held_out_is_a_fixed_share() -> None:
    assert len(held_out(100, 0.12, 1)) == 12
    assert held_out(100, 0.12, 1) == held_out(100, 0.12, 1) != held_out(100, 0.12, 2)


def test_prepared_folder_keeps_held_out_photos_from_training(tmp_path: Path) -> None:
    coco_folder(tmp_path, 9)
    scenes = SquareScenes()
    root = tmp_path / "out"
    prepare(config(), tmp_path, scenes, root)
    train, val = ((root / f"{split}.txt").read_text().split() for split in ("train", "val"))
    assert not set(train) & set(val)
    assert sum("photos-" in name for name in val) == 2  # a quarter of the 8 that are kept
    assert sum("photos-" in name for name in train) == 12  # the other six, twice each
    assert sum("few-" in name for name in train) == 3
    labels = [Path(name.replace("/images/", "/labels/")).with_suffix(".txt") for name in {*train, *val}]
    assert all(label.exists() for label in labels)
    assert all((label.read_text() == "") == label.name.startswith("empty-") for label in labels)
    assert len(set(scenes.asked)) == 6  # every scene from a seed of its own


def test_finished_folder_is_not_made_again(tmp_path: Path) -> None:
    coco_folder(tmp_path, 4)
    scenes = SquareScenes()
    for _ in range(2):
        prepare(config(), tmp_path, scenes, tmp_path / "out")
    assert len(scenes.asked) == 6
