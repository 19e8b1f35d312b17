"""Refusals come with the right reason, and a good photo is not refused."""

import cv2
import numpy as np
import pytest

from pipeline.cutout import crop_around
from pipeline.quality import assess, cut_off, glare


def photo(blur: float = 0.0, brightness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    image = np.full((512, 512, 3), 90, np.uint8)
    mask = np.zeros((512, 512), np.uint8)
    cv2.ellipse(mask, (256, 256), (170, 120), 20, 0, 360, 255, -1)
    image[mask > 0] = 210
    if blur:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    return (image * brightness).astype(np.uint8), mask


def test_a_good_photo_passes():
    quality, reason = assess(*photo(), pill_px=200)
    assert reason is None
    assert quality.sharpness > 0.9
    assert quality.issues == []


def test_sharpness_falls_with_blur_until_the_photo_is_refused():
    values = [assess(*photo(blur), pill_px=200)[0].sharpness for blur in (0, 3, 6, 10)]
    assert values == sorted(values, reverse=True)
    assert values[0] - values[-1] > 0.3
    assert assess(*photo(25), pill_px=200)[1] == "too_blurry"


@pytest.mark.parametrize(("brightness", "pill_px", "expected"), [(0.08, 200, "too_dark"), (1.0, 12, "too_small")])
def test_dark_and_small_are_named(brightness, pill_px, expected):
    quality, reason = assess(*photo(brightness=brightness), pill_px=pill_px)
    assert reason == expected
    assert expected in quality.issues


def test_white_on_white_is_not_called_blurry():
    image, mask = photo()
    image[:] = 225
    image[mask > 0] = 230
    assert assess(image, mask, pill_px=200)[1] is None


def test_a_lamp_mirrored_on_the_pill_is_glare_and_a_white_coat_is_not():
    image, mask = photo()
    image[mask > 0] = (150, 60, 60)
    assert glare(image, mask) == 0
    cv2.circle(image, (256, 256), 60, (255, 255, 255), -1)
    assert 0.1 < glare(image, mask) < 0.3
    assert "glare" in assess(image, mask, pill_px=200)[0].issues
    assert assess(image, mask, pill_px=200)[1] is None
    image[mask > 0] = 250
    assert glare(image, mask) == 0
    image[:, :270][mask[:, :270] > 0] = (20, 40, 200)  # a capsule of two halves, one of them white
    assert glare(image, mask) == 0


def test_glints_of_a_few_pixels_are_not_glare():
    image, mask = photo()
    image[mask > 0] = (150, 60, 60)
    image[256:258, 200:300] = 255
    assert "glare" not in assess(image, mask, pill_px=200)[0].issues


@pytest.mark.parametrize(("x", "expected"), [(200, False), (71, False), (30, True), (370, True), (330, False)])
def test_a_pill_that_goes_on_beyond_the_photo_is_cut_off(x, expected):
    """A disc of radius 70 in a photo 400 px wide."""
    image = np.full((300, 400, 3), 90, np.uint8)
    cv2.circle(image, (x, 150), 70, (210, 210, 210), -1)
    box = (max(x - 70, 0), 80, min(x + 70, 399) + 1, 221)
    crop = crop_around(image, tuple(map(float, box)))
    mask = (crop.pixels[..., 0] > 150).astype(np.uint8) * 255
    assert cut_off(mask, crop, 400, 300) == expected
    issues = assess(crop.pixels, mask, 140, cut=expected)[0].issues
    assert ("cut_off" in issues) == expected


def test_an_empty_mask_is_neither():
    crop = crop_around(np.zeros((100, 100, 3), np.uint8), (10.0, 10.0, 50.0, 50.0))
    assert not cut_off(np.zeros((512, 512), np.uint8), crop, 100, 100)
    assert glare(crop.pixels, np.zeros((512, 512), np.uint8)) == 0
