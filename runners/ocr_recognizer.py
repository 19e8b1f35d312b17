"""A line recogniser: gray lines in, what stands on each out."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from runners.ocr_decode import Calibration, Decoded, decode
from runners.ocr_relief import GROUND

UInt8 = NDArray[np.uint8]

LINE_HEIGHT: Final = 48
LEAST_WIDTH: Final = 32
MOST_WIDTH: Final = 288
STEP: Final = 8
"""Px of a line's width per step of the recogniser's answer."""
BATCH: Final = 16


class LineRecognizer:
    """Args: session of a model that tells its signs and its calibration in its metadata."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        facts = session.get_modelmeta().custom_metadata_map
        self._signs = facts["signs"]
        self._calibration = Calibration(*map(float, facts["calibration"].split()))

    def read(self, lines: Sequence[UInt8]) -> list[Decoded]:
        """What stands on each gray line (h, w) uint8; lines of like width share a run."""
        found: list[Decoded] = [Decoded("", 0.0, [])] * len(lines)
        widths = [min(max(round(LINE_HEIGHT * line.shape[1] / line.shape[0]), 8), MOST_WIDTH) for line in lines]
        order = sorted(range(len(lines)), key=widths.__getitem__)
        for start in range(0, len(order), BATCH):
            group = order[start : start + BATCH]
            width = -(-max(widths[group[-1]], LEAST_WIDTH) // 16) * 16
            batch = np.full((len(group), LINE_HEIGHT, width), GROUND, np.uint8)
            for row, i in enumerate(group):
                batch[row, :, : widths[i]] = cv2.resize(
                    lines[i], (widths[i], LINE_HEIGHT), interpolation=cv2.INTER_LINEAR
                )
            chances = self._session.run(None, {"lines": batch})[0]
            for row, i in enumerate(group):
                found[i] = decode(chances[row, : -(-widths[i] // STEP)], self._signs)
        return found

    def confidence(self, said: Decoded) -> float:
        """The chance that a text is right."""
        return self._calibration.chance(said.log_probability, len(said.text))

    def letters(self, said: Decoded) -> float:
        """How many letters it holds, each weighed by the chance that the text is right."""
        return self.confidence(said) * len(said.text)
