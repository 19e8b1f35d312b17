"""Bringing images into the size and form a model takes; shared by the runners."""

import cv2
import numpy as np

from pipeline.ports import UInt8


def resize(image: UInt8, width: int, height: int) -> UInt8:
    """Resize (H, W, C) or (H, W) uint8 to (`height`, `width`).

    Areas are averaged when shrinking, so that thin strokes fade instead of vanishing; OpenCV's area mode turns
    into blocks when enlarging, so that is done bilinearly.
    """
    shrinks = width * height < image.shape[0] * image.shape[1]
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def on_black(cutouts: UInt8, size: int) -> UInt8:
    """Cut-outs (N, S, S, 4) uint8 RGBA -> (N, `size`, `size`, 3) uint8 RGB, the background black."""
    images = np.empty((len(cutouts), size, size, 3), np.uint8)
    for image, cutout in zip(images, cutouts, strict=True):
        visible = cv2.bitwise_and(cutout[..., :3], cutout[..., :3], mask=cutout[..., 3])
        image[:] = resize(np.asarray(visible, np.uint8), size, size)
    return images
