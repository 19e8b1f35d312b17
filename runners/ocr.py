"""Imprint reader: a text finder and two line recognisers, all our own, on the relief of a cut-out.

The finder says where lines stand and along which base line (`runners.ocr_find`). A quick recogniser looks at each line
both ways round: the wrong way it reads nothing, or less. The large one, six times as slow, then reads the line the
right way round, and both ways where that is not clear. What is read in several directions is kept; which of them is
true is for the matcher to weigh.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

import bentoml
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pipeline.schemas import Reading
from pipeline.settings import settings
from pipeline.transcript import transcript
from runners.guard import guarded
from runners.ocr_decode import Decoded
from runners.ocr_find import FoundLine, lines_of
from runners.ocr_frame import framed
from runners.ocr_lines import Line, aligned, one_way
from runners.ocr_recognizer import LineRecognizer
from runners.ocr_relief import relief
from runners.ocr_rim import rim_lines
from runners.serving import RUNNER_CONFIG, batched
from runners.session import open_model

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

CLEARLY: Final = 0.3
"""Share of the letters that the quick recogniser reads one way round under which the other way is not looked at."""
FEW_LETTERS: Final = 1.5
"""Letters, each weighed by its confidence, up to which a face counts as hardly read and its rim is looked at."""
RIM_SURE: Final = 0.5
RIM_LETTERS: Final = 4
"""Confidence and letters from which a line along the rim is believed."""
MOST_LINES: Final = 12
"""Lines read per side: bounds the work a picture can cause."""


class Reader:
    """See the module. Args: session of the text finder, the quick recogniser, the large one."""

    def __init__(self, finder: ort.InferenceSession, quick: LineRecognizer, recognizer: LineRecognizer) -> None:
        self._finder, self._quick, self.recognizer = finder, quick, recognizer

    @classmethod
    def open(cls, models_dir: Path | None = None) -> Self:
        """The models that the manifest names. Raises `runners.session.ModelError`."""
        quick, recognizer = (
            LineRecognizer(open_model(name, models_dir)) for name in ("ocr_orientation", "ocr_recognizer")
        )
        return cls(open_model("ocr_detector", models_dir), quick, recognizer)

    def read(self, cutouts: UInt8) -> list[list[Reading]]:
        """`cutouts`: (N, S, S, 4) uint8 RGBA. Returns for each all readings, most confident first; the lines of all
        cut-outs are read together."""
        pictures = [relief(cutout) for cutout in cutouts]
        answers = self._read_each(self.upright([both_ways(picture, self.find(picture)) for picture in pictures]))
        hardly = [number for number, answer in enumerate(answers) if letters_read(answer) < FEW_LETTERS]
        bent = self._read_each([self._along_the_rim(pictures[n]) for n in hardly])
        for number, answer in zip(hardly, bent, strict=True):
            surely = [r for r in answer if r.confidence >= RIM_SURE and len(r.text) >= RIM_LETTERS]
            answers[number] = sorted([*answers[number], *surely], key=lambda reading: -reading.confidence)
        return answers

    def upright(self, faces: Sequence[Sequence[Line]]) -> list[list[Line]]:
        """Of the lines of each face, which stand two and two for its ways round, those that may be the right way."""
        said = iter(self._quick.read([line.pixels[..., 0] for lines in faces for line in lines]))
        kept = []
        for lines in faces:
            letters = [self._quick.letters(next(said)) for _ in lines]
            most = [max(letters[n - n % 2 : n - n % 2 + 2]) for n in range(len(lines))]
            kept.append([line for line, own, best in zip(lines, letters, most, strict=True) if own >= CLEARLY * best])
        return kept

    def _along_the_rim(self, picture: UInt8) -> list[Line]:
        """The line along the rim in those ways in which the quick recogniser reads nearly a word."""
        lines = rim_lines(picture)
        said = self._quick.read([line.pixels[..., 0] for line in lines])
        return [line for line, each in zip(lines, said, strict=True) if len(each.text) >= RIM_LETTERS - 1]

    def _read_each(self, lines: Sequence[Sequence[Line]]) -> list[list[Reading]]:
        decoded = iter(self.recognizer.read([line.pixels[..., 0] for found in lines for line in found]))
        return [self._readings(found, [next(decoded) for _ in found]) for found in lines]

    def find(self, picture: UInt8) -> list[FoundLine]:
        """Lines on a relief (S, S, 3), corners in its px."""
        shown = framed(picture)
        answer = self._finder.run(None, {"faces": shown.pixels[None]})[0][0]
        return [replace(line, corners=shown.back(line.corners)) for line in lines_of(answer)][:MOST_LINES]

    def _readings(self, lines: Sequence[Line], decoded: Sequence[Decoded]) -> list[Reading]:
        readings = [
            Reading(
                text=said.text, confidence=self.recognizer.confidence(said),
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
    """Lines found on a relief (S, S, 3), each along its base line, then the other way round."""
    corners = [np.roll(line.corners, shift, axis=0) for line in found for shift in (0, 2)]
    return aligned([one_way(picture, each) for each in corners], picture.shape[0])


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
