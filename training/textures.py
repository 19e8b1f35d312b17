"""Backgrounds for generated scenes: photos without pills, and plain surfaces made here."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.cutouts import read_rgb

UInt8 = NDArray[np.uint8]

# Means of the backgrounds seen on consumer photos: grey table, beige paper, brown cardboard, pinkish skin, white
SURFACES = np.array(
    [[150, 148, 150], [205, 190, 165], [150, 115, 75], [205, 170, 165], [225, 225, 225], [110, 110, 115],
     [185, 175, 165], [90, 80, 70], [60, 62, 66], [170, 185, 190]], np.float32
)  # fmt: skip


def plain_surface(rng: np.random.Generator, height: int, width: int) -> UInt8:
    """A table, a cloth or a sheet of paper: one colour with grain, a weave now and then, and uneven light."""
    if rng.random() < 0.75:
        color = SURFACES[rng.integers(len(SURFACES))] + rng.normal(0, 14, 3)
    else:
        color = rng.uniform(0, 255, 3)
    out = np.broadcast_to(color.astype(np.float32), (height, width, 3)).copy()
    for cell in (1, 3, 12, 48):  # grain at several scales
        shape = (max(height // cell, 1), max(width // cell, 1), 1 if rng.random() < 0.8 else 3)
        grain = rng.standard_normal(shape, np.float32) * abs(rng.normal(0, 5))
        resized = cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)
        out += resized if resized.ndim == 3 else resized[..., None]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    if rng.random() < 0.3:
        period, angle = rng.uniform(3, 14), rng.uniform(0, np.pi)
        wave = np.sin((xs * np.cos(angle) + ys * np.sin(angle)) * 2 * np.pi / period)
        if rng.random() < 0.6:
            wave = wave * np.sin((ys * np.cos(angle) - xs * np.sin(angle)) * 2 * np.pi / period)
        out += wave[..., None] * rng.uniform(2, 14)
    direction = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(direction) * (xs / width - 0.5) + np.sin(direction) * (ys / height - 0.5)
    out *= 1 + rng.uniform(0, 0.5) * ramp[..., None]
    return np.asarray(np.clip(out, 0, 255), np.uint8)


class Backgrounds:
    """Random crops of pill-less photos (`data`/backgrounds) mixed with plain surfaces."""

    def __init__(self, data: Path, *, photo_share: float = 0.4) -> None:
        files = sorted((data / "backgrounds").glob("*.jpg"))
        self._photos = [read_rgb(file) for file in files]
        self._photo_share = photo_share if files else 0.0

    def sample(self, rng: np.random.Generator, height: int, width: int) -> UInt8:
        """(height, width, 3) uint8 RGB."""
        if rng.random() >= self._photo_share:
            return plain_surface(rng, height, width)
        photo = self._photos[rng.integers(len(self._photos))]
        share = rng.uniform(0.15, 1.0)
        h = max(int(min(photo.shape[0], photo.shape[1] * height / width) * share), 8)
        w = max(int(h * width / height), 8)
        y, x = rng.integers(0, photo.shape[0] - h + 1), rng.integers(0, max(photo.shape[1] - w, 0) + 1)
        patch = photo[y : y + h, x : x + w]
        patch = np.ascontiguousarray(np.rot90(patch, rng.integers(4)) if height == width else patch)
        return np.asarray(cv2.resize(patch, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
