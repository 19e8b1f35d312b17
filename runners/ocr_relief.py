"""What the imprint reader is shown: the relief of a pill, flat and free of colour, on an even ground.

A general OCR reads ink on paper. Pressed letters are shading on a curved, coloured body, so the body is taken away: the
local mean lightness is subtracted and the local contrast evened out; outside the pill the picture is mid-gray, so that
the rim is no edge. On NIH reference photos this raised token recall from .54 (rim-coloured ground, CLAHE) to .69, and
made half the working size enough (`benchmarks/results/ocr_variants.md`).
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Gray = NDArray[Any]

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
FAINT: Final = 3
"""Gray levels from the ground within which a relief shows nothing."""
CLIP: Final = 4.0
"""Local standard deviations that are shown as full black or white."""


def relief(cutout: UInt8) -> UInt8:
    """(S, S, 4) uint8 RGBA -> (S, S, 3) uint8, three equal channels, as the OCR models want them.

    What changes slowly is computed at a quarter of the size: half of the time went into fetching fresh memory.
    """
    rgb = cv2.cvtColor(cutout, cv2.COLOR_RGBA2RGB)
    lightness = cv2.extractChannel(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), 0)
    kernel = np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)
    inner = cv2.erode(cv2.threshold(cv2.extractChannel(cutout, 3), 0, 1, cv2.THRESH_BINARY)[1], kernel, borderValue=0)
    share = _quarter(inner)
    mean = _blur(_quarter(cv2.multiply(lightness, inner)), BODY) / np.maximum(_blur(share, BODY), np.float32(1e-3))
    detail = np.asarray(cv2.subtract(lightness, _whole(mean, inner), mask=inner, dtype=cv2.CV_32F), np.float32)
    strength = _quarter(cv2.multiply(detail, detail))
    wide = np.maximum(_blur(share, BODY * CONTRAST_REACH), np.float32(1e-3))
    local = np.sqrt(np.maximum(_blur(strength, BODY * CONTRAST_REACH) / wide, 0))
    overall = float(np.sqrt(strength.sum() / max(float(share.sum()), 1.0)))
    contrast = np.maximum(local, 0.5 * overall) + 1.0  # a blank part stays quiet
    soft = np.clip(2 * _blur(share, FEATHER) - 1, 0, 1)
    detail *= _whole(100 / CLIP / contrast, inner)
    np.clip(detail, -100, 100, out=detail)
    detail *= _whole(soft, inner)
    detail += GROUND
    gray = detail.astype(np.uint8)
    return np.asarray(cv2.merge([gray, gray, gray]), np.uint8)


def pill_box(gray: UInt8) -> tuple[int, int, int, int] | None:
    """x, y, width, height of what a relief shows, (S, S) uint8; None where that is nothing."""
    x, y, w, h = cv2.boundingRect(cv2.bitwise_not(cv2.inRange(gray, GROUND - FAINT, GROUND + FAINT)))
    return (x, y, w, h) if w and h else None


def _quarter(image: Gray) -> Float32:
    """At a quarter of the size, averaged."""
    height, width = image.shape
    small = cv2.resize(image.astype(np.float32), (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _blur(quarter: Float32, sigma: float) -> Float32:
    """A Gaussian of so many px of the whole picture."""
    return np.asarray(cv2.GaussianBlur(quarter, (0, 0), sigma / 4), np.float32)


def _whole(quarter: Gray, like: Gray) -> Float32:
    """Back at the size of `like`."""
    size = like.shape[1], like.shape[0]
    return np.asarray(cv2.resize(quarter, size, interpolation=cv2.INTER_LINEAR), np.float32)
