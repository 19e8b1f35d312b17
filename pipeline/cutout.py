"""Box and mask -> the pill alone, upright, in one size: what every model behind this point looks at.

Two steps. `crop_around` takes a square around a detected box, the view in which the background remover works.
`cut_out` turns the masked pill so that its long axis lies horizontal, scales it and pastes it on black with its
mask as alpha.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]

CROP_SIZE: Final = 512
"""Side of the square crop, px: a pill in it is about as large as in its cut-out, so no detail is lost between."""

CROP_MARGIN: Final = 0.25
"""Background kept on each side of the box, as a share of the box's long side; a detector's box is often tight."""

CUTOUT_SIZE: Final = 384
"""Side of a cut-out, px: imprint strokes of a pill filling it are 6 to 12 px wide, enough for an OCR."""

FILL: Final = 0.88
"""Share of the canvas that the pill's long side takes."""

ELONGATED: Final = 1.2
"""Long axis / short axis from which a pill has an orientation of its own; below it is left as photographed."""


@dataclass(frozen=True, slots=True)
class SquareCrop:
    """A square view into a photo. Photo px = `origin` + crop px * `scale`."""

    pixels: UInt8  # (S, S, 3) RGB
    origin: tuple[float, float]  # x, y of the crop's corner in photo px; may lie outside the photo
    scale: float  # photo px per crop px


def crop_around(
    image: UInt8, box: tuple[float, float, float, float], *, margin: float = CROP_MARGIN, size: int = CROP_SIZE
) -> SquareCrop:
    """Cut a square around `box`.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: x1, y1, x2, y2 in px of `image`.
        margin: background kept on each side, share of the box's long side.
        size: side of the crop, px.

    What lies outside the photo repeats the photo's border pixels.
    """
    x1, y1, x2, y2 = box
    side = max(x2 - x1, y2 - y1, 2.0) * (1 + 2 * margin)
    left, top = (x1 + x2 - side) / 2, (y1 + y2 - side) / 2
    scale = side / size
    source = image
    if scale > 1.5:  # sampling one pixel in several would alias: average the area down first
        a, b = max(int(left), 0), max(int(top), 0)
        c, d = min(int(left + side) + 2, image.shape[1]), min(int(top + side) + 2, image.shape[0])
        part = image[b:d, a:c]
        width, height = max(round(part.shape[1] / scale), 1), max(round(part.shape[0] / scale), 1)
        source = np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        matrix = np.array([[1, 0, (a - left) / scale], [0, 1, (b - top) / scale]], np.float64)
    else:
        matrix = np.array([[1 / scale, 0, -left / scale], [0, 1 / scale, -top / scale]])
    pixels = cv2.warpAffine(source, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return SquareCrop(np.asarray(pixels, np.uint8), (left, top), scale)


def orientation(mask: UInt8) -> tuple[float, float, tuple[float, float]]:
    """Long axis of a mask, (H, W) uint8, nonzero = pill.

    Returns its angle in degrees clockwise from horizontal (-90, 90], the ratio of long to short side, and the
    centre (x, y) of its smallest enclosing rectangle in px.
    """
    contours, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate(contours)
    (cx, cy), (w, h), angle = cv2.minAreaRect(points)
    if w < h:
        w, h, angle = h, w, angle + 90
    angle = (angle + 90) % 180 - 90
    return float(angle), float(max(w, 1.0) / max(h, 1.0)), (float(cx), float(cy))


def cut_out(image: UInt8, mask: NDArray[np.uint8] | NDArray[np.bool_], *, size: int = CUTOUT_SIZE) -> UInt8:
    """Paste the masked pill on black: upright, centred, scaled.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W), nonzero = pill. Must not be empty.
        size: side of the result, px.

    Returns:
        (size, size, 4) uint8 RGBA; alpha is 255 on the pill, 0 elsewhere, and RGB is 0 where alpha is 0.
    """
    binary = np.asarray(mask > 0, np.uint8)
    if not binary.any():
        raise ValueError("the mask is empty")
    angle, aspect, (cx, cy) = orientation(binary)
    if aspect < ELONGATED:
        angle = 0.0
        x, y, w, h = cv2.boundingRect(binary)
        cx, cy, long_side = x + w / 2, y + h / 2, float(max(w, h))
    else:
        contours, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        long_side = float(max(cv2.minAreaRect(np.concatenate(contours))[1]))
    scale = FILL * size / max(long_side, 1.0)
    if scale < 0.7:  # average down before turning, or thin strokes vanish
        step = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
        image = np.asarray(cv2.resize(image, step, interpolation=cv2.INTER_AREA), np.uint8)
        binary = np.asarray(cv2.resize(binary * 255, step, interpolation=cv2.INTER_AREA) > 127, np.uint8)
        cx, cy, scale = cx * scale, cy * scale, 1.0
    matrix = cv2.getRotationMatrix2D((cx, cy), angle, scale)
    matrix[:, 2] += np.array([size / 2 - cx, size / 2 - cy])
    pixels = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(binary * 255, matrix, (size, size), flags=cv2.INTER_LINEAR)
    alpha = np.where(alpha > 127, 255, 0).astype(np.uint8)
    return np.dstack([pixels * (alpha[..., None] > 0), alpha]).astype(np.uint8)


def outline(mask: UInt8, *, tolerance: float = 1.5) -> NDArray[np.float32]:
    """The outer contour of a mask, (H, W) uint8, as a polygon (P, 2) float32 x, y in px; (0, 2) when empty.

    `tolerance`: how far, in px, the simplified polygon may stray from the contour.
    """
    contours, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.zeros((0, 2), np.float32)
    largest = max(contours, key=cv2.contourArea)
    return np.asarray(cv2.approxPolyDP(largest, tolerance, True).reshape(-1, 2), np.float32)
