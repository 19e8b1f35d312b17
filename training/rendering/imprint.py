"""Imprint and score line of one face, as masks in the frame of the pill.

The pill lies along x in a square of `size` px; `scale` px are one half long axis (the unit of `outline.py`).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.rendering.look import Area, Block, Face, PillLook
from training.rendering.outline import Float32, Outline
from training.rendering.typeface import typeface_for

_SPACING = 1.32  # line pitch by height of a line
_MARGIN = 0.13  # free rim between letters and edge, half long axes
_SCORE_GAP = 0.09  # free strip on either side of a score line
_CENTRES: dict[Area, tuple[float, float]] = {
    "whole": (0, 0), "left": (-0.47, 0), "right": (0.47, 0), "top": (0, -0.42), "bottom": (0, 0.42),
    "top left": (-0.4, -0.38), "top right": (0.4, -0.38), "bottom left": (-0.4, 0.38), "bottom right": (0.4, 0.38),
}  # fmt: skip
_SUPER = 2  # letters are drawn this much larger, then averaged down


@dataclass(frozen=True, slots=True)
class Engraving:
    """`letters`, `score`: (S, S) float32 in [0, 1], 1 = ink or tool. `em`: px of the largest font size used."""

    letters: Float32
    score: Float32
    em: float


def engrave(face: Face, look: PillLook, outline: Outline, size: int, scale: float) -> Engraving:
    """Draws what stands on a face. Every line lies inside the outline and clear of the score line."""
    canvas = np.zeros((size * _SUPER, size * _SUPER), dtype=np.uint8)
    largest = 0.0
    for block in face.blocks:
        if look.rim_text and block.area == "whole":
            largest = max(largest, _rim(canvas, block, look, scale))
        else:
            largest = max(largest, _place(canvas, block, face, look, outline, scale))
    letters = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return Engraving(letters, _score(face, size, scale), largest * scale)


def _place(
    canvas: NDArray[np.uint8], block: Block, face: Face, look: PillLook, outline: Outline, scale: float
) -> float:
    """Draws one block as large as it fits. Returns its font size, half long axes."""
    faces = [typeface_for(line, look.font) for line in block.lines]
    extents = [f.extent(line) for f, line in zip(faces, block.lines, strict=True)]
    pitch = max(height for _, height in extents) * _SPACING
    centre_x, centre_y = _CENTRES[block.area]
    centre_y = centre_y * outline.ratio if centre_y else outline.middle
    if look.form == "hard capsule":
        centre_x *= 0.95
    offsets = [(i - (len(extents) - 1) / 2) * pitch for i in range(len(extents))]
    corners = np.array(
        [
            (sx * width / 2, offset + sy * height / 2)
            for (width, height), offset in zip(extents, offsets, strict=True)
            for sx in (-1, 0, 1)
            for sy in (-1, 1)
        ],
        dtype=np.float32,
    )
    em = _largest_em(corners, centre_x, centre_y, block.area, face, outline)
    for typeface, line, offset in zip(faces, block.lines, offsets, strict=True):
        ink = typeface.draw(line, em * scale * _SUPER)
        x = canvas.shape[1] / 2 + centre_x * scale * _SUPER
        y = canvas.shape[0] / 2 + (centre_y + offset * em) * scale * _SUPER
        _stamp(canvas, ink, x, y)
    return em


def _largest_em(corners: Float32, cx: float, cy: float, area: Area, face: Face, outline: Outline) -> float:
    """The largest font size at which all corners keep their margins; bisection, as fitting is monotone."""
    low, high = 0.02, 0.62 * outline.ratio + 0.06  # letters of real pills stay below two thirds of the width
    margin = min(_MARGIN, 0.3 * outline.ratio)
    for _ in range(12):
        em = (low + high) / 2
        x, y = cx + corners[:, 0] * em, cy + corners[:, 1] * em
        fits = bool(np.all(outline.distance(x, y) < -margin))
        if area != "whole":
            if "left" in area or "right" in area:
                fits &= bool(np.all(np.sign(cx) * x > _SCORE_GAP))
            if "top" in area or "bottom" in area:
                fits &= bool(np.all(np.sign(cy) * y > _SCORE_GAP))
        low, high = (em, high) if fits else (low, em)
    return low


def _rim(canvas: NDArray[np.uint8], block: Block, look: PillLook, scale: float) -> float:
    """Letters along the rim of a round pill, from the left over the top. Returns the font size, half long axes."""
    text = " ".join(block.lines)
    radius = 0.62
    em = min(0.32, 2 * np.pi * radius * 0.8 / max(1, len(text)) / 0.8)
    pitch = em * 0.8 / radius
    side = round(em * scale * _SUPER * 2)
    for i, letter in enumerate(text):
        if letter == " ":
            continue
        ink = typeface_for(letter, look.font).draw(letter, em * scale * _SUPER)
        tile = np.zeros((side, side), dtype=np.uint8)
        _stamp(tile, ink, side / 2, side / 2)
        angle = (i - (len(text) - 1) / 2) * pitch
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), -np.degrees(angle), 1.0)
        tile = cv2.warpAffine(tile, turn, (side, side), flags=cv2.INTER_LINEAR)
        middle = canvas.shape[0] / 2
        reach = radius * scale * _SUPER
        _stamp(canvas, tile, middle + np.sin(angle) * reach, middle - np.cos(angle) * reach)
    return em


def _stamp(canvas: NDArray[np.uint8], ink: NDArray[np.uint8], x: float, y: float) -> None:
    """Adds `ink` to `canvas` with its middle at (x, y) px; what falls outside is cut."""
    left, top = round(x - ink.shape[1] / 2), round(y - ink.shape[0] / 2)
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(canvas.shape[1], left + ink.shape[1]), min(canvas.shape[0], top + ink.shape[0])
    if x1 < x2 and y1 < y2:
        part = canvas[y1:y2, x1:x2]
        np.maximum(part, ink[y1 - top : y2 - top, x1 - left : x2 - left], out=part)


def _score(face: Face, size: int, scale: float) -> Float32:
    """A V cut: 1 along its middle, falling to 0 at its borders."""
    if face.score_line == "none":
        return np.zeros((size, size), dtype=np.float32)
    axis = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / scale
    cut = np.clip(1 - np.abs(axis) / 0.045, 0, 1)
    across = np.broadcast_to(cut[None, :], (size, size))
    along = np.broadcast_to(cut[:, None], (size, size))
    if face.score_line == "cross":
        return np.maximum(across, along)
    return np.ascontiguousarray(along if face.score_along else across)
