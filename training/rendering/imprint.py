"""Imprint and score line of one face, as masks in the frame of the pill."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.rendering.look import Area, Block, Face, PillLook
from training.rendering.outline import Float32, Frame, Outline
from training.rendering.typeface import typeface_for

_SPACING = 1.35  # line pitch by height of a line
_MARGIN = 0.13  # free rim between letters and edge, half long axes
_SCORE_GAP = 0.09  # free strip on either side of a score line
_CENTRES: dict[Area, tuple[float, float]] = {
    "whole": (0, 0), "left": (-0.47, 0), "right": (0.47, 0), "top": (0, -0.42), "bottom": (0, 0.42),
    "top left": (-0.4, -0.38), "top right": (0.4, -0.38), "bottom left": (-0.4, 0.38), "bottom right": (0.4, 0.38),
}  # fmt: skip
_SUPER = 2  # letters are drawn this much larger, then averaged down
_MEASURE = 64  # px per em at which lines are measured


@dataclass(frozen=True, slots=True)
class Engraving:
    """`letters`, `score`: (S, S) float32 in [0, 1], 1 = ink or tool. `em`: px of the largest font size, 0 = blank."""

    letters: Float32
    score: Float32
    em: float


def engrave(face: Face, look: PillLook, outline: Outline, frame: Frame) -> Engraving:
    """Draws what stands on a face. Every line lies inside the outline and clear of the score line."""
    pen = _Pen(look, frame)
    if look.rim_text and len(face.blocks) == 1 and len(" ".join(face.blocks[0].lines)) >= 5:
        pen.write_along_rim(face.blocks[0])
    else:
        settings = [_set(block, look, outline) for block in face.blocks]
        # one tool cuts all letters of a face: the tightest block sets the size
        em = look.letter_size * min((setting.largest_em for setting in settings), default=0.0)
        for setting in settings:
            pen.write(setting, em)
    letters = cv2.resize(pen.canvas, (frame.size, frame.size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return Engraving(letters, _score(face, frame), pen.largest_em * frame.scale)


@dataclass(frozen=True, slots=True)
class _Setting:
    """A block with its place: `centre` half long axes, `offsets` of its lines from there, em, and how large it fits."""

    lines: tuple[str, ...]
    centre: tuple[float, float]
    offsets: tuple[float, ...]
    largest_em: float


def _set(block: Block, look: PillLook, outline: Outline) -> _Setting:
    typefaces = [typeface_for(line, look.font, look.weight) for line in block.lines]
    inks = [t.draw(line, _MEASURE, look.tracking) for t, line in zip(typefaces, block.lines, strict=True)]
    shapes = np.array([ink.shape for ink in inks], dtype=np.float32) / _MEASURE
    offsets = (np.arange(len(shapes)) - (len(shapes) - 1) / 2) * float(shapes[:, 0].max()) * _SPACING
    centre_x, centre_y = _CENTRES[block.area]
    centre_y = centre_y * outline.ratio if centre_y else outline.middle
    corners = [
        (sx * width / 2, offset + sy * height / 2)
        for (height, width), offset in zip(shapes, offsets, strict=True)
        for sx in (-1, 0, 1)
        for sy in (-1, 1)
    ]
    room = _Room(outline, block.area, (centre_x, centre_y))
    return _Setting(
        block.lines, room.centre, tuple(map(float, offsets)), room.largest_em(np.array(corners, dtype=np.float32))
    )


class _Pen:
    """Writes on one canvas, `_SUPER` times the frame. Remembers the largest font size, half long axes."""

    def __init__(self, look: PillLook, frame: Frame) -> None:
        self.canvas = np.zeros((frame.size * _SUPER, frame.size * _SUPER), dtype=np.uint8)
        self.largest_em = 0.0
        self._look, self._scale, self._middle = look, frame.scale * _SUPER, frame.size * _SUPER / 2

    def _ink(self, text: str, em: float) -> NDArray[np.uint8]:
        return typeface_for(text, self._look.font, self._look.weight).draw(text, em * self._scale, self._look.tracking)

    def write(self, setting: _Setting, em: float) -> None:
        """One block at a font size of `em` half long axes."""
        for line, offset in zip(setting.lines, setting.offsets, strict=True):
            x = self._middle + setting.centre[0] * self._scale
            y = self._middle + (setting.centre[1] + offset * em) * self._scale
            _stamp(self.canvas, self._ink(line, em), x, y)
        self.largest_em = max(self.largest_em, em)

    def write_along_rim(self, block: Block) -> None:
        """Letters along the rim of a round pill, over its top, feet to the middle."""
        text, radius = " ".join(block.lines), 0.62
        pitch = min(0.8 * 0.32 / radius, 1.6 * np.pi / max(1, len(text)))  # radians a letter
        em = pitch * radius / 0.8
        side = round(em * self._scale * 2)
        for i, letter in enumerate(text):
            if letter == " ":
                continue
            tile = np.zeros((side, side), dtype=np.uint8)
            _stamp(tile, self._ink(letter, em), side / 2, side / 2)
            angle = (i - (len(text) - 1) / 2) * pitch
            turn = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), -np.degrees(angle), 1.0)
            tile = cv2.warpAffine(tile, turn, (side, side), flags=cv2.INTER_LINEAR)
            reach = radius * self._scale
            _stamp(self.canvas, tile, self._middle + np.sin(angle) * reach, self._middle - np.cos(angle) * reach)
        self.largest_em = max(self.largest_em, em)


@dataclass(frozen=True, slots=True)
class _Room:
    """The part of a face a block may take, around `centre`, half long axes."""

    outline: Outline
    area: Area
    centre: tuple[float, float]

    def largest_em(self, corners: Float32) -> float:
        """The largest font size at which all corners (N, 2), em, keep their margins; bisection: fitting is monotone."""
        low, high = 0.02, 1.1 * self.outline.ratio  # no letter of a real pill is taller than 40 % of its width
        for _ in range(12):
            em = (low + high) / 2
            low, high = (em, high) if self._holds(corners * em) else (low, em)
        return low

    def _holds(self, corners: Float32) -> bool:
        cx, cy = self.centre
        x, y = cx + corners[:, 0], cy + corners[:, 1]
        fits = bool(np.all(self.outline.distance(x, y) < -min(_MARGIN, 0.3 * self.outline.ratio)))
        if "left" in self.area or "right" in self.area:
            fits &= bool(np.all(np.sign(cx) * x > _SCORE_GAP))
        if "top" in self.area or "bottom" in self.area:
            fits &= bool(np.all(np.sign(cy) * y > _SCORE_GAP))
        return fits


def _stamp(canvas: NDArray[np.uint8], ink: NDArray[np.uint8], x: float, y: float) -> None:
    """Adds `ink` to `canvas` with its middle at (x, y) px; what falls outside is cut."""
    left, top = round(x - ink.shape[1] / 2), round(y - ink.shape[0] / 2)
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(canvas.shape[1], left + ink.shape[1]), min(canvas.shape[0], top + ink.shape[0])
    if x1 < x2 and y1 < y2:
        part = canvas[y1:y2, x1:x2]
        np.maximum(part, ink[y1 - top : y2 - top, x1 - left : x2 - left], out=part)


def _score(face: Face, frame: Frame) -> Float32:
    """A V cut: 1 along its middle, falling to 0 at its borders."""
    if face.score_line == "none":
        return np.zeros_like(frame.x)
    across = np.clip(1 - np.abs(frame.x) / 0.045, 0, 1)
    along = np.clip(1 - np.abs(frame.y) / 0.045, 0, 1)
    if face.score_line == "cross":
        return np.maximum(across, along)
    return along if face.score_along else across
