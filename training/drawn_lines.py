"""Lines of an imprint drawn at random, as the recogniser sees them: relief, 48 px high, gray.

Pressed and raised letters are shaded as a lamp from one side shades a slope, printed ones are darker or paler than the
pill. Around them stands what stands on pills: the next line, a score line, the arc of a logo, the rim, grain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.reader_net import HEIGHT
from training.rendering.typeface import OutlineTypeface, StrokeTypeface, Typeface, installed, latin_fonts

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

EM: Final = 40  # px at which letters are drawn
PAD: Final = 26  # px of pill around them


@dataclass(frozen=True, slots=True)
class Fonts:
    """Names as `training.rendering.typeface` knows them: for Latin letters, and for lines with Hangul."""

    latin: tuple[str, ...]
    hangul: tuple[str, ...]

    @classmethod
    def of(cls, config: dict[str, Any]) -> "Fonts":
        """Those on this machine, further ones as a training's configuration names them. Raises RuntimeError where none
        has Hangul."""
        hangul = installed(tuple(config["hangul_fonts"]))
        if not hangul:
            raise RuntimeError("no Hangul font is installed: apt install fonts-nanum")
        return cls(latin_fonts() + installed(tuple(config["latin_fonts"])), hangul)


def draw_line(text: str, fonts: Fonts, rng: np.random.Generator) -> UInt8:
    """(48, w) uint8. `text` as it is written on the pill; "" draws a place without letters."""
    ink = letters(text, fonts, rng) if text.strip() else np.zeros((EM, int(rng.uniform(0.6, 4) * EM)), np.float32)
    height, width = ink.shape
    mask = np.zeros((height + 2 * PAD, width + 2 * PAD), np.float32)
    mask[PAD : PAD + height, PAD : PAD + width] = ink
    if rng.random() < 0.35:
        _add_neighbour(mask, height, fonts, rng)
    gap = _widest_gap(ink) if " " in text else None
    if gap is not None and rng.random() < 0.6:
        _add_score_between(mask, PAD + gap, rng)
    elif rng.random() < 0.36:
        _add_stroke(mask, rng)
    mask, box = _bend(mask, (PAD, PAD, PAD + width, PAD + height), rng)
    return _as_found(relief_of(shade(mask, rng), rng), box, rng)


def letters(text: str, fonts: Fonts, rng: np.random.Generator) -> Float32:
    """Ink in [0, 1] of one line, cropped; part of the letters a little out of place."""
    hangul = any(ord(letter) > 0x1100 for letter in text)
    name = str(rng.choice(fonts.hangul if hangul else fonts.latin))
    weight = float(rng.uniform(0.06, 0.16))
    face: Typeface = StrokeTypeface(name, weight) if name.startswith("hershey") else OutlineTypeface(name)
    tracking = float(rng.choice([0.0, rng.uniform(-0.03, 0.1), rng.uniform(0.05, 0.3)]))
    if not hangul and rng.random() < 0.1:
        text = text.lower()
    elif not hangul and len(text) > 2 and rng.random() < 0.06:
        text = text.capitalize()
    ink = face.draw(text, EM, tracking).astype(np.float32) / 255
    stretch = float(np.exp(rng.uniform(-0.35, 0.3)))
    ink = cv2.resize(ink, (max(4, round(ink.shape[1] * stretch)), ink.shape[0]), interpolation=cv2.INTER_AREA)
    if name not in ("hershey", "hershey-duplex") and rng.random() < 0.3:  # a thicker or thinner tool
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
        ink = cv2.dilate(ink, kernel) if rng.random() < 0.7 or hangul else cv2.erode(ink, kernel)
    return np.asarray(ink, np.float32)


def _add_neighbour(mask: Float32, height: int, fonts: Fonts, rng: np.random.Generator) -> None:
    """The edge of the next line of text, above or below."""
    text = "".join(rng.choice(list("ABCDEHKLMNPRST0123456789"), int(rng.integers(2, 8))))
    other = letters(text, fonts, rng)[:, : mask.shape[1] - 4]
    gap = int(rng.uniform(0.12, 0.4) * height)
    left = int(rng.integers(0, mask.shape[1] - other.shape[1]))
    if rng.random() < 0.5:
        rows = max(PAD - gap, 0)
        part = other[-rows:] if rows else other[:0]
        mask[: part.shape[0], left : left + other.shape[1]] = part
        if rows > part.shape[0]:  # keep it next to the line
            mask[:rows] = np.roll(mask[:rows], rows - part.shape[0], axis=0)
    else:
        start = PAD + height + gap
        part = other[: max(mask.shape[0] - start, 0)]
        mask[start : start + part.shape[0], left : left + other.shape[1]] = part


def _widest_gap(ink: Float32) -> int | None:
    """Column in the middle of the widest stretch without ink between letters."""
    inked = np.flatnonzero(ink.max(axis=0) > 0.1)
    if len(inked) < 2:
        return None
    steps = np.diff(inked)
    before = int(steps.argmax())
    return int(inked[before] + steps[before] // 2) if steps[before] > 3 else None


def _add_score_between(mask: Float32, x: int, rng: np.random.Generator) -> None:
    """A score line between two texts, as in "9 | 3", as high as the letters or right across the pill."""
    height = mask.shape[0]
    reach = 0 if rng.random() < 0.7 else int(rng.uniform(0, PAD))
    top = (x + int(rng.normal(0, 2)), reach)
    cv2.line(
        mask, top, (x + int(rng.normal(0, 2)), height - reach), float(rng.uniform(0.5, 1)), int(rng.integers(2, 8))
    )


def _add_stroke(mask: Float32, rng: np.random.Generator) -> None:
    """A score line beside, above or across the letters, or the arc of a logo or rim beside them."""
    height, width = mask.shape
    thick = int(rng.integers(2, 7))
    kind = rng.random()
    if kind < 0.25:  # at one end
        x = int(rng.choice([rng.uniform(0, PAD * 0.8), width - rng.uniform(0, PAD * 0.8)]))
        cv2.line(mask, (x, 0), (x + int(rng.normal(0, 3)), height), float(rng.uniform(0.5, 1)), thick)
    elif kind < 0.47:  # between letters, or through one
        x = int(rng.uniform(PAD, width - PAD))
        cv2.line(mask, (x, 0), (x + int(rng.normal(0, 2)), height), float(rng.uniform(0.4, 1)), min(thick, 4))
    elif kind < 0.6:  # right through all letters
        y = int(rng.uniform(PAD, height - PAD))
        cv2.line(mask, (0, y), (width, y + int(rng.normal(0, 3))), float(rng.uniform(0.4, 1)), min(thick, 4))
    elif kind < 0.84:  # above or below
        y = int(rng.choice([rng.uniform(0, PAD * 0.6), height - rng.uniform(0, PAD * 0.6)]))
        cv2.line(mask, (0, y), (width, y + int(rng.normal(0, 3))), float(rng.uniform(0.5, 1)), thick)
    else:
        radius = int(rng.uniform(0.5, 3) * height)
        side = -1 if rng.random() < 0.5 else 1
        x = width // 2 + side * (width // 2 + radius - int(rng.uniform(2, PAD * 0.9)))
        cv2.circle(mask, (x, height // 2), radius, float(rng.uniform(0.5, 1)), thick)


def _bend(mask: Float32, box: tuple[int, int, int, int], rng: np.random.Generator) -> tuple[Float32, Float32]:
    """Turn a little, shear, and lay along an arc. Returns the mask and the corners (4, 2) of the box, moved too."""
    height, width = mask.shape
    angle = float(rng.normal(0, 3.5))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    matrix[0, 1] += float(rng.normal(0, 0.08))
    sag = float(rng.normal(0, 0.02)) if rng.random() < 0.7 else float(rng.uniform(-0.14, 0.14))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    arc = sag * ((x - width / 2) ** 2 / max(width / 2, 1) - width / 6)
    inverse = cv2.invertAffineTransform(matrix)
    map_x = inverse[0, 0] * x + inverse[0, 1] * (y + arc) + inverse[0, 2]
    map_y = inverse[1, 0] * x + inverse[1, 1] * (y + arc) + inverse[1, 2]
    bent = cv2.remap(mask, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR)
    x1, y1, x2, y2 = box
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
    return bent, (corners @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def shade(mask: Float32, rng: np.random.Generator) -> Float32:
    """Lightness around 0, of letters that are pressed, raised or printed, in a photo of some sharpness."""
    kind = rng.random()
    if kind < 0.28:  # ink
        shade = mask * float(rng.choice([-1.0, -1.0, 0.8]))
    else:
        slope = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.8, 3.0)))
        azimuth = float(rng.uniform(0, 2 * np.pi))
        lit = np.cos(azimuth) * cv2.Sobel(slope, cv2.CV_32F, 1, 0) + np.sin(azimuth) * cv2.Sobel(
            slope, cv2.CV_32F, 0, 1
        )
        lit = lit / max(float(np.abs(lit).max()), 1e-3)
        shade = lit * float(rng.uniform(0.5, 1.0)) - mask * float(rng.uniform(-0.15, 0.7))
        if rng.random() < 0.25:  # powder or a gloss in the hollow
            shade = shade + cv2.GaussianBlur(mask, (0, 0), 1.5) * float(rng.uniform(0.1, 0.6))
    height, width = mask.shape
    loss = float(rng.choice([1.0, 1.0, rng.uniform(1.5, 2.4), rng.uniform(2.4, 4.0)]))  # pixels of the photo per px
    if loss > 1.2:
        small = cv2.resize(
            shade, (max(round(width / loss), 4), max(round(height / loss), 4)), interpolation=cv2.INTER_AREA
        )
        shade = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    else:
        shade = cv2.GaussianBlur(shade, (0, 0), float(rng.uniform(0.3, 1.3)))
    scale = float(shade.std()) + 0.02
    grain = float(np.exp(rng.uniform(np.log(0.05), np.log(0.8)))) * scale
    coarse = float(rng.uniform(0.8, 2.5))
    noise = cv2.GaussianBlur(rng.standard_normal((height, width), dtype=np.float32), (0, 0), coarse)
    shade = shade + noise / max(float(noise.std()), 1e-6) * grain
    if rng.random() < 0.2:  # specks
        specks = cv2.GaussianBlur(rng.standard_normal((height, width), dtype=np.float32), (0, 0), 1.6) > 0.5
        shade = shade + specks * float(rng.uniform(-2, 1)) * scale
    across = np.linspace(-1, 1, width, dtype=np.float32)[None] * float(rng.normal(0, 0.3))
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * float(rng.normal(0, 0.3))
    return np.asarray(shade + (across + down) * scale, np.float32)


def relief_of(lightness: Float32, rng: np.random.Generator) -> Float32:
    """As `runners.ocr_relief` would show it: local mean 128, local deviation even."""
    reach = float(rng.uniform(16, 30))
    detail = lightness - cv2.GaussianBlur(lightness, (0, 0), reach)
    contrast = float(detail.std()) * float(np.exp(rng.uniform(-0.4, 0.5))) + 1e-3
    return np.asarray(np.clip(128 + np.clip(detail / contrast, -4, 4) * 25, 0, 255), np.float32)


def _as_found(image: Float32, corners: Float32, rng: np.random.Generator) -> UInt8:
    """Cut as a detector would cut it: a little more or less than the letters."""
    x1, y1 = corners.min(axis=0)
    x2, y2 = corners.max(axis=0)
    tall = float(y2 - y1)
    edges = [float(e) for e in rng.gamma(2.0, 0.11, 4).clip(0.0, 0.7) * tall]
    left, right = max(int(x1 - edges[0]), 0), min(int(x2 + edges[1]), image.shape[1])
    top, bottom = max(int(y1 - edges[2]), 0), min(int(y2 + edges[3]), image.shape[0])
    cut = image[top : max(bottom, top + 8), left : max(right, left + 8)]
    width = max(round(cut.shape[1] * HEIGHT / cut.shape[0]), 16)
    return (
        np.asarray(cv2.resize(cut, (width, HEIGHT), interpolation=cv2.INTER_LINEAR), np.float32)
        .clip(0, 255)
        .astype(np.uint8)
    )


def random_text(words: Sequence[str], rng: np.random.Generator) -> str:
    """A word of the catalogues, two of them, or letters and digits at random: many of them single ones, and many in
    two parts, because these are what a reader fails on most."""
    kind = rng.random()
    if kind < 0.5:
        return str(words[int(rng.integers(len(words)))])
    if kind < 0.6:
        return " ".join(str(words[int(rng.integers(len(words)))]) for _ in range(2))[:16]
    digits, letters = list("0123456789"), list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if kind < 0.73:  # what stands on both sides of a score line
        parts = ["".join(rng.choice(digits if rng.random() < 0.6 else letters, int(rng.integers(1, 4)))) for _ in "12"]
        return " ".join(parts)
    if kind < 0.81:
        return "".join(rng.choice(letters if rng.random() < 0.7 else digits, int(rng.choice([1, 1, 2]))))
    signs = digits if kind < 0.88 else letters if kind < 0.95 else letters + digits
    return "".join(rng.choice(signs, int(rng.integers(1, 6 if signs is letters else 7))))
