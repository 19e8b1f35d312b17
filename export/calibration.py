"""How often a text of the line recogniser is right, given how probable it finds it: fitted on the tuning pills."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from index.faces import cut_isolated
from pipeline.imprint_ctc import best_chance
from pipeline.imprint_text import fold, normalise
from runners.ocr import Reader
from runners.ocr_decode import Calibration
from runners.ocr_recognizer import LineRecognizer
from runners.session import open_model
from training.cutouts import read_rgb
from training.imprint_pills import imprint_pills
from training.logistic import expected_error as gap
from training.logistic import logistic
from training.real_lines import wanted_texts

Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

MOST_LETTERS = 6


def tuning_faces(data: Path) -> Iterator[tuple[list[UInt8], dict[str, str]]]:
    """Of every tuning pill the cut-outs, (S, S, 4) uint8 RGBA each, and the texts that stand on it (`wanted_texts`)."""
    for pill in imprint_pills(data):
        if pill.part == "tuning":
            yield [cut for crop in pill.crops for cut in cut_isolated(read_rgb(crop))], wanted_texts(pill.tokens)


def tuning_lines(quick: ort.InferenceSession, recognizer: ort.InferenceSession, data: Path) -> tuple[Float64, Float64]:
    """Features (n, 3) and outcomes (n,) of every text that `recognizer` reads on the tuning pills, the way round that
    `quick` sees: 1 = it stands on that pill."""
    reader = Reader(open_model("ocr_detector"), LineRecognizer(quick), LineRecognizer(recognizer))
    features, right = [], []
    for faces, wanted in tuning_faces(data):
        for reading in (reading for side in reader.read(np.stack(faces)) for reading in side):
            letters = min(len(reading.text), MOST_LETTERS)
            features.append([1.0, best_chance(reading.steps), letters])
            right.append(fold("".join(normalise(reading.text))) in wanted)
    return np.array(features), np.array(right, float)


def fit(features: Float64, right: Float64) -> Calibration:
    """By logistic regression."""
    return Calibration(*(round(float(weight), 4) for weight in logistic(features, right)))


def expected_error(calibration: Calibration, features: Float64, right: Float64, bins: int = 10) -> float:
    """Mean gap between stated confidence and share of right texts over `bins` equally full bins, [0, 1]."""
    return gap(np.array([calibration.chance(row[1], int(row[2])) for row in features]), right, bins)
