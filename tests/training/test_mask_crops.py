"""Views for the background remover: whatever is done to a picture, the mask still marks the pill."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from training.mask_crops import STORED, harden, letterbox, scene_crops, view_of


@pytest.fixture
def disc() -> tuple[np.ndarray, np.ndarray]:
    """A bright disc on dark ground as large as a stored crop, and its mask."""
    image = np.full((STORED, STORED, 3), 40, np.uint8)
    mask = np.zeros((STORED, STORED), np.uint8)
    cv2.circle(image, (112, 112), 60, (220, 210, 200), -1)
    cv2.circle(mask, (112, 112), 60, 255, -1)
    return image, mask


def test_a_view_moves_picture_and_mask_alike(disc: tuple[np.ndarray, np.ndarray]) -> None:
    for seed in range(20):
        image, mask = view_of(*disc, 96, np.random.default_rng(seed))
        assert image.shape == (96, 96, 3)
        assert set(np.unique(mask)) == {0, 255}
        core = cv2.erode(mask, np.ones((5, 5), np.uint8)) > 0
        far = cv2.dilate(mask, np.ones((5, 5), np.uint8)) == 0
        assert image[core].min() > 150
        assert image[far].max() < 90


def test_views_keep_the_pill_in_the_middle(disc: tuple[np.ndarray, np.ndarray]) -> None:
    for seed in range(20):
        _, mask = view_of(*disc, 96, np.random.default_rng(seed))
        assert mask[48, 48] == 255
        assert 0.15 < (mask > 0).mean() < 0.75


def test_hardening_leaves_size_and_is_repeatable(disc: tuple[np.ndarray, np.ndarray]) -> None:
    image, mask = (cv2.resize(part, (96, 96)) for part in disc)
    mask = np.where(mask > 127, 255, 0).astype(np.uint8)
    results = [harden(image, mask, np.random.default_rng(seed)) for seed in range(30)]
    assert all(r.shape == image.shape and r.dtype == np.uint8 for r in results)
    assert np.array_equal(results[7], harden(image, mask, np.random.default_rng(7)))
    assert np.mean([np.abs(r.astype(int) - image).mean() for r in results]) > 5, "nothing was made harder"


def test_bars_never_cover_the_pill(disc: tuple[np.ndarray, np.ndarray]) -> None:
    image, mask = disc
    for seed in range(20):
        barred = letterbox(image, mask, np.random.default_rng(seed))
        assert np.array_equal(barred[mask > 0], image[mask > 0])
        assert not np.array_equal(barred, image)


def test_scene_crops_mark_one_pill_in_the_middle(pill_data: Path) -> None:
    crops = scene_crops(pill_data, 12, seed=1)
    assert crops.images.shape == (12, STORED, STORED, 3)
    for mask in crops.masks:
        x, y, w, h = cv2.boundingRect(mask)
        assert abs(x + w / 2 - STORED / 2) < 12
        assert abs(y + h / 2 - STORED / 2) < 12
        assert 0.4 < max(w, h) / STORED < 0.7
