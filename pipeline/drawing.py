"""A drawing of a pill, made from its catalogue row: both sides, for items that have no photo to show.

Plain SVG: no scripts, no styles, nothing fetched; whatever stands in a catalogue is escaped.
"""

import html
import re
import zlib
from typing import Final, Literal

from pipeline.drawing_outline import TYPICAL_RATIO, Outline, outline_of
from pipeline.drawing_text import Line, Space, fit, shrunk
from pipeline.schemas import CatalogItem

WIDTH: Final = 440
HEIGHT: Final = 264
_PANEL: Final = 210  # side of the square a pill is drawn in
_HALF: Final = 88.0  # half of the longer axis, px
_MIDDLE_Y: Final = 104.0

_FILL: Final = {
    "white": "#fbfbf8", "yellow": "#f6d94c", "orange": "#f09a3e", "pink": "#f4b3bd", "red": "#cf3a38",
    "brown": "#8a5a3b", "light green": "#c5dc8f", "green": "#4e9a55", "teal": "#3fa7a0", "blue": "#5b9bd5",
    "navy": "#27366f", "magenta": "#b8336a", "purple": "#8b62a8", "gray": "#9a9da1", "black": "#2b2b2e",
    "transparent": "#efe6cc",
}  # fmt: skip
_UNKNOWN_FILL: Final = "#dfe3e8"
_PAPER, _INK = "#e9edf1", "#1f2a37"
_FONT: Final = "Helvetica, Arial, 'Noto Sans KR', 'Malgun Gothic', sans-serif"
Language = Literal["en", "ko"]
_CAPTIONS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "front": "front", "back": "back", "one": "one side", "other": "other side",
        "either": "one or both sides", "unknown": "imprint unknown",
        "blank": "blank", "read": "as read from its photo",
    },
    "ko": {
        "front": "앞면", "back": "뒷면", "one": "한쪽 면", "other": "다른 쪽 면",
        "either": "한쪽 또는 양쪽 면", "unknown": "글자 정보 없음",
        "blank": "글자 없음", "read": "사진에서 읽음",
    },
}  # fmt: skip
_SCORE_WORDS: Final = re.compile("십자분할선|분할선")
"""How the Korean list writes a score line, cross-shaped or plain, between the letters it divides."""
_LOGO_WORDS: Final = re.compile("마크|로고")
_LOGO: Final = " ◇ "
# characters that XML 1.0 does not allow, section 2.2
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def draw_item(item: CatalogItem, language: Language = "en") -> str:
    """Both sides of an item side by side, as one SVG document of WIDTH x HEIGHT px.

    `language`: of the captions under the sides.

    What the catalogue does not say is drawn as unknown: a dashed outline for the shape, grey for the colour, a question
    mark for the imprint. A row whose one imprint may be spread over both sides is drawn once, with all of it: a second
    side with a question mark would say that there is more to read.
    """
    prefix = f"p{zlib.crc32(item.item_id.encode()):08x}"  # several drawings may stand in one page
    pill = _Pill(item, prefix)
    words = _CAPTIONS[language]
    front, back = (words["front"], words["back"]) if item.sides_known else (words["one"], words["other"])
    sides = list(zip((front, back), (item.imprint_front, item.imprint_back), _score_lines(item), (5, 225), strict=True))
    if _undivided(item):
        sides = [(words["either"], item.imprint_front, _score_lines(item)[0], (WIDTH - _PANEL) // 2)]
    panels = "".join(
        _tag("g", pill.side(imprint, score_line) + _caption(name, imprint, item, words), transform=f"translate({x} 0)")
        for name, imprint, score_line, x in sides
    )
    return _tag(
        "svg",
        _tag("title", _text(item.name), id=f"{prefix}t")
        + _tag("desc", _text(_description(item)), id=f"{prefix}d")
        + pill.definitions()
        + _tag("rect", width=WIDTH, height=HEIGHT, rx=14, fill=_PAPER)  # captions too are read on it, on any page
        + panels,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        role="img",
        aria_labelledby=f"{prefix}t {prefix}d",
    )


def _undivided(item: CatalogItem) -> bool:
    """The row has one imprint, which may be spread over both sides."""
    return not item.sides_known and bool(item.imprint_front) and item.imprint_back is None


def _written_score_line(imprint: str | None) -> str:
    words = _SCORE_WORDS.findall(imprint or "")
    return "none" if not words else "cross" if "십자분할선" in words else "line"


def _score_lines(item: CatalogItem) -> tuple[str, str]:
    """Score line of front and back: where an imprint mentions it, else on the front, as the row does not say."""
    written = (_written_score_line(item.imprint_front), _written_score_line(item.imprint_back))
    return (item.score_line or "none", "none") if written == ("none", "none") else written


def _description(item: CatalogItem) -> str:
    look = " ".join([" and ".join(item.colors) or "colour not stated", item.shape or "shape not stated"])
    form = item.form or "form not stated"

    def side(name: str, imprint: str | None) -> str:
        said = "not stated" if imprint is None else f"“{imprint}”" if imprint else "blank"
        return f"{name}: {said}"

    names = ("front", "back") if item.sides_known else ("one side", "other side")
    parts = [f"Drawing of a {look} {form}"]
    if _undivided(item):
        parts.append(side("on one or both sides", item.imprint_front))
    else:
        parts += [side(names[0], item.imprint_front), side(names[1], item.imprint_back)]
    if item.score_line not in (None, "none"):
        stated = any(_written_score_line(imprint) != "none" for imprint in (item.imprint_front, item.imprint_back))
        parts.append(f"score line: {item.score_line}{'' if stated else ' (side not stated)'}")
    if item.length_mm and item.width_mm:
        parts.append(f"{item.length_mm:g} by {item.width_mm:g} mm")
    return ". ".join(parts) + "."


def _caption(side: str, imprint: str | None, item: CatalogItem, words: dict[str, str]) -> str:
    note = words["unknown"] if imprint is None else words["blank"] if imprint == "" else ""
    if imprint and item.imprint_source == "read":
        note = words["read"]
    lines = [(side, 229, 20), (note, 252, 17)] if note else [(side, 229, 20)]
    return "".join(
        _tag("text", _text(text), x=_PANEL / 2, y=y, text_anchor="middle", font_family=_FONT, font_size=size, fill=_INK)
        for text, y, size in lines
    )


class _Pill:
    """One item, ready to be drawn side by side in panels of `_PANEL` px."""

    def __init__(self, item: CatalogItem, prefix: str) -> None:
        self.prefix, self.form = prefix, item.form or "tablet"
        self.capsule = self.form == "hard capsule"
        shape = "oblong" if self.capsule else item.shape
        self.guessed = shape in (None, "other")
        half_height = _HALF * _ratio(item, shape)
        self.half_width = _HALF if half_height < 0.8 * _HALF else 0.88 * _HALF  # compact pills look larger
        half_height *= self.half_width / _HALF
        self.outline: Outline = outline_of(shape or "other", self.half_width, half_height)
        self.fills = [_FILL.get(color, _UNKNOWN_FILL) for color in item.colors[:3]] or [_UNKNOWN_FILL]
        self.clear = "transparent" in item.colors

    def definitions(self) -> str:
        """Paint, light and the clip of this pill."""
        stops = ""
        for i, fill in enumerate(self.fills):
            for edge in (i, i + 1):
                stops += _tag("stop", offset=f"{100 * edge / len(self.fills):.1f}%", stop_color=fill)
        paint = _tag("linearGradient", stops, id=f"{self.prefix}c")
        round_body = self.form != "tablet"
        light = _tag("stop", offset="0%", stop_color="#fff", stop_opacity=0.55 if round_body else 0.4)
        light += _tag("stop", offset="45%", stop_color="#fff", stop_opacity=0)
        light += _tag("stop", offset="70%", stop_color="#000", stop_opacity=0)
        light += _tag("stop", offset="100%", stop_color="#000", stop_opacity=0.34 if round_body else 0.16)
        if round_body:
            shade = _tag("linearGradient", light, id=f"{self.prefix}l", x1=0, y1=0, x2=0, y2=1)
        else:
            shade = _tag("radialGradient", light, id=f"{self.prefix}l", cx="38%", cy="30%", r="85%")
        clip = _tag("clipPath", _tag("path", d=self.outline.path), id=f"{self.prefix}o")
        return _tag("defs", paint + shade + clip)

    def side(self, imprint: str | None, score_line: str) -> str:
        """One panel: the pill with what stands on this side."""
        body = _tag("path", d=self.outline.path, fill=f"url(#{self.prefix}c)", fill_opacity=0.62 if self.clear else 1)
        body += _tag("path", d=self.outline.path, fill=f"url(#{self.prefix}l)")
        if self.capsule:
            body += self._seam()
        elif self.form == "soft capsule":
            body += self._gleam()
        score_line = score_line if self.form == "tablet" else "none"
        body += self._score(score_line)
        edge = {"stroke_dasharray": "5 4"} if self.guessed else {}
        body += _tag("path", d=self.outline.path, fill="none", stroke="#5b6673", stroke_width=1.4, **edge)
        text, share = ("?", 0.55) if imprint is None else (imprint, 1.0)
        body += self._letters(_LOGO_WORDS.sub(_LOGO, _NOT_XML.sub("", text)), score_line, share)
        return _tag("g", body, transform=f"translate({_PANEL / 2:g} {_MIDDLE_Y:g})")

    def _seam(self) -> str:
        """Where the cap of a hard capsule ends, with the light on its rim."""
        b = self.outline.half_height
        rim = _tag("rect", x=-1, y=-b, width=2, height=2 * b, fill="#000", fill_opacity=0.32)
        rim += _tag("rect", x=-3.5, y=-b, width=2.5, height=2 * b, fill="#fff", fill_opacity=0.35)
        return _tag("g", rim, clip_path=f"url(#{self.prefix}o)")

    def _gleam(self) -> str:
        """The lamp in the shell of a soft capsule."""
        a, b = self.half_width, self.outline.half_height
        return _tag("ellipse", cx=-0.3 * a, cy=-0.5 * b, rx=0.34 * a, ry=0.15 * b, fill="#fff", fill_opacity=0.6)

    def _score(self, score_line: str) -> str:
        if score_line == "none":
            return ""
        a, b = self.half_width, self.outline.half_height
        level, upright = f"M{-a:.1f} 0H{a:.1f}", f"M0 {-b:.1f}V{b:.1f}"
        path = level + upright if score_line == "cross" else upright if self._slender() else level
        cut = _tag("path", d=path, stroke="#000", stroke_opacity=0.42, stroke_width=2.4)
        light = _tag(
            "path", d=path, stroke="#fff", stroke_opacity=0.6, stroke_width=1.2, transform="translate(1.6 1.6)"
        )
        return _tag("g", cut + light, fill="none", clip_path=f"url(#{self.prefix}o)")

    def _slender(self) -> bool:
        return self.outline.half_height < 0.8 * self.half_width

    def _letters(self, text: str, score_line: str, opacity: float) -> str:
        drawn = ""
        parts = [(fit(" ".join(words), space), space) for words, space in self._spaces(text, score_line)]
        smallest = min((line.size for lines, _ in parts for line in lines), default=0.0)
        for lines, space in parts:
            fill = self._ink_at((space.left + space.right) / 2)
            for line in lines if len(parts) == 1 else shrunk(lines, smallest):
                drawn += _letters_of(line, fill)
        return (
            _tag("g", drawn, font_family=_FONT, font_weight=600, text_anchor="middle", opacity=opacity) if drawn else ""
        )

    def _spaces(self, text: str, score_line: str) -> list[tuple[list[str], Space]]:
        """Which words go where: on the halves of a capsule, on both sides of a score line, or all in the middle."""
        a, b, gap = self.half_width, self.outline.half_height, 5.0
        middle = self.outline.centre_y
        reach = b - abs(middle)
        whole = Space(self.outline, -a, a, middle - reach, middle + reach)
        left, right = Space(self.outline, -0.86 * a, -gap, -b, b), Space(self.outline, gap, 0.86 * a, -b, b)
        upper, lower = Space(self.outline, -a, a, -b, -gap), Space(self.outline, -a, a, gap, b)
        before, *after = _SCORE_WORDS.split(text)
        words = " ".join([before, *after]).split()
        first, second = words[: (len(words) + 1) // 2], words[(len(words) + 1) // 2 :]
        if after:  # the catalogue says what stands on which side of the line
            first, second = before.split(), " ".join(after).split()
        if score_line != "none" or (self.capsule and len(words) > 1):
            halves = (left, right) if self._slender() else (upper, lower)
            return [(first, halves[0]), (second, halves[1])]
        return [(words, left if self.capsule and words else whole)]

    def _ink_at(self, x: float) -> str:
        """Dark letters on pale pills, pale ones on dark pills: whichever contrasts more (WCAG 2 contrast ratio)."""
        share = (x / self.half_width + 1) / 2
        behind = {self.fills[min(int(share * len(self.fills)), len(self.fills) - 1)]}
        if x == 0 and len(self.fills) % 2 == 0:
            behind = set(self.fills)  # the text lies across the border of two colours
        darkest = min(_luminance(fill) for fill in behind)
        return _INK if (darkest + 0.05) / 0.07 > 1.05 / (darkest + 0.05) else "#ffffff"


def _letters_of(line: Line, fill: str) -> str:
    squeeze: dict[str, str | float] = (
        {} if line.width is None else {"textLength": line.width, "lengthAdjust": "spacingAndGlyphs"}
    )
    return _tag(
        "text", _text(line.text), x=f"{line.x:.1f}", y=f"{line.y + 0.36 * line.size:.1f}", font_size=line.size,
        fill=fill, **squeeze,
    )  # fmt: skip


def _ratio(item: CatalogItem, shape: str | None) -> float:
    """Short by long axis: measured where the catalogue has both sizes, else typical of the shape."""
    if shape in ("round", "square"):
        return 1.0
    if item.length_mm and item.width_mm:
        short, long = sorted((item.length_mm, item.width_mm))
        if short > 0 and short / long >= 0.2:  # flatter is a slip in the catalogue
            return short / long
    return 0.38 if item.form == "hard capsule" else TYPICAL_RATIO.get(shape or "", 1.0)


def _luminance(fill: str) -> float:
    """Relative luminance of "#rrggbb", [0, 1] (WCAG 2.2)."""
    channels = (int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _text(text: str) -> str:
    """Text of a catalogue as XML content."""
    return html.escape(_NOT_XML.sub("", text))


def _tag(name: str, content: str = "", /, **attributes: str | float) -> str:
    """One element; `content` is XML already. Underscores in attribute names become hyphens."""
    written = "".join(f' {key.replace("_", "-")}="{html.escape(str(value))}"' for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"
