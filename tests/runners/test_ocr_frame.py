"""What the text finder is shown: the pill alone, as large as its pixels allow."""

import numpy as np
import pytest

from runners.ocr_frame import MULTIPLE, PIXELS, framed


def relief_of(width: int, height: int, at: tuple[int, int] = (192, 192)) -> np.ndarray:
    picture = np.full((384, 384, 3), 128, np.uint8)
    x, y = at[0] - width // 2, at[1] - height // 2
    picture[y : y + height, x : x + width] = 90
    return picture


@pytest.mark.parametrize(("width", "height"), [(340, 340), (340, 130), (130, 340), (300, 220)])
def test_every_pill_is_shown_with_about_the_same_number_of_pixels(width, height):
    frame = framed(relief_of(width, height))
    assert all(side % MULTIPLE == 0 for side in frame.pixels.shape)
    assert 0.6 * PIXELS < frame.pixels.size < 1.5 * PIXELS
    shown = np.argwhere(frame.pixels < 110)
    assert np.ptp(shown[:, 1]) == pytest.approx(width * frame.scale, abs=3)  # whole, and nothing squeezed
    assert np.ptp(shown[:, 0]) == pytest.approx(height * frame.scale, abs=3)


def test_a_slender_pill_is_shown_larger():
    slender, round_one = framed(relief_of(340, 130)), framed(relief_of(340, 340))
    assert slender.scale > 1.4 * round_one.scale


def test_points_come_back_to_where_they_were():
    frame = framed(relief_of(200, 100, (150, 220)))
    y, x = np.argwhere(frame.pixels < 110)[0]
    assert frame.back(np.array([[x, y]], np.float32))[0] == pytest.approx((50, 170), abs=2.5)


def test_a_small_pill_is_not_blown_up():
    frame = framed(relief_of(40, 40))
    assert frame.scale == 1.0


def test_where_nothing_is_to_be_seen_the_whole_is_shown():
    frame = framed(np.full((384, 384, 3), 128, np.uint8))
    assert frame.pixels.size == PIXELS
    assert frame.back(np.array([[0, 0], [192, 192]], np.float32)) == pytest.approx(np.array([[0, 0], [384, 384]]))
