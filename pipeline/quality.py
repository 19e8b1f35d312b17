"""Can this photo be judged? Sharpness and exposure of the pill, and the reasons a person can act on."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.cutout import SquareCrop
from pipeline.schemas import Quality, Reason

UInt8 = NDArray[np.uint8]

SHARP_RIM: Final = 4.0
"""Width, px of the 512 px crop, over which a well-focused rim goes from pill to background: sharpness 1."""
BLURRED_RIM: Final = 30.0
"""Rim width at which no imprint can be read any more: sharpness 0. Of 197 consumer photos the widest has 18."""
BAR: Final = 10.0
"""Level (0..255) of the black bars around a letterboxed photo: no background to measure focus against."""
MIN_CONTRAST: Final = 14.0
"""Difference (0..255) of pill and background under which the rim says nothing about focus: white on white."""
TOO_BLURRY: Final = 0.08
"""Sharpness below which the photo is refused: set so that none of the 197 consumer photos, all of which a person can
make out, is refused."""
DARK_LEVEL: Final = 28.0
"""If even the brightest twentieth of the crop stays below this level (0..255), the photo is too dark."""
MIN_PILL: Final = 16.0
"""Long side of the pill, px of the full photo, below which neither imprint nor colour can be told."""

GLARE_LEVEL: Final = 245.0
"""Darkest of the three channels (0..255) from which a pixel shows the lamp, not the pill."""
PALE: Final = 215.0
"""Median of the same over the pill from which glare cannot be told from a white coat."""
GLARE: Final = 0.02
"""Share of the pill under glare from which an imprint may be hidden: three times the most (.0062) that any of 203
consumer photos has."""
CUT_OFF: Final = 0.3
"""Part of the pill's long side that lies on the photo's border from which it is cut off. A whole round pill that just
touches the border lies on it with less, and so did each of 203 consumer photos (at most .223)."""
HIDES: Final = frozenset({"glare", "cut_off"})
"""Issues with which part of the pill is not seen."""


def _disc(size: int) -> UInt8:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def rim_width(gray: NDArray[np.float32], mask: UInt8) -> tuple[float, float]:
    """Width of the transition from pill to background, px, and their contrast (0..255).

    Args:
        gray: (S, S) float32 0..255.
        mask: (S, S) uint8, nonzero = pill.
    """
    inside = (mask > 0).astype(np.uint8)
    reach = np.ones((9, 9), np.uint8)
    band = (cv2.dilate(inside, reach) - cv2.erode(inside, reach)) > 0
    # far enough from the rim that blur has not mixed the two, near enough that black bars around the photo stay out
    outer = (cv2.dilate(inside, _disc(41)) > 0) & ~(cv2.dilate(inside, _disc(25)) > 0)
    inner = (cv2.erode(inside, _disc(25)) > 0) & ~(cv2.erode(inside, _disc(61)) > 0)
    outer &= gray > BAR
    if not (band.any() and outer.any() and inner.any()):
        return 0.0, 0.0
    contrast = abs(float(np.median(gray[inner])) - float(np.median(gray[outer])))
    slope = np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)) / 8  # levels per px
    steepest = float(np.percentile(slope[band], 85))
    return contrast / max(steepest, 1e-3), contrast


def glare(crop: UInt8, mask: UInt8) -> float:
    """Share of the pill, [0, 1], that mirrors the lamp; 0 for pale pills, where that cannot be told.

    White that reaches the rim is no mirrored lamp but the white half of a capsule.
    """
    inner = cv2.erode((mask > 0).astype(np.uint8), _disc(9)) > 0
    if not inner.any():
        return 0.0
    darkest = crop.min(axis=2)
    if float(np.median(darkest[inner])) > PALE:
        return 0.0
    spots = cv2.morphologyEx(((darkest >= GLARE_LEVEL) & inner).astype(np.uint8), cv2.MORPH_OPEN, _disc(5))
    _, labels = cv2.connectedComponents(spots)
    rim = inner & ~(cv2.erode(inner.astype(np.uint8), _disc(5)) > 0)
    at_rim = np.unique(labels[rim])
    return float(np.count_nonzero(labels[~np.isin(labels, at_rim) & (labels > 0)]) / inner.sum())


def cut_off(mask: UInt8, crop: SquareCrop, width: int, height: int) -> bool:
    """Does the pill go on beyond the photo?

    Args:
        mask: (S, S) uint8 of the crop, nonzero = pill.
        width, height: of the photo, px.
    """
    inside = mask > 0
    if not inside.any():
        return False
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    long_side = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    size = mask.shape[0]
    on_border = 0
    for lines, origin, length in ((inside.T, crop.origin[0], width), (inside, crop.origin[1], height)):
        for edge, inward in ((-origin / crop.scale, 1.0), ((length - origin) / crop.scale, -1.0)):
            place = round(edge + inward * 0.75 - 0.5)  # the first line of crop px that lies on the photo
            if 0 <= place < size:
                on_border = max(on_border, int(lines[place].sum()))
    return bool(on_border >= CUT_OFF * long_side)


def assess(crop: UInt8, mask: UInt8, pill_px: float, *, cut: bool = False) -> tuple[Quality, Reason | None]:
    """Judge one pill.

    Args:
        crop: (S, S, 3) uint8 RGB around the pill.
        mask: (S, S) uint8, nonzero = pill.
        pill_px: long side of the pill in px of the full photo.
        cut: it goes on beyond the photo (`cut_off`).

    Returns the quality for the answer, and the reason for refusing the photo, if there is one.
    """
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    width, contrast = rim_width(gray, mask)
    sharpness = 1.0 if contrast < MIN_CONTRAST else (BLURRED_RIM - width) / (BLURRED_RIM - SHARP_RIM)
    sharpness = float(np.clip(sharpness, 0, 1))
    pixels = gray[mask > 0] if (mask > 0).any() else gray.ravel()
    lost = float(np.mean((pixels < 12) | (pixels > 250)))  # clipped to black or white: nothing to see there
    exposure = float(np.clip(1 - lost - max(0.0, 60 - float(pixels.mean())) / 120, 0, 1))
    reason: Reason | None = None
    if pill_px < MIN_PILL:
        reason = "too_small"
    elif float(np.percentile(gray, 95)) < DARK_LEVEL:
        reason = "too_dark"
    elif sharpness < TOO_BLURRY:
        reason = "too_blurry"
    issues: list[str] = [reason] if reason else []
    if not reason and sharpness < 0.35:
        issues.append("blurry")
    if lost > 0.3 and float(pixels.mean()) > 128:
        issues.append("overexposed")
    if glare(crop, mask) >= GLARE:
        issues.append("glare")
    if cut:
        issues.append("cut_off")
    return Quality(sharpness=round(sharpness, 3), exposure=round(exposure, 3), issues=issues), reason
