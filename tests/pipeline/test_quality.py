"""Refusals come with the right reason, and a good photo is not refused."""

import cv2
import numpy as np
import pytest

from pipeline.quality import assess


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
