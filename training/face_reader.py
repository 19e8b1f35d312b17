"""The other design, for comparison: no line is looked for, the whole face is read row by row in four turns.

Its weights are not shipped: `python -m training whole_face` and `python -m export whole_face` make the file. No torch.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pipeline.schemas import Reading
from runners.ocr_decode import Calibration, Decoded, decode
from runners.ocr_recognizer import LINE_HEIGHT, STEP
from runners.ocr_relief import relief
from runners.session import session_options
from training.face_views import ROW, SIZES, gathered, pill_box, placed, shown

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

MODEL: Final = Path("runs") / "whole_face" / "whole_face.onnx"
TURNS: Final = (0, 90, 180, 270)
APART: Final = 0.6
"""Share of a window's height by which two rows must be apart to count as two lines."""
LEAST: Final = 0.4
"""Confidence below which a row says nothing: on the tuning pills .4 reads most imprints exactly, .2 most tokens."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What one row of windows says. `box`: px of the turned cut-out, high as the window."""

    said: Decoded
    confidence: float
    turn: int
    box: tuple[float, float, float, float]

    @property
    def weight(self) -> float:
        return self.confidence * len(self.said.text)

    def same_line(self, other: "Row") -> bool:
        """Whether both read the same place."""
        high = max(self.box[3] - self.box[1], other.box[3] - other.box[1])
        off = abs(self.box[1] + self.box[3] - other.box[1] - other.box[3]) / 2
        return off < APART * high and self.box[0] < other.box[2] and other.box[0] < self.box[2]


class WholeFace:
    """See the module. Args: session of the reader of whole faces."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        facts = session.get_modelmeta().custom_metadata_map
        self._signs = facts["signs"]
        self._calibration = Calibration(*map(float, facts["calibration"].split()))

    @classmethod
    def open(cls, path: Path = MODEL) -> Self:
        """The file that the export wrote."""
        return cls(ort.InferenceSession(path, session_options(), providers=["CPUExecutionProvider"]))

    def read(self, cutouts: UInt8) -> list[list[Reading]]:
        """As `runners.ocr.Reader.read`."""
        return [self._read_one(relief(cutout)[..., 0]) for cutout in cutouts]

    def _read_one(self, picture: UInt8) -> list[Reading]:
        rows = sorted(self.rows(picture), key=lambda row: -row.weight)
        kept: list[Row] = []
        for row in rows:
            if row.confidence >= LEAST and not any(row.turn == o.turn and row.same_line(o) for o in kept):
                kept.append(row)
        readings = [
            Reading(
                text=row.said.text, confidence=row.confidence, box=list(row.box), rotation=row.turn,
                steps=row.said.steps,
            )
            for row in kept
        ]  # fmt: skip
        return sorted(readings, key=lambda reading: -reading.confidence)

    def rows(self, picture: UInt8) -> list[Row]:
        """Every row that says something on a relief (S, S)."""
        box = pill_box(picture)
        if box is None:
            return []
        found = []
        for size in SIZES:
            views: dict[tuple[int, int], list[tuple[int, Float32, UInt8]]] = {}
            for turn in TURNS:
                matrix, shape = placed(box, turn, size)
                views.setdefault(shape, []).append((turn, matrix, shown(picture, matrix, shape)))
            for same in views.values():
                chances = self._session.run(None, {"faces": gathered([pixels for _, _, pixels in same])})[0]
                for (turn, matrix, _), answer in zip(same, chances, strict=True):
                    found += self._rows_of(answer, turn, matrix, picture.shape[0])
        return found

    def _rows_of(self, chances: Float32, turn: int, matrix: Float32, size: int) -> list[Row]:
        """`chances`: (rows, steps, 1 + signs)."""
        scale = float(np.hypot(matrix[0, 0], matrix[0, 1]))
        middle = np.full(2, size / 2)
        moved = middle - matrix[:, :2] / scale @ middle - matrix[:, 2] / scale  # px of a view -> of the turned cut-out
        rows = []
        for number, answer in enumerate(chances):
            inked = np.flatnonzero(answer.argmax(axis=1))
            if not len(inked):
                continue
            start, stop = max(int(inked[0]) - 1, 0), min(int(inked[-1]) + 2, len(answer))
            said = decode(answer[start:stop], self._signs)
            if not said.text:
                continue
            corners = (
                np.array([[start * STEP, number * ROW], [stop * STEP, number * ROW + LINE_HEIGHT]]) / scale + moved
            )
            confidence = self._calibration.chance(said.log_probability, len(said.text))
            rows.append(Row(said, confidence, turn, tuple(map(float, corners.ravel()))))  # type: ignore[arg-type]
        return rows


def available(path: Path = MODEL) -> bool:
    """Whether the reader of whole faces was made here."""
    return path.is_file()
