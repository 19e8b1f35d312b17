"""Faces drawn for the text finder: words and single signs wherever pills carry them, with where each stands.

Stacked lines, words and signs on either side of a score line, four signs in four quarters, a sign as large as the
pill, text twice on a capsule along or across it, letters turned around a wheel. On bodies drawn at random, and on real
faces known to carry nothing.
"""

from collections.abc import Callable, Sequence
from math import cos, degrees, pi, radians, sin
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.drawn_faces import SIDE, body_of, logo, score
from training.drawn_lines import Fonts, letters, relief_of, shade
from training.face_views import Face, FaceLine

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Words = Sequence[str]
Word = Callable[[int], str]
"""Draws a word of at most so many letters."""

MARGIN: Final = 0.22
"""Of a line's height that a box leaves around it, as the labels of real lines do."""
LEAST: Final = 7.0
"""Height, px, under which nobody could read a line."""
LARGE: Final = "MVLIAHWGETRSPZX0123456789"


class Canvas:
    """A face in the making. `mask`: (SIDE, SIDE) ink in [0, 1]; `lines`: where text stands; `body`: 1 on the pill;
    `taken`: 1 where nothing more can be written."""

    def __init__(self, body: Float32, fonts: Fonts, rng: np.random.Generator) -> None:
        self.mask, self.body = np.zeros((SIDE, SIDE), np.float32), body
        self.taken = np.zeros((SIDE, SIDE), np.uint8)
        self.lines: list[FaceLine] = []
        x, y, self.width, self.height = cv2.boundingRect((body > 0.5).astype(np.uint8))
        self.left, self.top = x, y
        self._fonts, self._rng = fonts, rng
        self._name = self.rng_font()

    def rng_font(self) -> Fonts:
        """One typeface of each kind: a pill is stamped with one tool."""
        rng = self._rng
        return Fonts((str(rng.choice(self._fonts.latin)),), (str(rng.choice(self._fonts.hangul)),))

    def write(self, text: str, at: tuple[float, float], high: float, turn: float = 0.0) -> None:
        """Ink a text around `at`, shares of the pill's width and height, as high as `high` px or as fits; `turn`:
        degrees clockwise. Nothing where it would be too small to read."""
        ink = letters(text, self._name, self._rng)
        middle = np.array([self.left + at[0] * self.width, self.top + at[1] * self.height])
        across = np.array([cos(radians(turn)), sin(radians(turn))])
        down = np.array([-across[1], across[0]])
        while high >= LEAST:
            half = np.array([ink.shape[1] / ink.shape[0] * high, high]) / 2
            tips = middle + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half @ np.array([across, down])
            x, y = tips.round().astype(int).T
            inside = (x >= 0).all() and (y >= 0).all() and (x < SIDE).all() and (y < SIDE).all()
            place = cv2.fillConvexPoly(np.zeros_like(self.taken), tips.round().astype(np.int32), 1)
            if inside and self.body[y, x].all() and not (place & self.taken).any():
                break
            high *= 0.92
        else:
            return
        self._stamp(ink, tips)
        self.taken |= place
        edge = MARGIN * high
        wide = middle + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (half + edge) @ np.array([across, down])
        self.lines.append(FaceLine(wide.astype(np.float32), text))

    def _stamp(self, ink: Float32, tips: NDArray[np.float64]) -> None:
        height, width = ink.shape
        corners = np.array([[0, 0], [width, 0], [width, height]], np.float32)
        matrix = cv2.getAffineTransform(corners, tips[:3].astype(np.float32))
        loss = height / max(float(np.linalg.norm(tips[3] - tips[0])), 1)
        if loss > 1.5:  # what would be skipped is averaged
            ink = np.asarray(cv2.GaussianBlur(ink, (0, 0), 0.4 * loss), np.float32)
        placed = cv2.warpAffine(ink, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
        np.maximum(self.mask, placed, out=self.mask)


def draw_layout(
    words: tuple[Words, Words], hangul_share: float, fonts: Fonts, blank: UInt8 | None, rng: np.random.Generator
) -> Face:
    """One face. `words`: Latin, Hangul; `blank`: relief (SIDE, SIDE) of a real face without text to write on."""
    ratio = float(rng.choice([1.0, 1.0, 0.75, rng.uniform(0.36, 0.9), rng.uniform(0.36, 0.5)]))
    body = body_of(ratio, rng) if blank is None else _inner(blank)
    canvas = Canvas(body, fonts, rng)
    ratio = canvas.height / max(canvas.width, 1)

    def word(most: int) -> str:
        chosen = words[1] if rng.random() < hangul_share and len(words[1]) else words[0]
        while len(text := str(chosen[int(rng.integers(len(chosen)))])) > most:
            pass
        return text

    def sign() -> str:
        return str(rng.choice(list(LARGE))) if rng.random() < 0.6 else word(3)

    kind = rng.random()
    if kind < 0.14 and blank is None:
        pass  # nothing is written
    elif kind < 0.50:
        _stack(canvas, [word(8) for _ in range(int(rng.choice([1, 2, 3], p=[0.55, 0.38, 0.07])))], rng)
    elif kind < 0.68:
        _beside_a_score(canvas, word, sign, ratio, rng)
    elif kind < 0.80:
        canvas.write(sign(), _near_middle(rng), float(rng.uniform(0.35, 0.95)) * canvas.height, _tilt(rng))
    elif kind < 0.92:
        _twice(canvas, word, rng)
    else:
        _wheel(canvas, word, rng)
    if rng.random() < 0.05 or (not canvas.lines and rng.random() < 0.5):
        logo(canvas.mask, ratio, rng)
    if blank is None and rng.random() < 0.12:
        score(canvas.mask, ratio, rng)
    return Face(_picture(canvas, blank, rng), tuple(canvas.lines), complete=True)


def _inner(blank: UInt8) -> Float32:
    """1 where a real relief shows pill, its border left out."""
    shown = (np.abs(blank.astype(np.int16) - 128) > 3).astype(np.uint8)
    filled = cv2.morphologyEx(shown, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    return cv2.erode(filled, np.ones((13, 13), np.uint8)).astype(np.float32)


def _picture(canvas: Canvas, blank: UInt8 | None, rng: np.random.Generator) -> UInt8:
    if blank is None:
        lit = relief_of(shade(canvas.mask * canvas.body, rng), rng) - 128
        seen = 128 + lit * cv2.GaussianBlur(canvas.body, (0, 0), 1.5)
    else:
        lit = relief_of(shade(canvas.mask, rng), rng) - 128
        near = cv2.GaussianBlur(cv2.dilate(canvas.mask, np.ones((5, 5), np.uint8)), (0, 0), 2.0)
        near *= cv2.GaussianBlur(cv2.dilate(canvas.body, np.ones((9, 9), np.uint8)), (0, 0), 1.5)  # on the pill
        seen = blank + float(rng.uniform(0.6, 1.3)) * lit * np.clip(1.5 * near, 0, 1)
    return np.asarray(np.clip(seen, 0, 255), np.uint8)


def _near_middle(rng: np.random.Generator) -> tuple[float, float]:
    return 0.5 + float(rng.normal(0, 0.03)), 0.5 + float(rng.normal(0, 0.03))


def _tilt(rng: np.random.Generator) -> float:
    return float(rng.normal(0, 3))


def _stack(canvas: Canvas, texts: list[str], rng: np.random.Generator) -> None:
    """Lines under each other."""
    x, y = _near_middle(rng)
    high = canvas.height * float(rng.uniform(0.25, 0.8)) / (1.35 * len(texts) - 0.35)
    tilt, pitch = _tilt(rng), float(rng.uniform(1.15, 1.6)) * high / canvas.height
    for number, text in enumerate(texts):
        canvas.write(text, (x, y + (number - (len(texts) - 1) / 2) * pitch), high, tilt)


def _beside_a_score(
    canvas: Canvas, word: Word, sign: Callable[[], str], ratio: float, rng: np.random.Generator
) -> None:
    """A score line, or a cross, with text beside, above and below it."""
    thick, depth = int(rng.integers(2, 7)), float(rng.uniform(0.4, 1))
    upright, level = rng.random() < 0.7, rng.random() < 0.3 and ratio > 0.6
    upright = upright or not level
    x, y = (round(SIDE / 2 + rng.normal(0, 2)) for _ in range(2))
    for line, tips in ((upright, ((x, 0), (x, SIDE))), (level, ((0, y), (SIDE, y)))):
        if line:
            cv2.line(canvas.mask, *tips, depth, thick)
            cv2.line(canvas.taken, *tips, 1, thick)
    high = canvas.height * float(rng.uniform(0.25, 0.6)) / (2 if level else 1)
    away = float(rng.uniform(0.16, 0.27))
    columns = (0.5 - away, 0.5 + away) if upright else (0.5,)
    rows = (0.5 - away, 0.5 + away) if level or (ratio > 0.7 and rng.random() < 0.15) else (0.5,)
    turn = 90.0 * int(rng.choice([0, 0, 0, 1])) + _tilt(rng)
    pick = sign if rng.random() < 0.55 else (lambda: word(5))
    for column in columns:
        for row in rows:
            if rng.random() < 0.92:
                canvas.write(pick(), (column, row), high, turn)


def _twice(canvas: Canvas, word: Word, rng: np.random.Generator) -> None:
    """A capsule's two halves, each with one or two lines, along or across it, often the same on both."""
    turn = float(rng.choice([0.0, 0.0, 90.0, 270.0])) + _tilt(rng)
    texts = [word(6) for _ in range(int(rng.choice([1, 2])))]
    lying = abs(turn) < 45
    high = (canvas.height if lying else canvas.width / 3) * float(rng.uniform(0.25, 0.5)) / len(texts)
    across, down = (0.0, 1.0) if lying else (-1.0 if turn < 180 else 1.0, 0.0)
    if rng.random() < 0.5:
        seam = round(SIDE / 2 + rng.normal(0, 3))
        canvas.mask[:, seam : seam + int(rng.integers(2, 5))] = float(rng.uniform(0.3, 0.8))
    for half in (0.28, 0.72):
        same = texts if rng.random() < 0.6 else [word(6) for _ in texts]
        for number, text in enumerate(same):
            off = (number - (len(same) - 1) / 2) * 1.3 * high
            canvas.write(text, (half + across * off / canvas.width, 0.5 + down * off / canvas.height), high, turn)


def _wheel(canvas: Canvas, word: Word, rng: np.random.Generator) -> None:
    """Letters set apart around the middle, their feet towards it; sometimes a word in the middle or at the bottom."""
    text = word(6)
    start, step = float(rng.uniform(-160, -60)), float(rng.uniform(32, 75))
    step = min(step, 300 / max(len(text), 1))
    high, radius = canvas.height * float(rng.uniform(0.13, 0.22)), float(rng.uniform(0.28, 0.36))
    for number, letter in enumerate(text):
        angle = start + step * number
        at = (0.5 + radius * cos(angle * pi / 180), 0.5 + radius * sin(angle * pi / 180))
        canvas.write(letter, at, high, degrees(radians(angle)) + 90)
    if rng.random() < 0.6:
        canvas.write(word(4), (0.5, float(rng.choice([0.5, 0.7]))), canvas.height * 0.2)
