"""Outlined photos: the split holds, the pictures of a paid source stay out, outlines become masks."""

from pathlib import Path

import numpy as np

from training.outlined import outlined_crops, outlined_pills


def test_no_photo_is_on_both_sides_and_product_shots_are_on_none(pill_data: Path) -> None:
    trained = {pill.file.name for pill in outlined_pills(pill_data, held_out=False)}
    held_out = {pill.file.name for pill in outlined_pills(pill_data, held_out=True)}
    assert len(held_out) == 3
    assert not trained & held_out
    assert trained | held_out == {f"{n:02}.png" for n in range(1, 20)}


def test_outlines_lie_on_the_pill(pill_data: Path) -> None:
    crops = outlined_crops(outlined_pills(pill_data, held_out=True), 0.25, 128)
    assert crops.images.shape == (3, 128, 128, 3)
    for image, mask in zip(crops.images, crops.masks, strict=True):
        bright = image.mean(axis=2) > 170
        overlap = (bright & (mask > 0)).sum() / (bright | (mask > 0)).sum()
        assert overlap > 0.93
        assert mask[64, 64] == 255


def test_tiny_pills_are_left_out(pill_data: Path) -> None:
    pills = list(outlined_pills(pill_data, held_out=True))
    assert len(outlined_crops(iter(pills), 0.25, 64, shortest=59)) == 3
    with np.testing.assert_raises(ValueError):
        outlined_crops(iter(pills), 0.25, 64, shortest=61)
