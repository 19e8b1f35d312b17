"""Geometry of crops and cut-outs: where a pill was must be where it is found again."""

import cv2
import numpy as np
import pytest

from pipeline.cutout import CUTOUT_SIZE, FILL, crop_around, cut_out, orientation, outline


def ellipse(height: int, width: int, center: tuple[int, int], axes: tuple[int, int], angle: float) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, center, axes, angle, 0, 360, 255, -1)
    return mask


@pytest.mark.parametrize(
    "box", [(40.0, 60.0, 140.0, 120.0), (-20.0, -10.0, 30.0, 50.0), (700.0, 500.0, 1500.0, 1100.0)]
)
def test_a_point_of_the_crop_maps_back_to_the_photo(box):
    ys, xs = np.mgrid[0:1200, 0:1600]
    image = np.dstack([xs / 1600 * 255, ys / 1200 * 255, np.zeros_like(xs)]).astype(np.uint8)
    crop = crop_around(image, box)
    for u, v in ((100, 100), (256, 256), (400, 300)):
        x, y = crop.origin[0] + u * crop.scale, crop.origin[1] + v * crop.scale
        if 0 <= x < 1600 and 0 <= y < 1200:
            assert abs(int(crop.pixels[v, u, 0]) - x / 1600 * 255) < 2.5
            assert abs(int(crop.pixels[v, u, 1]) - y / 1200 * 255) < 2.5


def test_the_crop_holds_the_whole_box_with_its_margin():
    crop = crop_around(np.zeros((400, 400, 3), np.uint8), (100.0, 150.0, 200.0, 180.0), margin=0.25, size=128)
    assert crop.scale == pytest.approx(150 / 128)
    assert crop.origin == (75.0, 90.0)


@pytest.mark.parametrize("angle", [0, 20, 75, 90, 130, 175])
def test_orientation_finds_the_long_axis(angle):
    found, aspect, center = orientation(ellipse(300, 300, (150, 140), (100, 40), angle))
    assert min(abs(found - angle) % 180, 180 - abs(found - angle) % 180) < 3
    assert aspect == pytest.approx(2.5, rel=0.05)
    assert center == pytest.approx((150, 140), abs=1.5)


@pytest.mark.parametrize(("long_axis", "angle"), [(30, 40), (100, 0), (100, 65), (280, 110)])
def test_a_long_pill_lies_flat_and_fills_the_canvas(long_axis, angle):
    mask = ellipse(700, 700, (340, 360), (long_axis, long_axis // 2), angle)
    image = np.full((700, 700, 3), 90, np.uint8)
    image[mask > 0] = (200, 30, 40)
    cutout = cut_out(image, mask)
    ys, xs = np.nonzero(cutout[..., 3])
    assert cutout.shape == (CUTOUT_SIZE, CUTOUT_SIZE, 4)
    assert np.ptp(xs) == pytest.approx(FILL * CUTOUT_SIZE, rel=0.05)
    assert np.ptp(ys) == pytest.approx(FILL * CUTOUT_SIZE / 2, rel=0.08)
    assert not cutout[cutout[..., 3] == 0].any()  # black outside, also in RGB
    assert np.abs(cutout[190:194, 190:194, :3].astype(int) - (200, 30, 40)).max() < 12


def test_a_round_pill_is_not_turned():
    mask = ellipse(300, 300, (150, 150), (80, 80), 0)
    image = np.zeros((300, 300, 3), np.uint8)
    image[:150] = 200  # upper half bright
    cutout = cut_out(image, mask)
    assert cutout[100, 192, 0] > 150
    assert cutout[290, 192, 0] < 50


def test_an_empty_mask_is_refused():
    with pytest.raises(ValueError, match="empty"):
        cut_out(np.zeros((10, 10, 3), np.uint8), np.zeros((10, 10), np.uint8))


def test_outline_follows_the_mask():
    mask = ellipse(200, 200, (100, 90), (60, 30), 0)
    polygon = outline(mask)
    again = np.zeros_like(mask)
    cv2.fillPoly(again, [polygon.astype(np.int32)], 255)
    assert ((again > 0) & (mask > 0)).sum() / ((again > 0) | (mask > 0)).sum() > 0.96
    assert outline(np.zeros((5, 5), np.uint8)).shape == (0, 2)
