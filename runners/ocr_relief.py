"""What the imprint reader is shown: the relief of a pill, flat and free of colour, on an even ground.

A general OCR reads ink on paper. Pressed letters are shading on a curved, coloured body, so the body is taken away: the
local mean lightness is subtracted and the local contrast evened out; outside the pill the picture is mid-gray, so that
the rim is no edge. On NIH reference photos this raised token recall from .54 (rim-coloured ground, CLAHE) to .69, and
made half the working size enough (`benchmarks/results/ocr_variants.md`).
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

GROUND: Final = 128.0
"""Gray level of everything that is neither raised nor pressed nor printed."""
BODY: Final = 20.0
"""Standard deviation, px of a 384 px cut-out, of what counts as body: wider than a stroke, narrower than a pill."""
CONTRAST_REACH: Final = 2.5
"""Over how much wider an area contrast is evened out."""
RIM: Final = 5
"""Width of the rim left out, px: its bevel is shaded like a stroke."""
FEATHER: Final = 5.0
"""Softness of the border to the ground, px."""
CLIP: Final = 4.0
"""Local standard deviations that are shown as full black or white."""


def relief(cutout: UInt8) -> UInt8:
    """(S, S, 4) uint8 RGBA -> (S, S, 3) uint8, three equal channels, as the OCR models want them."""
    lightness = np.asarray(cv2.cvtColor(np.ascontiguousarray(cutout[..., :3]), cv2.COLOR_RGB2LAB)[..., 0], np.float32)
    kernel = np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)
    inner = cv2.erode((cutout[..., 3] > 0).astype(np.uint8), kernel, borderValue=0).astype(np.float32)
    near = np.maximum(_blur(inner, BODY), np.float32(1e-3))
    detail = (lightness - _blur(lightness * inner, BODY) / near) * inner
    detail = np.asarray(detail, np.float32)
    wide = np.maximum(_blur(inner, BODY * CONTRAST_REACH), 1e-3)
    local = np.sqrt(np.maximum(_blur(np.square(detail), BODY * CONTRAST_REACH) / wide, 0))
    overall = float(np.sqrt((detail**2).sum() / max(float(inner.sum()), 1.0)))
    contrast = np.maximum(local, 0.5 * overall) + 1.0  # a blank part stays quiet
    soft = np.clip(2 * cv2.GaussianBlur(inner, (0, 0), FEATHER) - 1, 0, 1)
    shown = GROUND + np.clip(detail / contrast, -CLIP, CLIP) * (100 / CLIP) * soft
    return np.repeat(np.clip(shown, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _blur(image: Float32, sigma: float) -> Float32:
    """A wide Gaussian, computed at a quarter of the size."""
    height, width = image.shape
    small = cv2.resize(image, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / 4)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
