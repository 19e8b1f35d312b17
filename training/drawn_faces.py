"""Whole faces drawn at random as reliefs: up to three lines on a pill of some outline, with what else stands there."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.drawn_lines import Fonts, letters, relief_of, shade
from training.face_views import Face, FaceLine

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SIDE: Final = 192
"""Px; the pill takes .88 of it, as in a cut-out."""
ROOM: Final = 0.86
"""Share of a pill's width, at the height of a line, that letters may take."""


def draw_face(texts: list[str], fonts: Fonts, rng: np.random.Generator) -> Face:
    """`texts`: the lines from top to bottom, [] = nothing is written."""
    ratio = float(rng.choice([1.0, 1.0, rng.uniform(0.35, 0.9)]))
    body = body_of(ratio, rng)
    mask = np.zeros((SIDE, SIDE), np.float32)
    lines = _write(mask, texts, ratio, fonts, rng) if texts else []
    if rng.random() < 0.25:
        score(mask, ratio, rng)
    if rng.random() < 0.05 or (not texts and rng.random() < 0.5):
        logo(mask, ratio, rng)
    picture = 128 + (relief_of(shade(mask * body, rng), rng) - 128) * cv2.GaussianBlur(body, (0, 0), 1.5)
    return Face(np.clip(picture, 0, 255).astype(np.uint8), tuple(lines), complete=True)


def body_of(ratio: float, rng: np.random.Generator) -> Float32:
    body = np.zeros((SIDE, SIDE), np.float32)
    long, short = 0.44 * SIDE, 0.44 * SIDE * ratio
    if ratio < 1 and rng.random() < 0.6:  # straight sides
        for x in (SIDE / 2 - long + short, SIDE / 2 + long - short):
            cv2.circle(body, (round(x), SIDE // 2), round(short), 1.0, -1)
        left, right = round(SIDE / 2 - long + short), round(SIDE / 2 + long - short)
        cv2.rectangle(body, (left, round(SIDE / 2 - short)), (right, round(SIDE / 2 + short)), 1.0, -1)
    else:
        cv2.ellipse(body, (SIDE // 2, SIDE // 2), (round(long), round(short)), 0, 0, 360, 1.0, -1)
    return body


def _write(mask: Float32, texts: list[str], ratio: float, fonts: Fonts, rng: np.random.Generator) -> list[FaceLine]:
    """Ink of all lines, in place, as large as fits or smaller. Returns where each stands."""
    inks = [letters(text, fonts, rng) for text in texts]
    short = 0.88 * SIDE * ratio
    gap = float(rng.uniform(1.15, 1.5))
    high = short * float(rng.uniform(0.6, 1.0)) * (0.75 if len(inks) == 1 else 1) / (1 + gap * (len(inks) - 1))
    middles = [(n - (len(inks) - 1) / 2) * gap * high for n in range(len(inks))]
    for ink, middle in zip(inks, middles, strict=True):
        reach = max(1 - ((abs(middle) + high / 2) / (short / 2)) ** 2, 0.04) ** 0.5 * 0.88 * SIDE * ROOM
        high = min(high, reach * ink.shape[0] / ink.shape[1] * 1.15)
    high = max(high, 9.0)
    moved = rng.normal(0, 0.02, 2) * SIDE
    lines = []
    for number, (ink, text) in enumerate(zip(inks, texts, strict=True)):
        middle = (number - (len(inks) - 1) / 2) * gap * high
        width = round(ink.shape[1] * high / ink.shape[0] * float(rng.uniform(0.85, 1.0)))
        sized = cv2.resize(ink, (max(width, 3), round(high)), interpolation=cv2.INTER_AREA)
        x = round(SIDE / 2 + moved[0] - sized.shape[1] / 2)
        y = round(SIDE / 2 + moved[1] * ratio + middle - high / 2)
        x, y = max(x, 0), max(y, 0)
        sized = sized[: SIDE - y, : SIDE - x]
        bottom, right = y + sized.shape[0], x + sized.shape[1]
        mask[y:bottom, x:right] = np.maximum(mask[y:bottom, x:right], sized)
        edge = 0.22 * high  # as a detector would draw its box
        corners = np.array([[x - edge, y - edge], [right + edge, y - edge], [right + edge, bottom + edge],
                            [x - edge, bottom + edge]], np.float32)  # fmt: skip
        lines.append(FaceLine(corners, text))
    return lines


def score(mask: Float32, ratio: float, rng: np.random.Generator) -> None:
    thick, depth = int(rng.integers(2, 5)), float(rng.uniform(0.4, 1))
    x, y = (round(SIDE / 2 + rng.normal(0, 3)) for _ in range(2))
    if rng.random() < 0.75:
        cv2.line(mask, (x, 0), (x, SIDE), depth, thick)
    if rng.random() < 0.35 and ratio > 0.6:
        cv2.line(mask, (0, y), (SIDE, y), depth, thick)


def logo(mask: Float32, ratio: float, rng: np.random.Generator) -> None:
    """Arcs and strokes that are no letter."""
    for _ in range(int(rng.integers(2, 5))):
        x, y = (round(SIDE / 2 + rng.normal(0, 0.12) * SIDE * part) for part in (1, ratio))
        size = (round(rng.uniform(6, 34)), round(rng.uniform(6, 34) * ratio))
        start = float(rng.uniform(0, 360))
        cv2.ellipse(
            mask, (x, y), size, float(rng.uniform(0, 180)), start, start + float(rng.uniform(70, 250)), 1.0,
            int(rng.integers(2, 6)),
        )  # fmt: skip
