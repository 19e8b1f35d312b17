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


class Typeface(Protocol):
    """A way to draw one line of text. One em is the font size."""

    def draw(self, text: str, em: float, tracking: float) -> UInt8:
        """The ink of the line, cropped: (h, w) uint8, 255 = ink.

        `em`: px per em; `tracking`: extra space after each letter, em.
        """


class StrokeTypeface:
    """Hershey letters drawn with a round pen, as a routing tool cuts them. ASCII only."""

    _CAP = 21.0  # height of a capital in Hershey units
    _CAP_EM = 0.72  # the same in em, as in common outline fonts

    def __init__(self, name: str, weight: float) -> None:
        """`weight`: width of the pen, em."""
        self._font, self._weight = STROKE_FONTS[name], weight

    def draw(self, text: str, em: float, tracking: float) -> UInt8:
        scale, pen = em * self._CAP_EM / self._CAP, max(1, round(em * self._weight))
        # getTextSize counts the pen once per call: measured with pen 1, letters of a line keep their own pitch
        advances = [cv2.getTextSize(letter, self._font, scale, 1)[0][0] + tracking * em for letter in text]
        canvas = np.zeros((round(1.6 * em) + 4 * pen, round(sum(advances) + em) + 4 * pen), dtype=np.uint8)
        x = em / 4 + 2 * pen
        for letter, advance in zip(text, advances, strict=True):
            at = (round(x), round(1.1 * em) + 2 * pen)
            cv2.putText(canvas, letter, at, self._font, scale, 255, pen, cv2.LINE_AA)
            x += advance
        return _crop(canvas)


class OutlineTypeface:
    """Letters of a TrueType font, named by file, or "aileron"."""

    def __init__(self, name: str) -> None:
        self._name = name

    def draw(self, text: str, em: float, tracking: float) -> UInt8:
        font = _truetype(self._name, max(4, round(em)))
        advances = [font.getlength(letter) + tracking * em for letter in text]
        image = Image.new("L", (round(sum(advances) + em), round(2 * em)))
        pencil, x = ImageDraw.Draw(image), em / 2
        for letter, advance in zip(text, advances, strict=True):
            pencil.text((x, em / 3), letter, fill=255, font=font)
            x += advance
        return _crop(np.asarray(image))


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
    """`text` without what this machine cannot draw: Hangul where no Hangul font is, anything else beyond ASCII."""
    hangul = bool(installed(HANGUL_FONTS))
    kept = (c for c in text if (c.isascii() and c.isprintable()) or (hangul and has_hangul(c)))
    return " ".join("".join(kept).split())


def typeface_for(text: str, preferred: str, weight: float) -> Typeface:
    """The preferred font, or a Hangul one where `text` needs it. `text` must be `drawable`.

    A font that is none of `latin_fonts()` was named because it has Hangul.
    """
    if has_hangul(text):
        return OutlineTypeface(installed(HANGUL_FONTS)[0] if preferred in BUILT_IN + SYSTEM_FONTS else preferred)
    return StrokeTypeface(preferred, weight) if preferred in STROKE_FONTS else OutlineTypeface(preferred)


def _crop(canvas: UInt8) -> UInt8:
    x, y, width, height = cv2.boundingRect(canvas)
    return canvas[y : y + max(1, height), x : x + max(1, width)]
