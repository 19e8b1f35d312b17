"""Real lines made worse, as a hand-held phone on a kitchen table would have shown them.

The photos that train are reference photos; what is read in use is blurred, small, noisy and unevenly lit, and the
relief raises its contrast, and its noise, to that of a good photo.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]


def worn(line: UInt8, rng: np.random.Generator) -> UInt8:
    """(48, w) uint8 -> the same size, with fewer pixels behind it."""
    height, width = line.shape
    shown = line.astype(np.float32) - 128
    contrast = float(shown.std()) + 1e-3
    if rng.random() < 0.35:  # the hand moved
        length, angle = int(rng.integers(3, 8)), float(rng.uniform(0, 180))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1
        turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), angle, 1)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        shown = cv2.filter2D(shown, -1, kernel / max(float(kernel.sum()), 1e-3), borderType=cv2.BORDER_REPLICATE)
    else:
        shown = cv2.GaussianBlur(shown, (0, 0), float(rng.uniform(0.5, 2.2)))
    loss = float(np.exp(rng.uniform(np.log(1.2), np.log(3.6))))
    size = (max(4, round(width / loss)), round(height / loss))
    small = cv2.resize(shown, size, interpolation=cv2.INTER_AREA)
    grain = rng.standard_normal(small.shape, dtype=np.float32)
    if rng.random() < 0.5:
        grain = cv2.GaussianBlur(grain, (0, 0), float(rng.uniform(0.5, 1.0)))
    small = small + grain / max(float(grain.std()), 1e-6) * float(rng.uniform(0.05, 0.6)) * float(small.std())
    if rng.random() < 0.6:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))]
        _, packed = cv2.imencode(".jpg", np.clip(small + 128, 0, 255).astype(np.uint8), quality)
        small = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE).astype(np.float32) - 128
    shown = cv2.resize(
        small, (width, height), interpolation=cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR
    )
    across = np.exp(np.linspace(-1, 1, width, dtype=np.float32) * float(rng.normal(0, 0.35)))  # light from one side
    shown = shown * across + np.linspace(-1, 1, height, dtype=np.float32)[:, None] * float(rng.normal(0, 8))
    shown = shown * (contrast / max(float(shown.std()), 1e-3)) * float(np.exp(rng.normal(0, 0.2)))
    return np.clip(shown + 128, 0, 255).astype(np.uint8)
