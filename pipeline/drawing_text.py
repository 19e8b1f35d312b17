"""Imprint text on a drawn pill: how it is broken into lines, and how large it fits."""

from dataclasses import dataclass
from typing import Final

from pipeline.drawing_outline import Outline

MAX_LETTERS: Final = 48
"""A longer imprint is cut off with an ellipsis; the drawing's description has all of it."""
_LARGEST, _SMALLEST = 34.0, 6.0  # px
_PITCH: Final = 1.12  # from line to line, em
_CAP: Final = 0.74  # height of a capital, em
_RIM: Final = 0.86  # share of the width that text may take


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text, its middle at (x, y). `width`: px to squeeze it into; None where it fits by itself."""

    text: str
    x: float
    y: float
    size: float
    width: float | None


@dataclass(frozen=True, slots=True)
class Space:
    """The part of a pill that text may take: between `left` and `right`, `top` and `bottom`, px, inside `outline`."""

    outline: Outline
    left: float
    right: float
    top: float
    bottom: float

    def room(self, y: float, height: float) -> float:
        """Half the width around the middle of this space that is free over a line's whole height."""
        middle = (self.left + self.right) / 2
        widest = min(self.outline.room(y - height / 2), self.outline.room(y + height / 2)) * _RIM
        return min((self.right - self.left) / 2 * 0.94, widest - abs(middle))


def fit(text: str, space: Space) -> list[Line]:
    """Lines of `text` as large as they fit into `space`: one to four, whichever gives the largest letters."""
    words = text.split()
    if len(text) > MAX_LETTERS:
        words = (text[: MAX_LETTERS - 1] + "…").split()
    if not words:
        return []
    best: list[Line] = []
    for count in range(1, min(4, len(words)) + 1):
        lines = _largest(_broken(words, count), space)
        if not best or lines[0].size > best[0].size * 1.08:  # fewer lines unless more are clearly larger
            best = lines
    return best


def shrunk(lines: list[Line], size: float) -> list[Line]:
    """The same lines at a size not above their own, closer together; both halves of a pill get letters of one size."""
    if not lines or lines[0].size <= size:
        return lines
    middle = (lines[0].y + lines[-1].y) / 2
    share = size / lines[0].size
    return [Line(line.text, line.x, middle + (line.y - middle) * share, size, None) for line in lines]


def width_of(text: str) -> float:
    """Estimated width of a line in em, for any sans-serif font: rather too wide than too narrow."""
    return sum(_letter(c) for c in text)


def _letter(c: str) -> float:
    if ord(c) > 0x2E7F:  # Hangul, Han and full-width letters fill their square
        return 1.0
    if c in "MWmw@%":
        return 0.92
    if c in " .,:;|!'1iljIt-":
        return 0.42
    return 0.7 if c.isupper() else 0.6


def _broken(words: list[str], count: int) -> list[str]:
    """Words in exactly `count` lines such that the widest line is as narrow as it can be."""
    if count == 1:
        return [" ".join(words)]
    candidates = []
    for cut in range(1, len(words) - count + 2):
        candidates.append([" ".join(words[:cut]), *_broken(words[cut:], count - 1)])
    return min(candidates, key=lambda lines: max(width_of(line) for line in lines))


def _largest(lines: list[str], space: Space) -> list[Line]:
    size = min(_LARGEST, (space.bottom - space.top) * 0.8)
    while size > _SMALLEST and not _fits(lines, space, size):
        size -= 0.5
    middle = (space.left + space.right) / 2
    return [
        Line(line, middle, y, round(size, 1), _squeezed(line, y, space, size))
        for line, y in zip(lines, _heights(len(lines), space, size), strict=True)
    ]


def _fits(lines: list[str], space: Space, size: float) -> bool:
    heights = _heights(len(lines), space, size)
    tall = heights[-1] - heights[0] + _CAP * size <= (space.bottom - space.top) * 0.9
    return tall and all(
        width_of(line) * size / 2 <= space.room(y, _CAP * size) for line, y in zip(lines, heights, strict=True)
    )


def _heights(count: int, space: Space, size: float) -> list[float]:
    middle = (space.top + space.bottom) / 2
    return [middle + (i - (count - 1) / 2) * _PITCH * size for i in range(count)]


def _squeezed(line: str, y: float, space: Space, size: float) -> float | None:
    """The width to force on a line that is estimated to take more than 92 % of its room."""
    room = 2 * space.room(y, _CAP * size)
    needed = width_of(line) * size
    return round(max(1.0, min(room, needed)), 1) if needed > 0.92 * room else None
