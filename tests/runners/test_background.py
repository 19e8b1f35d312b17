"""Masks: one solid pill in the middle, from our model or from rembg's."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from runners.background import BackendUnavailable, BackgroundRemover, solid_middle
from tests.tiny_models import bright_pill


def disc(side: int, x: float, y: float, radius: float) -> np.ndarray:
    return cv2.circle(np.zeros((side, side), np.float32), (round(x), round(y)), round(radius), 1.0, cv2.FILLED)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.logical_and(a, b).sum() / np.logical_or(a, b).sum())


def test_mask_of_a_bright_pill(tiny_models: Path) -> None:
    crop = bright_pill(512, 512, (240, 260), (170, 110))
    masks = BackgroundRemover.open(tiny_models).mask(np.stack([crop, np.zeros_like(crop)]))
    assert masks.shape == (2, 512, 512)
    assert masks.dtype == np.uint8
    assert set(np.unique(masks)) == {0, 255}
    assert not masks[1].any()
    truth = crop[..., 0] > 100
    assert iou(masks[0] > 0, truth) > 0.95  # the tiny model sees 48 px
    for found, true in zip(np.nonzero(masks[0]), np.nonzero(truth), strict=True):
        assert abs(found.mean() - true.mean()) < 0.5  # not shifted by the resizing there and back


def test_a_coin_dark_in_the_middle_is_judged_no_pill_and_keeps_its_mask(tiny_models: Path) -> None:
    pill = bright_pill(512, 512, (256, 256), (170, 110))
    ring = pill.copy()
    cv2.ellipse(ring, (256, 256), (120, 80), 0, 0, 360, (20, 20, 20), -1)
    remover = BackgroundRemover.open(tiny_models)
    chances = remover.judge(np.stack([pill, ring]))
    assert chances.shape == (2,)
    assert chances.dtype == np.float32
    assert chances[0] > 0.5 > chances[1]
    assert remover.mask(ring[None]).any()


def test_the_middle_wins_over_a_larger_neighbour() -> None:
    pill, neighbour = disc(200, 100, 100, 30), disc(200, 0, 0, 90)
    mask = solid_middle(np.maximum(pill, neighbour))
    np.testing.assert_array_equal(mask > 0, pill > 0)


def test_holes_are_filled() -> None:
    pill = disc(200, 100, 100, 60)
    glare = pill * (1 - disc(200, 110, 90, 15))
    np.testing.assert_array_equal(solid_middle(glare) > 0, pill > 0)


def test_nothing_likely_is_an_empty_mask() -> None:
    assert not solid_middle(np.full((64, 64), 0.5, np.float32)).any()


def test_rembg_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rembg", None)
    with pytest.raises(BackendUnavailable, match=r"rembg:u2netp needs the extra: pip install 'pillscope\[rembg\]'"):
        BackgroundRemover.open(backend="rembg:u2netp")
