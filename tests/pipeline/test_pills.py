"""Which boxes count."""

import numpy as np

from pipeline.cutout import crop_around
from pipeline.pills import (
    DetectionLimits,
    clear,
    from_afar,
    independent,
    more_likely,
    one_pill,
    several_pills,
    usable_mask,
)

LIMITS = DetectionLimits()


def boxes(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 5)


def test_nothing_found_is_no_pill():
    assert one_pill(boxes(), LIMITS) is None
    assert not several_pills(boxes(), LIMITS)


def test_a_faint_lone_box_is_taken_and_noise_is_not():
    assert one_pill(boxes((0, 0, 50, 50, 0.2)), LIMITS) == 0
    assert one_pill(boxes((0, 0, 50, 50, 0.05)), LIMITS) is None


def test_two_of_one_size_are_several_and_a_crumb_is_not():
    assert several_pills(boxes((0, 0, 50, 50, 0.9), (100, 0, 150, 45, 0.8)), LIMITS)
    assert not several_pills(boxes((0, 0, 50, 50, 0.9), (100, 0, 115, 15, 0.8)), LIMITS)


def test_an_imprint_found_inside_the_pill_is_not_a_second_pill():
    found = boxes((0, 0, 100, 100, 0.9), (20, 20, 80, 80, 0.7))
    assert len(independent(found, LIMITS.inside)) == 1
    assert not several_pills(found, LIMITS)


def test_the_largest_sure_box_is_meant():
    assert one_pill(boxes((0, 0, 20, 20, 0.95), (50, 50, 150, 150, 0.8)), LIMITS) == 1


def test_a_mask_that_missed_the_pill_is_replaced_by_the_box():
    box = np.array([100, 100, 200, 150, 0.9], np.float32)
    crop = crop_around(np.zeros((300, 300, 3), np.uint8), (100.0, 100.0, 200.0, 150.0))
    fallback = usable_mask(np.zeros((512, 512), np.uint8), box, crop)
    width, height = 100 / crop.scale, 50 / crop.scale
    assert np.isclose(np.count_nonzero(fallback), np.pi / 4 * width * height, rtol=0.03)
    good = np.zeros((512, 512), np.uint8)
    good[180:330, 100:400] = 255
    assert usable_mask(good, box, crop) is good
    assert np.array_equal(usable_mask(None, box, crop), fallback)


def letterboxed() -> np.ndarray:
    """A 100 px wide photo of gray table with black bars of 30 px above and below."""
    image = np.zeros((100, 100, 3), np.uint8)
    image[30:70] = 120
    return image


def test_only_one_sure_box_is_clear():
    assert clear(boxes((0, 0, 50, 50, 0.7)), LIMITS)
    assert not clear(boxes((0, 0, 50, 50, 0.5)), LIMITS)
    assert not clear(boxes((0, 0, 50, 50, 0.9), (60, 0, 90, 30, 0.5)), LIMITS)
    assert not clear(boxes(), LIMITS)


def test_from_afar_leaves_the_bars_out_and_knows_where_the_photo_went():
    image = letterboxed()
    image[50, 40] = (250, 10, 20)
    canvas, (x, y) = from_afar(image)
    assert canvas.shape == (200, 200, 3)
    assert tuple(canvas[50 + y, 40 + x]) == (250, 10, 20)
    assert (canvas.max(axis=2) > 16).all()  # no black left


def test_a_photo_all_black_is_looked_at_as_it_is():
    canvas, (x, y) = from_afar(np.zeros((60, 80, 3), np.uint8))
    assert canvas.shape == (160, 160, 3)
    assert (x, y) == (40, 50)


def test_a_letter_found_up_close_loses_against_the_pill_seen_from_afar():
    near, far = boxes((40, 45, 55, 60, 0.35)), boxes((5, 20, 95, 80, 0.3))
    chosen = more_likely(near, far, letterboxed())
    assert chosen is far
    assert chosen[0, 1] == 30  # clipped to what is not bar
    assert chosen[0, 3] == 70
    assert more_likely(boxes((5, 32, 95, 68, 0.5)), boxes(), letterboxed())[0, 4] == 0.5
