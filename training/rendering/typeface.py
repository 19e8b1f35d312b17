"""Letters to press into a pill: stroke fonts from OpenCV, outline fonts from Pillow and the system.

Stroke fonts (Hershey) look most like a routed punch tool and are always there, as is Pillow's own "aileron".
Others are found by file name where installed (Debian: fonts-dejavu-core, fonts-liberation, fonts-nanum).
"""

import functools
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

UInt8 = NDArray[np.uint8]

STROKE_FONTS = {
    "hershey": cv2.FONT_HERSHEY_SIMPLEX,
    "hershey-duplex": cv2.FONT_HERSHEY_DUPLEX,
    "hershey-serif": cv2.FONT_HERSHEY_COMPLEX,
}
BUILT_IN = (*STROKE_FONTS, "aileron")
SYSTEM_FONTS = (
    "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansCondensed.ttf", "DejaVuSansCondensed-Bold.ttf",
    "DejaVuSerif-Bold.ttf", "LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf", "LiberationSans-Italic.ttf",
    "LiberationSansNarrow-Bold.ttf", "LiberationSerif-Bold.ttf", "LiberationMono-Bold.ttf",
)  # fmt: skip
HANGUL_FONTS = ("NanumGothicBold.ttf", "NanumGothic.ttf", "NanumBarunGothicBold.ttf", "NanumSquareRoundB.ttf")

_BASE = 200  # px per em at which extents are measured


class Typeface(Protocol):
    """A way to draw one line of text. Lengths in em; one em is the font size."""

    def extent(self, text: str) -> tuple[float, float]:
        """Width and height of the ink, em."""

    def draw(self, text: str, em: float) -> UInt8:
        """The ink of the line, cropped: (h, w) uint8, 255 = ink, at `em` px per em."""


class StrokeTypeface:
    """Hershey letters drawn with a round pen, as a routing tool cuts them. ASCII only."""

    _CAP = 21.0  # height of a capital in Hershey units
    _CAP_EM = 0.72

    def __init__(self, name: str, weight: float = 0.11) -> None:
        self._font, self._weight = STROKE_FONTS[name], weight

    def extent(self, text: str) -> tuple[float, float]:
        height, width = self.draw(text, _BASE).shape
        return width / _BASE, height / _BASE

    def draw(self, text: str, em: float) -> UInt8:
        scale, pen = em * self._CAP_EM / self._CAP, max(1, round(em * self._weight))
        (width, height), below = cv2.getTextSize(text, self._font, scale, pen)
        canvas = np.zeros((height + below + 4 * pen, width + 4 * pen), dtype=np.uint8)
        cv2.putText(canvas, text, (2 * pen, height + 2 * pen), self._font, scale, 255, pen, cv2.LINE_AA)
        return _crop(canvas)


class OutlineTypeface:
    """Letters of a TrueType font."""

    def __init__(self, name: str) -> None:
        self._name = name

    def extent(self, text: str) -> tuple[float, float]:
        left, top, right, bottom = _truetype(self._name, _BASE).getbbox(text)
        return (right - left) / _BASE, (bottom - top) / _BASE

    def draw(self, text: str, em: float) -> UInt8:
        font = _truetype(self._name, max(4, round(em)))
        left, top, right, bottom = (int(v) for v in font.getbbox(text))
        image = Image.new("L", (max(1, right - left), max(1, bottom - top)))
        ImageDraw.Draw(image).text((-left, -top), text, fill=255, font=font)
        return np.asarray(image)


@functools.lru_cache(maxsize=256)
def _truetype(name: str, size: int) -> ImageFont.FreeTypeFont:
    if name == "aileron":
        return ImageFont.load_default(size)  # type: ignore[return-value]  # FreeType is in every Pillow wheel
    return ImageFont.truetype(name, size)


@functools.cache
def installed(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `names` that Pillow finds among the system's fonts."""
    found = []
    for name in names:
        try:
            _truetype(name, 16)
        except OSError:
            continue
        found.append(name)
    return tuple(found)


def latin_fonts() -> tuple[str, ...]:
    """Every font on this machine for Latin letters and digits; never empty."""
    return BUILT_IN + installed(SYSTEM_FONTS)


def has_hangul(text: str) -> bool:
    return any("\u1100" <= c <= "\u11ff" or "\u3130" <= c <= "\u318f" or "\uac00" <= c <= "\ud7a3" for c in text)


def drawable(text: str) -> str:
    """`text` without what this machine cannot draw: Hangul where no Hangul font is, anything else beyond Latin-1."""
    hangul = bool(installed(HANGUL_FONTS))
    kept = (c for c in text if c.isascii() or (hangul and has_hangul(c)))
    return " ".join("".join(kept).split())


def typeface_for(text: str, preferred: str) -> Typeface:
    """The preferred font, or a Hangul one where `text` needs it. `text` must be `drawable`."""
    if has_hangul(text):
        return OutlineTypeface(installed(HANGUL_FONTS)[0])
    return StrokeTypeface(preferred) if preferred in STROKE_FONTS else OutlineTypeface(preferred)


def _crop(canvas: UInt8) -> UInt8:
    x, y, width, height = cv2.boundingRect(canvas)
    return canvas[y : y + max(1, height), x : x + max(1, width)]
