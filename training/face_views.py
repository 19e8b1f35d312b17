"""A whole face as the reader of whole faces sees it: turned, squeezed to a fixed size, its rows numbered.

The network looks at a face at two sizes and gives an answer for every row of windows, 48 px high and 16 px apart. A
row reads the line of text that runs through its middle, if that line is about as high as the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, hypot
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from runners.ocr_recognizer import LINE_HEIGHT as HEIGHT
from runners.ocr_relief import GROUND, pill_box
from training.signs import has_a_top

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SHORT: Final = 96
"""Short side of a round face, px."""
LONGEST: Final = 200
"""Long side of a slender face, px, which makes its short side shorter."""
SIZES: Final = (1.0, 0.5)
"""A face is looked at twice: letters as large as the pill are text only from afar."""
ROW: Final = 16
"""Px between two rows of windows."""
HIGH: Final = (22, 68)
"""Height of a line, px, that a row is to read; it may but need not up to `ANY`; beyond, it is to read nothing."""
ANY: Final = (15, 92)
NEAR: Final = 9
"""Px by which a line's middle may be off its row's; up to `FAR` the row may but need not read it."""
FAR: Final = 26


@dataclass(frozen=True, slots=True, eq=False)
class FaceLine:
    """`corners`: (4, 2) px of the picture, from where the text begins. `text` None: there is something, what is not
    known."""

    corners: Float32
    text: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """`picture`: (S, S) uint8 relief. `complete`: nothing is written beside `lines`."""

    picture: UInt8
    lines: tuple[FaceLine, ...]
    complete: bool


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """`pixels`: (16 h, 16 w) uint8. `texts`: of its h - 2 rows, "" = nothing to be read, None = anything goes."""

    pixels: UInt8
    texts: tuple[str | None, ...]


def placed(box: tuple[int, int, int, int], turn: float, size: float) -> tuple[Float32, tuple[int, int]]:
    """How a face lies before the reader: (2, 3) matrix from px of the picture, and (width, height) px of the view.

    `turn`: degrees counter-clockwise. Above and below the pill is half a window of ground, so that rows reach its rim.
    """
    x, y, w, h = box
    scale = size * min(SHORT / min(w, h), LONGEST / max(w, h))
    matrix = cv2.getRotationMatrix2D((x + w / 2, y + h / 2), turn, scale)
    c, s = abs(matrix[0, 0]), abs(matrix[0, 1])
    wide, high = hypot(w * c, h * s), hypot(w * s, h * c)
    width = ROW * max(ceil((wide + 4) / ROW), 2)
    height = ROW * max(ceil(high / ROW) + 2, HEIGHT // ROW)
    matrix[:, 2] += np.array([width / 2 - x - w / 2, height / 2 - y - h / 2])
    return matrix.astype(np.float32), (width, height)


def shown(picture: UInt8, matrix: Float32, size: tuple[int, int]) -> UInt8:
    """The view itself, (height, width) uint8."""
    loss = 1 / max(float(np.hypot(matrix[0, 0], matrix[0, 1])), 1e-6)
    if loss > 1.5:  # what would be skipped is averaged
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 * loss), np.uint8)
    return np.asarray(cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderValue=GROUND), np.uint8)


def row_texts(face: Face, matrix: Float32, rows: int) -> tuple[str | None, ...]:
    """What each row is to read. A line that lies on its side or upside down is nothing, unless it has no top."""
    out: list[str | None] = ["" if face.complete else None] * rows
    read: list[list[tuple[float, str]]] = [[] for _ in range(rows)]
    ignored = [False] * rows
    for line in face.lines:
        corners = line.corners @ matrix[:, :2].T + matrix[:, 2]
        middle, along = corners.mean(axis=0), corners[1] - corners[0]
        turned = float(np.degrees(np.arctan2(along[1], along[0])))
        lying = 45 < abs(turned) <= 135
        high = float(np.ptp(corners[:, 1])) if lying else float(np.linalg.norm(corners[3] - corners[0]))
        for row in range(rows):
            off = abs(float(middle[1]) - (ROW * row + HEIGHT / 2))
            if line.text is None or lying or abs(turned) > 135:
                if off > FAR + (high - HEIGHT / 2) / 2:
                    continue
                if line.text is None or not has_a_top(line.text):
                    ignored[row] = True
                elif out[row] is None:
                    out[row] = ""
            elif off <= FAR:
                if off <= NEAR and HIGH[0] <= high <= HIGH[1] and abs(turned) < 25:
                    read[row].append((float(middle[0]), line.text))
                elif ANY[0] <= high <= ANY[1]:
                    ignored[row] = True
    for row, texts in enumerate(read):
        if ignored[row]:
            out[row] = None
        elif texts:
            out[row] = " ".join(text for _, text in sorted(texts))
    return tuple(out)


def view(face: Face, turn: float, size: float, zoom: float = 1.0) -> View | None:
    """A face turned counter-clockwise by `turn` degrees; None when there is no pill."""
    box = pill_box(face.picture)
    if box is None:
        return None
    matrix, (width, height) = placed(box, turn, size * zoom)
    return View(shown(face.picture, matrix, (width, height)), row_texts(face, matrix, height // ROW - 2))


def gathered(views: Sequence[UInt8]) -> UInt8:
    """(N, H, W) uint8: views of several sizes, each at the top left, ground around."""
    height, width = (max(view.shape[axis] for view in views) for axis in (0, 1))
    out = np.full((len(views), height, width), int(GROUND), np.uint8)
    for row, pixels in enumerate(views):
        out[row, : pixels.shape[0], : pixels.shape[1]] = pixels
    return out
