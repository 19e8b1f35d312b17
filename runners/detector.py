"""Photo -> boxes of pills."""

from pathlib import Path
from typing import Final

import bentoml
import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pipeline.ports import Float32, UInt8
from pipeline.settings import settings
from runners.guard import guarded
from runners.images import resize
from runners.serving import RUNNER_CONFIG
from runners.session import input_size, open_model

MIN_SCORE: Final = 0.05
"""Boxes below are noise and only cost time; what counts as a pill is decided by the pipeline, far above."""

MAX_OVERLAP: Final = 0.6
"""IoU from which two boxes are the same pill; the boxes of two touching pills overlap by far less."""

MAX_PILLS: Final = 100

PADDING_GRAY: Final = 114
"""What the model saw around letterboxed photos in training (the ultralytics convention)."""


class Detector:
    """The detection model with letterboxing and non-maximum suppression.

    Args:
        session: takes (1, S, S, 3) uint8 RGB, returns (1, 5, A) float32: centre x, centre y, width, height in px of
            the input, score in [0, 1] (the anchor-free ultralytics layout, one class).
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        self.session = session
        self.input = session.get_inputs()[0].name
        self.size = input_size(session)

    @classmethod
    def open(cls, models_dir: Path | None = None) -> "Detector":
        """The shipped model, or the one of another models folder. Raises `runners.session.ModelError`."""
        return cls(open_model("detector", models_dir))

    def detect(self, frame: UInt8) -> Float32:
        """`frame`: (H, W, 3) uint8 RGB, upright.

        Returns (N, 5) float32, best first, N <= 100: x1, y1, x2, y2 in px of `frame`, inside it; score in [0, 1].
        """
        canvas, scale, left, top = letterbox(frame, self.size)
        predictions = np.asarray(self.session.run(None, {self.input: canvas[None]})[0], np.float32)[0].T
        predictions = predictions[predictions[:, 4] >= MIN_SCORE]
        centres, sizes, scores = predictions[:, :2], predictions[:, 2:4], predictions[:, 4]
        corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
        boxes = (corners - (left, top, left, top)) / scale
        height, width = frame.shape[:2]
        boxes = np.clip(boxes, 0, (width, height, width, height))
        kept = _suppress(boxes, scores)
        return np.column_stack([boxes[kept], scores[kept]]).astype(np.float32)


def letterbox(frame: UInt8, size: int) -> tuple[UInt8, float, int, int]:
    """Fit (H, W, 3) uint8 into the middle of a gray square of side `size`, px, its proportions kept.

    Returns the square, and scale, left, top with which square px = photo px * scale + (left, top).
    """
    height, width = frame.shape[:2]
    scale = size / max(height, width)
    inner_width, inner_height = max(round(width * scale), 1), max(round(height * scale), 1)
    left, top = (size - inner_width) // 2, (size - inner_height) // 2
    canvas = np.full((size, size, 3), PADDING_GRAY, np.uint8)
    canvas[top : top + inner_height, left : left + inner_width] = resize(frame, inner_width, inner_height)
    return canvas, scale, left, top


def _suppress(boxes: NDArray[np.floating], scores: Float32) -> list[int]:
    """Rows of `boxes` (N, 4: corners) that no better-scored row covers by MAX_OVERLAP, best first."""
    corner_and_size = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(corner_and_size.tolist(), scores.tolist(), MIN_SCORE, MAX_OVERLAP)
    return [int(row) for row in kept][:MAX_PILLS]


@guarded
@bentoml.service(name="detector", **RUNNER_CONFIG)
class DetectorRunner:
    """`Detector` as a service of its own. Not batched: photos differ in size."""

    def __init__(self) -> None:
        self.detector = Detector.open(settings().models_dir)

    @bentoml.api
    def detect(self, frame: np.ndarray) -> np.ndarray:
        """See `Detector.detect`."""
        return self.detector.detect(frame)
