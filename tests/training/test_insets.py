"""A framed inset is found whether its frame is blue or its ground black; a photo without one has none."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from training.insets import inset


def photo() -> NDArray[np.uint8]:
    """Grey table with a white box on it."""
    image = np.full((400, 600, 3), 190, np.uint8)
    cv2.rectangle(image, (20, 30), (180, 380), (240, 240, 240), -1)
    return image


@pytest.mark.parametrize("framed", [True, False])
def test_the_inset_is_found_and_not_the_box_beside_it(framed: bool) -> None:
    image = photo()
    x, y, w, h = 400, 60, 160, 100
    if framed:
        cv2.rectangle(image, (x, y), (x + w, y + h), (40, 90, 180), 2)
    else:
        cv2.rectangle(image, (x, y), (x + w, y + h), (5, 5, 5), -1)
    cv2.circle(image, (x + 60, y + 50), 25, (250, 240, 230), -1)
    assert np.allclose(inset(image) or (), (x, y, w, h), atol=4)


def test_a_blue_blister_is_no_frame_and_a_plain_photo_has_no_inset() -> None:
    image = photo()
    cv2.rectangle(image, (400, 60), (560, 300), (90, 160, 230), -1)
    assert inset(image) is None
    assert inset(photo()) is None
