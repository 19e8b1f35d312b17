"""Imprint reader: PP-OCRv6 small, text detection and line recognition, on the relief of a cut-out.

Lines are found once, whatever their direction; each is then read in every direction it may have: both ways along a
long box, all four ways in a square one. All readings are kept; which of them is true is for the matcher to weigh.
The model files and the box extraction come from the installed `rapidocr` package (Apache-2.0).
"""

from dataclasses import dataclass
from math import atan2, ceil, cos, degrees, radians, sin
from pathlib import Path
from typing import Final

import bentoml
import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from rapidocr.ch_ppocr_det.utils import DBPostProcess

from pipeline.schemas import Reading
from pipeline.settings import settings
from runners.guard import guarded
from runners.ocr_relief import relief
from runners.serving import RUNNER_CONFIG, batched
from runners.session import open_model

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

LETTERS: Final = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz./-&+ ")
"""What is printed on pills, of the 18,000 signs the recogniser knows; all others are taken out of its choice."""
FIND_SIZE: Final = 224
"""Side, px, at which lines are found, a multiple of 32. 288 costs 15 ms more and was not clearly better
(benchmarks/results/ocr_variants.md)."""
LINE_HEIGHT: Final = 48
LINE_WIDTHS: Final = (64, 640)
SNAP: Final = 20
"""Degrees by which a line may stray from the common direction and still count as read in the same turn."""
SQUARE: Final = 1.4
"""Ratio of a box's sides under which its direction is not known."""
MOST_LINES: Final = 12
"""Lines read per side: bounds the work a picture can cause."""
BATCH: Final = 8


@dataclass(frozen=True, slots=True)
class Line:
    """A found line in one direction of reading. `rotation`: degrees counter-clockwise the cut-out is turned for it."""

    pixels: UInt8  # (h, w, 3)
    rotation: int
    box: tuple[float, float, float, float]  # px of the turned cut-out


class Reader:
    """See the module. Args: sessions of the text detector and of the line recogniser."""

    def __init__(self, detector: ort.InferenceSession, recognizer: ort.InferenceSession) -> None:
        self._detector, self._recognizer = detector, recognizer
        self._boxes = DBPostProcess(thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=True, max_candidates=100)
        signs = ["", *recognizer.get_modelmeta().custom_metadata_map["character"].splitlines(), " "]
        self._kept = np.array([0] + [i for i, sign in enumerate(signs) if i and sign in LETTERS])  # 0 = CTC's blank
        self._signs = [signs[i] for i in self._kept]

    @classmethod
    def open(cls, models_dir: Path | None = None) -> "Reader":
        """The models that the manifest names. Raises `runners.session.ModelError`."""
        return cls(open_model("ocr_detector", models_dir), open_model("ocr_recognizer", models_dir))

    def read(self, cutouts: UInt8) -> list[list[Reading]]:
        """`cutouts`: (N, S, S, 4) uint8 RGBA. Returns for each all readings, most confident first."""
        return [self._read_one(cutout) for cutout in cutouts]

    def _read_one(self, cutout: UInt8) -> list[Reading]:
        image = relief(cutout)
        lines = aligned([line for quad in self._find(image) for line in directions(image, quad)], image.shape[0])
        readings = [
            Reading(text=text, confidence=confidence, box=list(line.box), rotation=line.rotation)
            for line, (text, confidence) in zip(lines, self._recognize([line.pixels for line in lines]), strict=True)
            if text.strip()
        ]
        return sorted(readings, key=lambda reading: -reading.confidence)

    def _find(self, image: UInt8) -> list[Float32]:
        """Corners (4, 2) of each text line in px of `image`, clockwise from the top left of the text."""
        small = cv2.resize(image, (FIND_SIZE, FIND_SIZE), interpolation=cv2.INTER_AREA).astype(np.float32)
        batch = (small / 127.5 - 1).transpose(2, 0, 1)[None]
        heat = self._detector.run(None, {self._detector.get_inputs()[0].name: batch})[0]
        quads, _ = self._boxes(heat, image.shape[:2])
        size = image.shape[0]
        lines = [np.asarray(quad, np.float32) for quad in quads]
        return [quad for quad in lines if not _is_whole_pill(quad, size)][:MOST_LINES]

    def _recognize(self, lines: list[UInt8]) -> list[tuple[str, float]]:
        """Text and mean probability of its letters, for each (h, w, 3) line; lines of like width share a run."""
        found: list[tuple[str, float]] = [("", 0.0)] * len(lines)
        order = sorted(range(len(lines)), key=lambda i: lines[i].shape[1] / lines[i].shape[0])
        for start in range(0, len(order), BATCH):
            group = order[start : start + BATCH]
            widths = [ceil(LINE_HEIGHT * lines[i].shape[1] / lines[i].shape[0]) for i in group]
            width = -(-min(max(*widths, LINE_WIDTHS[0]), LINE_WIDTHS[1]) // 16) * 16
            batch = np.zeros((len(group), 3, LINE_HEIGHT, width), np.float32)
            for row, i in enumerate(group):
                own = min(max(widths[row], 8), width)
                scaled = cv2.resize(lines[i], (own, LINE_HEIGHT)).astype(np.float32)
                batch[row, :, :, :own] = (scaled / 127.5 - 1).transpose(2, 0, 1)
            answer = self._recognizer.run(None, {self._recognizer.get_inputs()[0].name: batch})[0]
            for row, i in enumerate(group):
                found[i] = self._decode(answer[row][:, self._kept])
        return found

    def _decode(self, probabilities: Float32) -> tuple[str, float]:
        """Greedy CTC over (T, signs) probabilities: repeats merged, blanks dropped."""
        best = probabilities.argmax(axis=1)
        kept = (best != 0) & np.concatenate([[True], best[1:] != best[:-1]])
        if not kept.any():
            return "", 0.0
        confidence = float(probabilities[np.arange(len(best)), best][kept].mean())
        return "".join(self._signs[i] for i in best[kept]), min(max(confidence, 0.0), 1.0)


def directions(image: UInt8, quad: Float32) -> list[Line]:
    """A line's picture in every direction it may be read in. `quad`: (4, 2) corners in px of `image`, (S, S, 3)."""
    width = max(int(np.linalg.norm(quad[0] - quad[1])), int(np.linalg.norm(quad[2] - quad[3])), 4)
    height = max(int(np.linalg.norm(quad[0] - quad[3])), int(np.linalg.norm(quad[1] - quad[2])), 4)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad, target)
    flat = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    edge = quad[1] - quad[0]
    slope = degrees(atan2(-float(edge[1]), float(edge[0])))  # of the text's base line, counter-clockwise
    if width >= SQUARE * height:
        quarters: tuple[int, ...] = (0, 2)
    elif height >= SQUARE * width:
        quarters = (1, 3)
    else:
        quarters = (0, 1, 2, 3)
    lines = []
    for quarter in quarters:
        rotation = round(90 * quarter - slope) % 360
        pixels = np.ascontiguousarray(np.rot90(flat, quarter)).astype(np.uint8)
        lines.append(Line(pixels, rotation, turned_box(quad, rotation, image.shape[0])))
    return lines


def aligned(lines: list[Line], size: int) -> list[Line]:
    """Give lines of nearly one direction one rotation, so that the matcher sees them side by side.

    The common direction is the circular mean of all, modulo 90 degrees. Boxes keep their middle and their sides.
    """
    if not lines:
        return []
    turns = np.exp(4j * np.radians([line.rotation for line in lines])).mean()
    base = degrees(np.angle(turns)) / 4
    out = []
    for line in lines:
        common = round((line.rotation - base) / 90) * 90 + base
        if abs((line.rotation - common + 180) % 360 - 180) >= SNAP:
            out.append(line)
            continue
        rotation = round(common) % 360
        width, height = line.box[2] - line.box[0], line.box[3] - line.box[1]
        middle = np.array([[(line.box[0] + line.box[2]) / 2, (line.box[1] + line.box[3]) / 2]], np.float32)
        x, y, _, _ = turned_box(middle, (rotation - line.rotation) % 360, size)
        out.append(Line(line.pixels, rotation, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)))
    return out


def turned_box(quad: Float32, rotation: int, size: int) -> tuple[float, float, float, float]:
    """Box around `quad` (4, 2) after its square picture of `size` px was turned counter-clockwise by `rotation`."""
    c, s = cos(radians(rotation)), sin(radians(rotation))
    x, y = (quad - size / 2).T
    turned_x, turned_y = c * x + s * y + size / 2, -s * x + c * y + size / 2
    return float(turned_x.min()), float(turned_y.min()), float(turned_x.max()), float(turned_y.max())


def _is_whole_pill(quad: Float32, size: int) -> bool:
    """A box around nearly the whole cut-out is the rim, not a line."""
    width, height = np.ptp(quad, axis=0) / size
    return bool(width > 0.8 and height > 0.44 and width * height > 0.5)


@guarded
@bentoml.service(name="ocr", **RUNNER_CONFIG)
class OcrRunner:
    """`Reader` as a service of its own."""

    def __init__(self) -> None:
        self.reader = Reader.open(settings().models_dir)

    @batched
    def read(self, cutouts: np.ndarray) -> list[list[Reading]]:
        """See `Reader.read`."""
        return self.reader.read(cutouts)
