"""Imprint reader: our own text finder and line recogniser, on the relief of a cut-out.

The finder says where lines stand and along which base line (`runners.ocr_find`); each is read both ways along it. The
recogniser is trained to see nothing in a line that is upside down. What is still read in both directions is kept; which
of them is true is for the matcher to weigh.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

import bentoml
import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pipeline.schemas import Reading
from pipeline.settings import settings
from pipeline.transcript import transcript
from runners.guard import guarded
from runners.ocr_decode import Calibration, Decoded, decode
from runners.ocr_find import FoundLine, lines_of
from runners.ocr_lines import Line, aligned, directions, one_way, whole_pill
from runners.ocr_relief import GROUND, relief
from runners.ocr_rim import rim_lines
from runners.serving import RUNNER_CONFIG, batched
from runners.session import open_model

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

WHOLE_SURE: Final = 0.5
"""Confidence from which a whole pill read as one line is believed, where no line was read. On the 85 tuning faces left
it reads 4 tokens rightly and 1 wrongly."""
FEW_LETTERS: Final = 1.5
"""Letters, each weighed by its confidence, up to which a face counts as hardly read and its rim is looked at."""
RIM_SURE: Final = 0.5
RIM_LETTERS: Final = 4
"""Confidence and letters from which a line along the rim is believed."""
LINE_HEIGHT: Final = 48
LEAST_WIDTH: Final = 32
MOST_WIDTH: Final = 288
STEP: Final = 8
"""Px of a line's width per step of the recogniser's answer."""
MOST_LINES: Final = 12
"""Lines read per side: bounds the work a picture can cause."""
BATCH: Final = 16


class Reader:
    """See the module. Args: sessions of the text detector and of the line recogniser."""

    def __init__(self, detector: ort.InferenceSession, recognizer: ort.InferenceSession) -> None:
        self._detector, self._recognizer = detector, recognizer
        self._find_size = int(detector.get_inputs()[0].shape[1])
        facts = recognizer.get_modelmeta().custom_metadata_map
        self._signs = facts["signs"]
        self._calibration = Calibration(*map(float, facts["calibration"].split()))

    @classmethod
    def open(cls, models_dir: Path | None = None) -> Self:
        """The models that the manifest names. Raises `runners.session.ModelError`."""
        return cls(open_model("ocr_detector", models_dir), open_model("ocr_recognizer", models_dir))

    def read(self, cutouts: UInt8) -> list[list[Reading]]:
        """`cutouts`: (N, S, S, 4) uint8 RGBA. Returns for each all readings, most confident first; the lines of all
        cut-outs are read together."""
        pictures = [relief(cutout) for cutout in cutouts]
        found = [self.find(picture) for picture in pictures]
        answers = self._read_each([both_ways(*each) for each in zip(pictures, found, strict=True)])
        silent = [number for number, answer in enumerate(answers) if not answer]
        again = self._read_each([in_all_directions(pictures[n], whole_pill(pictures[n])) for n in silent])
        for number, answer in zip(silent, again, strict=True):
            answers[number] = [reading for reading in answer if reading.confidence >= WHOLE_SURE]
        hardly = [number for number, answer in enumerate(answers) if letters_read(answer) < FEW_LETTERS]
        bent = self._read_each([rim_lines(pictures[n]) for n in hardly])
        for number, answer in zip(hardly, bent, strict=True):
            surely = [r for r in answer if r.confidence >= RIM_SURE and len(r.text) >= RIM_LETTERS]
            answers[number] = sorted([*answers[number], *surely], key=lambda reading: -reading.confidence)
        return answers

    def _read_each(self, lines: Sequence[Sequence[Line]]) -> list[list[Reading]]:
        decoded = iter(self.read_lines([line.pixels[..., 0] for found in lines for line in found]))
        return [self._readings(found, [next(decoded) for _ in found]) for found in lines]

    def find(self, picture: UInt8) -> list[FoundLine]:
        """Lines on a relief (S, S, 3), corners in its px."""
        side = self._find_size
        small = cv2.resize(picture[..., 0], (side, side), interpolation=cv2.INTER_AREA)
        answer = self._detector.run(None, {"faces": small[None]})[0][0]
        scale = picture.shape[0] / side
        return [replace(line, corners=line.corners * scale) for line in lines_of(answer)][:MOST_LINES]

    def read_lines(self, lines: Sequence[UInt8]) -> list[Decoded]:
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
            chances = self._recognizer.run(None, {"lines": batch})[0]
            for row, i in enumerate(group):
                found[i] = decode(chances[row, : -(-widths[i] // STEP)], self._signs)
        return found

    def confidence(self, said: Decoded) -> float:
        """The chance that a text is right."""
        return self._calibration.chance(said.log_probability, len(said.text))

    def _readings(self, lines: Sequence[Line], decoded: Sequence[Decoded]) -> list[Reading]:
        readings = [
            Reading(
                text=said.text, confidence=self.confidence(said),
                box=list(line.box), rotation=line.rotation, steps=said.steps,
            )
            for line, said in zip(lines, decoded, strict=True)
            if said.text
        ]  # fmt: skip
        return sorted(readings, key=lambda reading: -reading.confidence)


def letters_read(readings: Sequence[Reading]) -> float:
    """Of the transcript, each letter weighed by the confidence of its line."""
    return sum(line.confidence * len(line.text) for line in transcript(readings).lines)


def both_ways(picture: UInt8, found: Sequence[FoundLine]) -> list[Line]:
    """Lines found on a relief (S, S, 3), each both ways along its base line."""
    corners = [np.roll(line.corners, shift, axis=0) for line in found for shift in (0, 2)]
    return aligned([one_way(picture, each) for each in corners], picture.shape[0])


def in_all_directions(picture: UInt8, quads: Sequence[Float32]) -> list[Line]:
    """Lines on a relief (S, S, 3), each in every direction it may be read in."""
    return aligned([line for quad in quads for line in directions(picture, quad)], picture.shape[0])


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
