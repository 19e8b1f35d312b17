"""PP-OCRv6 small as the `rapidocr` package ships it: our line recogniser's teacher, and what it is measured against.

It reads what our reader reads: the same reliefs, lines and directions, each line in colour planes that are all equal.
"""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnxruntime as ort
import rapidocr
from numpy.typing import NDArray
from rapidocr.ch_ppocr_det.utils import DBPostProcess

from pipeline.schemas import Reading
from runners.ocr import MOST_LINES
from runners.ocr_lines import aligned, directions
from runners.ocr_recognizer import BATCH, LINE_HEIGHT
from runners.ocr_relief import relief
from runners.session import session_options

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

MODELS: Final = Path(rapidocr.__file__).parent / "models"
DETECTOR: Final = MODELS / "PP-OCRv6_det_small.onnx"
RECOGNIZER: Final = MODELS / "PP-OCRv6_rec_small.onnx"
FIND_SIZE: Final = 224
"""Side, px, at which lines are found, a multiple of 32."""
LETTERS: Final = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz./-&+ ")
"""What is printed on pills, of the 18,000 signs the recogniser knows; all others are taken out of its choice."""
LINE_WIDTHS: Final = (64, 640)


def known_signs() -> list[str]:
    """The signs of the published recogniser, in the order of its output behind CTC's blank."""
    return _signs(ort.InferenceSession(RECOGNIZER, session_options(), providers=["CPUExecutionProvider"]))


def _signs(session: ort.InferenceSession) -> list[str]:
    return [*session.get_modelmeta().custom_metadata_map["character"].splitlines(), " "]


class PpocrSmall:
    """Detector at 224 px, every line in all its directions: what Pillscope shipped before it had its own recogniser."""

    def __init__(self) -> None:
        self._detector, self._recognizer = (
            ort.InferenceSession(file, session_options(), providers=["CPUExecutionProvider"])
            for file in (DETECTOR, RECOGNIZER)
        )
        self._boxes = DBPostProcess(thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=True, max_candidates=100)
        signs = ["", *_signs(self._recognizer)]
        self._kept = np.array([0] + [i for i, sign in enumerate(signs) if i and sign in LETTERS])  # 0 = CTC's blank
        self._signs = [signs[i] for i in self._kept]

    def read(self, cutouts: UInt8) -> list[list[Reading]]:
        """As `runners.ocr.Reader.read`, without steps."""
        return [self._read_one(relief(cutout)) for cutout in cutouts]

    def _read_one(self, picture: UInt8) -> list[Reading]:
        lines = aligned([line for quad in self.find(picture) for line in directions(picture, quad)], picture.shape[0])
        said = self.read_lines([line.pixels for line in lines])
        readings = [
            Reading(text=text, confidence=confidence, box=list(line.box), rotation=line.rotation)
            for line, (text, confidence) in zip(lines, said, strict=True)
            if text.strip()
        ]
        return sorted(readings, key=lambda reading: -reading.confidence)

    def find(self, picture: UInt8) -> list[Float32]:
        """Corners (4, 2) of each line on a relief (S, S, 3)."""
        small = cv2.resize(picture, (FIND_SIZE, FIND_SIZE), interpolation=cv2.INTER_AREA).astype(np.float32)
        batch = (small / 127.5 - 1).transpose(2, 0, 1)[None]
        heat = self._detector.run(None, {self._detector.get_inputs()[0].name: batch})[0]
        quads, _ = self._boxes(heat, picture.shape[:2])
        lines = [np.asarray(quad, np.float32) for quad in quads]
        return [quad for quad in lines if not is_whole_pill(quad, picture.shape[0])][:MOST_LINES]

    def read_lines(self, lines: Sequence[UInt8]) -> list[tuple[str, float]]:
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


def is_whole_pill(quad: Float32, size: int) -> bool:
    """A box around nearly the whole cut-out is the rim, not a line."""
    width, height = np.ptp(quad, axis=0) / size
    return bool(width > 0.8 and height > 0.44 and width * height > 0.5)
