"""Drawn things that are not pills, for detectors that must leave them alone: coins, button cells, buttons, rings,
keys, beads, keypads, torn blisters, fingers, false nails, fruit, pens, crystals.

All from masks: a mask gets rounded edges and an engraving, its slope picks light from a random surrounding, as matcaps
of 3D sculpting tools do. That is enough for metal, glass, skin and plastic at the size at which they are mistaken.
"""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.appearance import turn

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Color = NDArray[np.floating]

METALS: Final = np.array([[196, 196, 200], [170, 168, 165], [212, 176, 92], [190, 150, 80], [184, 115, 80]], np.float64)
SKIN: Final = np.array([[222, 178, 152], [205, 155, 130], [232, 196, 176], [160, 112, 86], [112, 76, 58]], np.float64)


class Canvas:
    """A square picture of one thing in the making. `rgb`: (S, S, 3) float32 0..255; `alpha`: (S, S) uint8 0/255."""

    def __init__(self, side: int, rng: np.random.Generator) -> None:
        self.side, self.rng = side, rng
        self.rgb = np.zeros((side, side, 3), np.float32)
        self.alpha = np.zeros((side, side), np.uint8)
        self.lamp = rng.uniform(0, 2 * np.pi)
        surrounding = cv2.resize(rng.uniform(0, 1, (int(rng.integers(3, 8)),) * 2).astype(np.float32), (64, 64),
                                 interpolation=cv2.INTER_CUBIC)  # fmt: skip
        x, y = 32 + 16 * np.cos(self.lamp), 32 + 16 * np.sin(self.lamp)
        window = cv2.GaussianBlur(cv2.circle(np.zeros((64, 64), np.float32), (int(x), int(y)), 7, 1.0, -1), (0, 0), 2)
        self.surrounding = np.clip(surrounding * rng.uniform(0.5, 1) + window * rng.uniform(0.3, 1.2), 0, 1.6)

    def add(
        self, mask: UInt8, color: Color, *, edge: float, shine: float, engraved: Float32 | None = None,
        rough: float = 0.0,
    ) -> None:  # fmt: skip
        """Lay a part on top.

        Args:
            mask: (S, S) uint8, nonzero = the part.
            color: RGB 0..255.
            edge: radius of its rounded edge, px; half its width makes it round all over.
            shine: 0 = chalk, 1 = mirror.
            engraved: (S, S) in px of depth, negative = raised.
            rough: deviation of bumps, px.
        """
        inside = np.asarray(mask > 0, np.uint8)
        share = np.clip(cv2.distanceTransform(inside, cv2.DIST_L2, 3) / max(edge, 1.0), 0, 1)
        height = max(edge, 1.0) * np.sqrt(share * (2 - share))
        if engraved is not None:
            height = height - engraved
        if rough:
            height = (
                height + cv2.GaussianBlur(self.rng.standard_normal(mask.shape, np.float32), (0, 0), 1.5) * rough * 4
            )
        height = cv2.GaussianBlur(height.astype(np.float32), (0, 0), 0.8)
        dx, dy = cv2.Sobel(height, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(height, cv2.CV_32F, 0, 1) / 8
        length = np.sqrt(dx * dx + dy * dy + 1)
        nx, ny, nz = -dx / length, -dy / length, 1 / length
        mirrored = cv2.remap(self.surrounding, 31.5 + 31 * nx, 31.5 + 31 * ny, cv2.INTER_LINEAR)
        lit = 0.45 + 0.55 * np.clip(0.75 * nz + 0.66 * (nx * np.cos(self.lamp) + ny * np.sin(self.lamp)), 0, 1.2)
        whole = color * ((1 - shine) * lit + shine * 1.25 * mirrored)[..., None] + (60 * shine * mirrored**4)[..., None]
        self.rgb[inside > 0] = np.clip(whole, 0, 255)[inside > 0]
        self.alpha[inside > 0] = 255

    def disc(self, radius: float, x: float | None = None, y: float | None = None) -> UInt8:
        """A filled circle, in the middle unless said otherwise."""
        middle = (self.side / 2 if x is None else x, self.side / 2 if y is None else y)
        blank = np.zeros((self.side, self.side), np.uint8)
        return np.asarray(
            cv2.circle(blank, (round(middle[0] * 16), round(middle[1] * 16)), round(radius * 16), 255, -1, shift=4)
        )

    def ellipse(self, x: float, y: float, a: float, b: float, angle: float = 0.0) -> UInt8:
        """A filled ellipse with half axes `a`, `b`, turned by `angle` degrees."""
        blank = np.zeros((self.side, self.side), np.uint8)
        return np.asarray(cv2.ellipse(blank, ((x, y), (max(2 * a, 2), max(2 * b, 2)), angle), 255, -1))

    def bar(self, x1: float, y1: float, x2: float, y2: float, width: float) -> UInt8:
        """A thick line with round ends."""
        blank = np.zeros((self.side, self.side), np.uint8)
        return np.asarray(cv2.line(blank, (round(x1), round(y1)), (round(x2), round(y2)), 255, max(round(width), 1)))

    def box(self, x: float, y: float, w: float, h: float, corner: float) -> UInt8:
        """A filled rectangle with rounded corners."""
        inner = np.zeros((self.side, self.side), np.uint8)
        c = int(max(min(corner, w / 2 - 1, h / 2 - 1), 0))
        cv2.rectangle(inner, (int(x) + c, int(y) + c), (int(x + w) - c, int(y + h) - c), 255, -1)
        return np.asarray(cv2.dilate(inner, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * c + 1, 2 * c + 1))))

    def print(self, text: str, x: float, y: float, height: float, width: int = 1) -> Float32:
        """Ink of a line of text centred on (x, y), (S, S) float32 in [0, 1]."""
        ink = np.zeros((self.side, self.side), np.uint8)
        scale = height / 22
        (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, width)
        place = (int(x - w / 2), int(y + h / 2))
        cv2.putText(ink, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, width, cv2.LINE_AA)
        return ink.astype(np.float32) / 255

    def paint(self, ink: Float32, color: Color) -> None:
        """Flat colour where the ink is and the thing already is."""
        share = (ink * (self.alpha > 0))[..., None]
        self.rgb = np.asarray(self.rgb * (1 - share) + np.asarray(color, np.float32) * share, np.float32)


def _vivid(rng: np.random.Generator) -> Color:
    hsv = np.array([[[rng.integers(180), rng.integers(0, 230), rng.integers(40, 250)]]], np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0], np.float64)


def _metal(rng: np.random.Generator) -> Color:
    return np.asarray(METALS[rng.integers(len(METALS))] * rng.uniform(0.6, 1.1) + rng.normal(0, 6, 3))


def _digits(rng: np.random.Generator, most: int = 4) -> str:
    return "".join(rng.choice(list("0123456789ABCDEFGHKLMNRSTX"), rng.integers(1, most + 1)))


def coin(c: Canvas) -> None:
    """A raised rim, a number or a head in relief, at times two metals; a button cell is one with less on it."""
    rng, radius = c.rng, c.side * 0.47
    relief = np.zeros((c.side, c.side), np.float32)
    cv2.circle(relief, (c.side // 2,) * 2, int(radius * 0.93), 1.0, max(int(radius * 0.07), 1))
    if rng.random() < 0.8:
        relief += c.print(_digits(rng), c.side / 2, c.side * rng.uniform(0.35, 0.6), radius * rng.uniform(0.4, 0.9),
                          max(int(radius / 14), 1))  # fmt: skip
    if rng.random() < 0.6:  # a head
        noise = rng.standard_normal((c.side, c.side), np.float32)
        blob = cv2.GaussianBlur(noise, (0, 0), radius / 7)
        relief += (blob > 0) * c.disc(radius * 0.6).astype(np.float32) / 255 * 0.8
    if rng.random() < 0.6:  # letters around
        for angle in np.arange(0, 2 * np.pi, 2 * np.pi / rng.integers(12, 26)):
            x, y = c.side / 2 + radius * 0.76 * np.cos(angle), c.side / 2 + radius * 0.76 * np.sin(angle)
            relief += c.print(_digits(rng, 1), x, y, radius * 0.14)
    color, depth = _metal(rng), radius * rng.uniform(0.01, 0.06)
    c.add(c.disc(radius), color, edge=radius * 0.06, shine=rng.uniform(0.3, 0.85), engraved=-relief * depth,
          rough=rng.uniform(0, 0.3))  # fmt: skip
    if rng.random() < 0.3:
        c.add(c.disc(radius * rng.uniform(0.55, 0.8)), _metal(rng), edge=radius * 0.03, shine=rng.uniform(0.3, 0.8),
              engraved=-relief * depth)  # fmt: skip


def button(c: Canvas) -> None:
    """Of a shirt or a coat: a rim and two or four holes."""
    rng, radius = c.rng, c.side * 0.47
    color = _vivid(rng) if rng.random() < 0.6 else np.full(3, rng.uniform(30, 240))
    c.add(c.disc(radius), color, edge=radius * rng.uniform(0.1, 0.3), shine=rng.uniform(0.05, 0.5))
    c.add(c.disc(radius * 0.7), color * 0.93, edge=radius * 0.1, shine=rng.uniform(0.05, 0.4))
    holes, start = int(rng.choice([2, 4])), rng.uniform(0, np.pi)
    for angle in start + np.arange(holes) * 2 * np.pi / holes:
        spot = c.disc(
            radius * 0.11, c.side / 2 + radius * 0.28 * np.cos(angle), c.side / 2 + radius * 0.28 * np.sin(angle)
        )
        c.paint(spot.astype(np.float32) / 255, color * 0.25)


def ring(c: Canvas) -> None:
    """A finger ring, a washer or a nut: there is a hole in it."""
    rng, radius = c.rng, c.side * 0.47
    outer = c.disc(radius)
    if rng.random() < 0.4:
        angles = rng.uniform(0, 1) + np.arange(6) * np.pi / 3
        corners = c.side / 2 + radius * np.stack([np.cos(angles), np.sin(angles)], 1)
        outer = np.zeros_like(outer)
        cv2.fillPoly(outer, [corners.astype(np.int32)], 255)
    hole = c.disc(radius * rng.uniform(0.4, 0.85))
    c.add(np.where(hole > 0, 0, outer).astype(np.uint8), _metal(rng), edge=radius * rng.uniform(0.05, 0.15),
          shine=rng.uniform(0.4, 0.95))  # fmt: skip


def key(c: Canvas) -> None:
    """A head with a hole, a shaft with teeth."""
    rng, s = c.rng, c.side
    head = (
        c.disc(s * 0.17, s * 0.2, s / 2)
        if rng.random() < 0.5
        else c.box(s * 0.03, s * 0.34, s * 0.3, s * 0.32, s * 0.08)
    )
    body = cv2.bitwise_or(head, c.bar(s * 0.3, s / 2, s * 0.95, s / 2, s * 0.09))
    for x in np.arange(s * 0.5, s * 0.93, s * 0.07):
        body = cv2.bitwise_or(body, c.bar(x, s / 2, x, s * (0.54 + 0.06 * rng.random()), s * 0.05))
    body = np.where(c.disc(s * 0.05, s * 0.12, s / 2) > 0, 0, body).astype(np.uint8)
    c.add(body, _metal(rng), edge=s * 0.015, shine=rng.uniform(0.4, 0.9), rough=0.1)


def beads(c: Canvas) -> None:
    """A string of glass or stone balls along an arc."""
    rng, s = c.rng, c.side
    count = int(rng.integers(3, 14))
    radius = s * 0.9 / (2 * count) * rng.uniform(0.8, 1.15)
    colors = [_vivid(rng) for _ in range(int(rng.integers(1, 4)))]
    bend, shine = rng.uniform(-0.35, 0.35), rng.uniform(0.25, 0.8)
    for number in range(count):
        t = (number + 0.5) / count
        x, y = s * (0.05 + 0.9 * t), s * (0.5 + bend * (1 - (2 * t - 1) ** 2))
        c.add(c.disc(radius, x, y), colors[number % len(colors)], edge=radius, shine=shine)


def keypad(c: Canvas) -> None:
    """Keys of a keyboard, a telephone or a remote control, on their plate or without."""
    rng, s = c.rng, c.side
    columns, rows = int(rng.integers(2, 6)), int(rng.integers(2, 7))
    pitch = s * 0.96 / max(columns, rows)
    dark = rng.random() < 0.6
    plate = np.full(3, rng.uniform(15, 70) if dark else rng.uniform(130, 240))
    cap = np.clip(plate + rng.normal(0, 30) + rng.normal(0, 8, 3), 10, 250) if rng.random() < 0.7 else _vivid(rng)
    left, top = (s - columns * pitch) / 2, (s - rows * pitch) / 2
    c.add(c.box(left, top, columns * pitch, rows * pitch, pitch * 0.3), plate, edge=pitch * 0.1, shine=0.1)
    width, height = pitch * rng.uniform(0.6, 0.9), pitch * rng.uniform(0.4, 0.9)
    corner = rng.choice([0.15, 0.5]) * min(width, height)
    ink = np.full(3, 235.0 if cap.mean() < 128 else 30.0)
    for row in range(rows):
        for column in range(columns):
            if rng.random() < 0.1:
                continue
            x, y = left + (column + 0.5) * pitch, top + (row + 0.5) * pitch
            c.add(c.box(x - width / 2, y - height / 2, width, height, corner), cap, edge=pitch * 0.12,
                  shine=rng.uniform(0.05, 0.3))  # fmt: skip
            if rng.random() < 0.8:
                c.paint(c.print(_digits(rng, 2), x, y, pitch * 0.3), ink)


def blister(c: Canvas) -> None:
    """An empty strip: foil with torn pockets, or clear plastic with hollow domes."""
    rng, s = c.rng, c.side
    columns, rows = int(rng.integers(1, 4)), int(rng.integers(2, 6))
    pitch_x, pitch_y = s * rng.uniform(0.2, 0.3), s * 0.92 / rows
    left, top = (s - columns * pitch_x) / 2, s * 0.04
    foil = np.array([198, 200, 204]) * rng.uniform(0.7, 1.1) if rng.random() < 0.8 else _vivid(rng)
    weave = np.zeros((s, s), np.float32)
    ys, xs = np.mgrid[0:s, 0:s].astype(np.float32)
    period = rng.uniform(3, 7)
    weave += np.sin(xs * 2 * np.pi / period) * np.sin(ys * 2 * np.pi / period) * rng.uniform(0, 0.5)
    card = c.box(left, top, columns * pitch_x, rows * pitch_y, pitch_x * 0.15)
    c.add(card, foil, edge=3, shine=rng.uniform(0.4, 0.9),
          engraved=weave, rough=rng.uniform(0.1, 0.6))  # fmt: skip
    for word in range(int(rng.integers(0, 5))):
        c.paint(c.print(_digits(rng, 8), s / 2, top + rows * pitch_y * (word + 0.5) / 5, pitch_x * 0.14) * 0.7,
                rng.choice([[30, 40, 110], [30, 30, 30], [150, 30, 40]]))  # fmt: skip
    a, b = pitch_x * rng.uniform(0.25, 0.42), min(pitch_y, pitch_x) * rng.uniform(0.2, 0.4)
    torn = rng.random() < 0.7
    for row in range(rows):
        for column in range(columns):
            x, y = left + (column + 0.5) * pitch_x, top + (row + 0.5) * pitch_y
            pocket = c.ellipse(x, y, a, b)
            if not torn:
                c.add(pocket, foil * rng.uniform(0.7, 1.05), edge=min(a, b) * rng.uniform(0.3, 1), shine=0.8)
                continue
            angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
            reach = rng.uniform(0.6, 1.15, 14)
            rag = np.stack([x + a * reach * np.cos(angles), y + b * reach * np.sin(angles)], 1)
            hole = np.zeros((s, s), np.uint8)
            cv2.fillPoly(hole, [rag.astype(np.int32)], 255)
            depth = rng.choice([rng.uniform(0.1, 0.5), rng.uniform(0.8, 1.1)])
            c.add(hole, foil * depth, edge=min(a, b) * 0.6, shine=rng.uniform(0.3, 0.95), rough=rng.uniform(0.2, 1.2))


def fingers(c: Canvas) -> None:
    """One to four fingers side by side with their nails, reaching in from one side."""
    rng, s = c.rng, c.side
    count = int(rng.integers(1, 5))
    width = s * 0.9 / max(count, 2.2) * rng.uniform(0.75, 1)
    skin = np.clip(SKIN[rng.integers(len(SKIN))] + rng.normal(0, 10, 3), 20, 250)
    shown = rng.random() < 0.75
    for number in range(count):
        x = s / 2 + (number - (count - 1) / 2) * width * 1.03
        tip = s * rng.uniform(0.06, 0.3)
        c.add(c.bar(x, tip + width / 2, x + rng.normal(0, 0.03) * s, s * 0.98, width * 0.95), skin, edge=width * 0.5,
              shine=rng.uniform(0.02, 0.12), rough=rng.uniform(0, 0.12))  # fmt: skip
        for fold in rng.uniform(0.35, 0.9, int(rng.integers(0, 5))):
            crease = c.bar(x - width * 0.35, s * fold, x + width * 0.35, s * fold + rng.normal(0, 3), 1)
            c.paint(cv2.GaussianBlur(crease.astype(np.float32) / 255, (0, 0), 1.2), skin * 0.6)
        if shown:
            _nail(c, x, tip + width * rng.uniform(0.35, 0.5), width, skin)


def _nail(c: Canvas, x: float, y: float, width: float, skin: Color) -> None:
    """A nail on a finger: pinker, glossier, with a pale end or varnish."""
    rng = c.rng
    color = np.clip(skin * rng.uniform(0.95, 1.15) + [8, rng.uniform(-8, 12), rng.uniform(-4, 14)], 0, 255)
    if rng.random() < 0.12:
        color = _vivid(rng)
    a, b = width * rng.uniform(0.26, 0.36), width * rng.uniform(0.32, 0.55)
    nail = c.box(x - a, y - b, 2 * a, 2 * b, a * 0.9)
    c.add(nail, color, edge=a, shine=rng.uniform(0.1, 0.4))
    if rng.random() < 0.6:
        end = np.where(c.box(x - a, y - b, 2 * a, b * 0.3, a * 0.3) > 0, nail, 0).astype(np.float32) / 255
        c.paint(end * 0.6, np.array([240, 232, 225]))


def false_nail(c: Canvas) -> None:
    """An almond of varnish."""
    rng, s = c.rng, c.side
    dark = np.full(3, rng.uniform(10, 60)) if rng.random() < 0.5 else _vivid(rng)
    y, x = np.mgrid[0:s, 0:s] / s - 0.5
    half = 0.18 * np.clip(1 - np.maximum(x, 0) / 0.46, 0, 1) ** rng.uniform(0.4, 0.9)
    shape = np.where((np.abs(y) < half) & (x > -0.42), 255, 0).astype(np.uint8)
    c.add(shape, dark, edge=s * 0.16, shine=rng.uniform(0.3, 0.8))


def fruit(c: Canvas) -> None:
    """Grapes, berries, apples: large, round, with a stem or a mark."""
    rng, s = c.rng, c.side
    colors = np.array([[150, 180, 70], [170, 40, 40], [90, 30, 60], [220, 170, 50], [40, 40, 70], [215, 120, 40]])
    color = np.clip(colors[rng.integers(len(colors))] + rng.normal(0, 18, 3), 0, 255)
    for _ in range(int(rng.integers(1, 5))):
        r = s * rng.uniform(0.16, 0.28)
        x, y = rng.uniform(r, s - r, 2)
        c.add(c.ellipse(x, y, r, r * rng.uniform(0.8, 1), rng.uniform(0, 180)), color * rng.uniform(0.85, 1.1), edge=r,
              shine=rng.uniform(0.1, 0.45), rough=rng.uniform(0, 0.1))  # fmt: skip
        if rng.random() < 0.7:
            stem = c.bar(x, y, x + rng.normal(0, 0.3) * r, y + rng.normal(0, 0.5) * r, r * 0.12)
            c.paint(cv2.GaussianBlur(stem.astype(np.float32) / 255, (0, 0), 1), np.array([70, 50, 30]))


def pen(c: Canvas) -> None:
    """A long barrel with a cap of another colour; its ends look like capsules."""
    rng, s = c.rng, c.side
    width = s * rng.uniform(0.05, 0.14)
    barrel = np.full(3, rng.uniform(20, 240)) if rng.random() < 0.5 else _vivid(rng)
    c.add(c.bar(s * 0.08, s / 2, s * 0.92, s / 2, width), barrel, edge=width / 2, shine=rng.uniform(0.1, 0.5))
    c.add(c.bar(s * 0.08, s / 2, s * rng.uniform(0.2, 0.4), s / 2, width * 1.1), _vivid(rng), edge=width / 2,
          shine=rng.uniform(0.1, 0.6))  # fmt: skip
    c.paint(c.print(_digits(rng, 9), s * 0.6, s / 2, width * 0.4), np.full(3, rng.choice([20.0, 240.0])))


def crystal(c: Canvas) -> None:
    """Cut glass: facets of chance brightness."""
    rng, s = c.rng, c.side
    count = int(rng.integers(6, 10))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    rim = s / 2 + s * 0.46 * np.stack([np.cos(angles), np.sin(angles)], 1)
    middle = s / 2 + rng.normal(0, 0.06, 2) * s
    tint = np.full(3, 225.0) if rng.random() < 0.6 else _vivid(rng)
    for one, two in zip(rim, np.roll(rim, -1, axis=0), strict=True):
        for far, near in ((1.0, 0.5), (0.5, 0.0)):
            facet = np.zeros((s, s), np.uint8)
            corners = [middle + (one - middle) * far, middle + (two - middle) * far, middle + (two - middle) * near,
                       middle + (one - middle) * near]  # fmt: skip
            cv2.fillPoly(facet, [np.array(corners).astype(np.int32)], 255)
            c.add(facet, tint * rng.uniform(0.3, 1.1), edge=2, shine=rng.uniform(0.2, 0.9))


THINGS: Final[dict[str, tuple[Callable[[Canvas], None], float]]] = {
    "coin": (coin, 3.0), "button": (button, 1.0), "ring": (ring, 1.0), "key": (key, 0.8), "beads": (beads, 1.5),
    "keypad": (keypad, 2.0), "blister": (blister, 2.5), "fingers": (fingers, 3.0), "false_nail": (false_nail, 0.7),
    "fruit": (fruit, 1.0), "pen": (pen, 0.8), "crystal": (crystal, 0.7),
}  # fmt: skip
"""Maker and relative frequency of each thing."""


def draw_thing(name: str, side: int, rng: np.random.Generator) -> UInt8:
    """One thing as it lies, (side, side, 4) uint8 RGBA, alpha 0/255. Raises KeyError for an unknown name."""
    canvas = Canvas(side, rng)
    THINGS[name][0](canvas)
    return np.dstack([np.clip(canvas.rgb, 0, 255).astype(np.uint8), canvas.alpha])


def random_thing(rng: np.random.Generator, length: int) -> UInt8:
    """A thing of any kind, turned and tilted, its long side about `length` px: (h, w, 4) uint8 RGBA."""
    frequencies = np.array([frequency for _, frequency in THINGS.values()])
    name = str(rng.choice(list(THINGS), p=frequencies / frequencies.sum()))
    drawn = draw_thing(name, int(np.clip(length, 24, 360)), rng)
    tilt = np.abs(rng.normal(0, 0.07, 2)).clip(0, 0.3)
    angle = rng.normal(0, 25) if name in ("keypad", "blister") else rng.uniform(0, 360)
    turned = turn(drawn, angle, length / drawn.shape[0], (float(tilt[0]), float(tilt[1])), int(length * 1.5) + 8)
    x, y, w, h = cv2.boundingRect(turned[..., 3])
    return np.ascontiguousarray(turned[y : y + h, x : x + w])
