"""How one physical pill looks, drawn at random within what its catalogue row says.

A row says "round, white, TEVA / 7270"; a photo also has a font, a depth, a dome, a coat. `look_of` draws those once per
pill, so that its two sides and all its views belong together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from pipeline.imprint_text import NON_TEXT
from pipeline.schemas import CatalogItem
from training.rendering.outline import OTHER_OUTLINES
from training.rendering.typeface import drawable, latin_fonts

Rgb = tuple[float, float, float]
Area = Literal["whole", "left", "right", "top", "bottom", "top left", "top right", "bottom left", "bottom right"]
Style = Literal["pressed", "raised", "printed"]

COLOR_RGB: dict[str, Rgb] = {
    "white": (0.87, 0.87, 0.86),
    "yellow": (0.91, 0.81, 0.42),
    "orange": (0.90, 0.56, 0.27),
    "pink": (0.88, 0.66, 0.67),
    "red": (0.70, 0.20, 0.19),
    "brown": (0.53, 0.34, 0.22),
    "light green": (0.76, 0.83, 0.60),
    "green": (0.36, 0.60, 0.35),
    "teal": (0.30, 0.64, 0.62),
    "blue": (0.40, 0.60, 0.79),
    "navy": (0.15, 0.21, 0.46),
    "magenta": (0.72, 0.22, 0.45),
    "purple": (0.55, 0.40, 0.66),
    "gray": (0.58, 0.58, 0.59),
    "black": (0.15, 0.15, 0.16),
    "transparent": (0.86, 0.80, 0.64),
}
"""sRGB in [0, 1] in the middle of each colour of `pipeline.vocabulary.COLORS`, judged by eye on reference photos."""

_INKS: tuple[Rgb, ...] = ((0.10, 0.10, 0.11), (0.10, 0.10, 0.11), (0.14, 0.20, 0.45), (0.45, 0.12, 0.12))
_PALE_INK: Rgb = (0.90, 0.90, 0.88)
# short by long axis: the range that most pills of a shape fall in
_RATIOS: dict[str, tuple[float, float]] = {
    "round": (1.0, 1.0), "oval": (0.52, 0.72), "oblong": (0.36, 0.5), "semicircle": (0.52, 0.62),
    "triangle": (0.88, 0.95), "square": (1.0, 1.0), "diamond": (0.62, 0.85), "pentagon": (0.93, 0.97),
    "hexagon": (0.6, 0.9), "octagon": (0.7, 1.0), "other": (0.7, 0.95),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of text that belong to one part of a face."""

    lines: tuple[str, ...]
    area: Area = "whole"


@dataclass(frozen=True, slots=True)
class Face:
    """One side: its imprint and its score line ("none", "line" or "cross"; a line may run "across" or "along")."""

    blocks: tuple[Block, ...] = ()
    score_line: str = "none"
    score_along: bool = False  # True: the line follows the long axis


@dataclass(frozen=True, slots=True)
class PillLook:
    """Everything that does not change from view to view.

    `colors`: one or two sRGB triples in [0, 1]; `split` says where a second one is. `ratio`: short by long axis.
    `depth` (of the imprint), `weight` (of a stroke), `tracking` (space between letters): em of the imprint.
    `letter_size`: share of the largest size that fits. `dome`, `bevel`: half long axes.
    `gloss`, `speckle`, `grain`, `translucency`: [0, 1].
    """

    shape: str
    form: str
    colors: tuple[Rgb, ...]
    front: Face
    back: Face
    ratio: float
    style: Style = "pressed"
    ink: Rgb = _INKS[0]
    font: str = "aileron"
    other_outline: str = "heart"
    split: Literal["halves", "faces", "speckle"] = "halves"
    weight: float = 0.1
    tracking: float = 0.05
    letter_size: float = 0.9
    depth: float = 0.06
    dome: float = 0.22
    bevel: float = 0.05
    gloss: float = 0.3
    speckle: float = 0.1
    grain: float = 0.3
    translucency: float = 0.0
    rim_text: bool = False


def look_of(item: CatalogItem, rng: np.random.Generator, fonts: Sequence[str] | None = None) -> PillLook:
    """A pill as `item` describes it. What the row leaves open is drawn from `rng`.

    Args:
        item: a catalogue row; unknown shape, form or colour become round, tablet and white.
        fonts: names of `typeface.latin_fonts()` to choose from; give `typeface.BUILT_IN` for the same picture on
            every machine.
    """
    form = item.form or "tablet"
    shape = item.shape or "round"
    if form == "hard capsule":
        shape = "oblong"
    ratio = _ratio(item, shape, form, rng)
    colors = tuple(_tinted(COLOR_RGB[name], rng) for name in (item.colors or ["white"])[:2])
    style = _style(form, rng)
    texts = (_letters(item.imprint_front), _letters(item.imprint_back))
    scored = _scored_side(item.score_line, texts, rng)
    along = bool(rng.random() < 0.5) and ratio > 0.8
    faces = []
    for side, text in enumerate(texts):
        score_line = (item.score_line or "none") if side == scored and form == "tablet" else "none"
        areas = _areas(len(text.split()), form, score_line, along, rng)
        faces.append(Face(_blocks(text, areas, ratio), score_line, along))
    coated = form != "tablet" or rng.random() < 0.55
    return PillLook(
        shape=shape,
        form=form,
        colors=colors,
        front=faces[0],
        back=faces[1],
        ratio=ratio,
        style=style,
        ink=_ink(colors, rng),
        font=str(rng.choice(list(fonts or latin_fonts()))),
        other_outline=str(rng.choice(OTHER_OUTLINES)),
        split="halves" if form == "hard capsule" else str(rng.choice(["halves", "faces", "speckle"])),  # type: ignore[arg-type]
        weight=float(rng.uniform(0.07, 0.13)),
        tracking=float(rng.choice([0.0, rng.uniform(0.0, 0.22)])),
        letter_size=float(rng.uniform(0.65, 1.0)),
        depth=float(rng.uniform(0.035, 0.085)),
        dome=float(rng.choice([rng.uniform(0.02, 0.08), rng.uniform(0.12, 0.3)])),
        bevel=float(rng.uniform(0.02, 0.09)),
        gloss=float(rng.uniform(0.25, 0.75) if coated else rng.uniform(0.0, 0.2)),
        speckle=float(rng.uniform(0.0, 0.12) if coated else rng.choice([0.08, 0.2, rng.uniform(0.3, 0.8)])),
        grain=float(rng.uniform(0.1, 0.5) if coated else rng.uniform(0.3, 0.9)),
        translucency=_translucency(item, form, rng),
        rim_text=shape == "round" and form == "tablet" and bool(rng.random() < 0.05),
    )


def _letters(imprint: str | None) -> str:
    """What of a catalogue's imprint is letters on the pill and can be drawn here."""
    text = imprint or ""
    for word in NON_TEXT:
        text = text.replace(word, " ")
    return drawable(text)


def _ratio(item: CatalogItem, shape: str, form: str, rng: np.random.Generator) -> float:
    if shape in ("round", "square"):
        return 1.0
    if item.length_mm and item.width_mm:
        low, high = sorted((item.length_mm, item.width_mm))
        if low > 0 and low / high >= 0.25:
            return low / high
    low, high = (0.33, 0.42) if form == "hard capsule" else _RATIOS[shape]
    return float(rng.uniform(low, high))


def _tinted(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """The colour a little off, as pills of one colour name are: hue +-6 degrees, saturation and value +-10 %."""
    pixel = np.asarray(rgb, dtype=np.float32).reshape(1, 1, 3)
    hue, saturation, value = cv2.cvtColor(pixel, cv2.COLOR_RGB2HSV)[0, 0]
    hue = (hue + rng.uniform(-6, 6)) % 360
    saturation = np.clip(saturation * rng.uniform(0.9, 1.1), 0, 1)
    value = np.clip(value * rng.uniform(0.93, 1.05), 0, 0.95)
    tinted = cv2.cvtColor(np.array([[[hue, saturation, value]]], dtype=np.float32), cv2.COLOR_HSV2RGB)[0, 0]
    return (float(tinted[0]), float(tinted[1]), float(tinted[2]))


def _style(form: str, rng: np.random.Generator) -> Style:
    if form != "tablet":
        return "printed"
    return str(rng.choice(["pressed", "raised", "printed"], p=[0.84, 0.04, 0.12]))  # type: ignore[return-value]


def _ink(colors: tuple[Rgb, ...], rng: np.random.Generator) -> Rgb:
    if min(sum(c) / 3 for c in colors) < 0.33:
        return _PALE_INK
    return _INKS[int(rng.integers(len(_INKS)))]


def _translucency(item: CatalogItem, form: str, rng: np.random.Generator) -> float:
    if "transparent" in item.colors:
        return float(rng.uniform(0.6, 0.95))
    return float(rng.uniform(0.2, 0.7)) if form == "soft capsule" else 0.0


def _scored_side(score_line: str | None, texts: tuple[str, str], rng: np.random.Generator) -> int | None:
    """0 front, 1 back. Score lines are mostly on the emptier side; the catalogue does not say."""
    if score_line in (None, "none"):
        return None
    emptier = 0 if len(texts[0]) < len(texts[1]) else 1
    return emptier if rng.random() < 0.6 else 1 - emptier


def _areas(words: int, form: str, score_line: str, along: bool, rng: np.random.Generator) -> tuple[Area, ...]:
    """The parts of a face that an imprint is spread over: beside its score line, or over the halves of a capsule."""
    if form == "hard capsule":
        if words == 1 or rng.random() < 0.3:
            return ("left",) if rng.random() < 0.5 else ("right",)
        return ("left", "right")
    if score_line == "cross":
        return ("top left", "top right", "bottom left", "bottom right")
    if score_line == "line":
        return ("top", "bottom") if along else ("left", "right")
    return ("whole",)


def _blocks(text: str, areas: tuple[Area, ...], ratio: float) -> tuple[Block, ...]:
    """The words of `text` dealt out over `areas`, in order; slender pills keep theirs on one line where that fits."""
    if not text:
        return ()
    if areas == ("whole",) and ratio < 0.62 and len(text) <= 14:
        return (Block((text,)),)
    most = 3 if len(areas) == 1 and ratio >= 0.62 else 2
    parts = np.array_split(np.array(text.split(), dtype=object), len(areas))
    return tuple(Block(_stacked(list(part), most), area) for part, area in zip(parts, areas, strict=True) if len(part))


def _stacked(words: list[str], lines: int) -> tuple[str, ...]:
    """Words in at most `lines` lines, as even as their order allows."""
    if len(words) <= lines:
        return tuple(words)
    return tuple(" ".join(map(str, part)) for part in np.array_split(np.array(words, dtype=object), lines))
