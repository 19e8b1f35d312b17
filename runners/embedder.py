"""Cut-outs -> vectors in which the same pill is near, whoever photographed it."""

from pathlib import Path
from typing import Final

import bentoml
import cv2
import numpy as np
import onnxruntime as ort

from pipeline.ports import Float32, Int, UInt8
from pipeline.settings import settings
from runners.guard import guarded
from runners.images import on_black
from runners.serving import RUNNER_CONFIG, batched
from runners.session import input_size, open_model

TURNS: Final = 4
"""Quarter turns per cut-out: a round pill has no upright of its own."""

LONG: Final = 1.4
"""Width / height of a pill from which only half turns can be right: cut-outs lie on their long side. Well above
`pipeline.cutout.ELONGATED`, where a pill may lie along in the photo and across in its reference."""


class Embedder:
    """The embedding model with its pre-processing.

    Args:
        session: takes (N, S, S, 3) uint8 RGB on black, returns (N, D) float32, L2-normalised.
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        self.session = session
        self.input = session.get_inputs()[0].name
        self.size = input_size(session)

    @classmethod
    def open(cls, models_dir: Path | None = None) -> "Embedder":
        """The shipped model, or the one of another models folder. Raises `runners.session.ModelError`."""
        return cls(open_model("embedder", models_dir))

    def embed(self, cutouts: UInt8) -> Float32:
        """`cutouts`: (N, S, S, 4) uint8 RGBA, N >= 1.

        Returns (N, 4, D) float32, L2-normalised: the cut-out as it is, then turned by 90, 180 and 270 degrees
        counter-clockwise. Quarter turns of a long pill repeat the half turns before them, at half the cost.
        """
        batch, views = turned(cutouts, self.size)
        vectors = np.asarray(self.session.run(None, {self.input: batch})[0], np.float32)
        return vectors[views]


def turned(cutouts: UInt8, size: int) -> tuple[UInt8, Int]:
    """Every turn of (N, S, S, 4) uint8 RGBA cut-outs that is worth a look.

    Returns (M, `size`, `size`, 3) uint8 RGB on black, and (N, TURNS): which of the M is each quarter turn.
    """
    views, batch = np.zeros((len(cutouts), TURNS), np.int64), []
    for n, (image, cutout) in enumerate(zip(on_black(cutouts, size), cutouts, strict=True)):
        step = 2 if is_long(cutout) else 1
        for turns in range(TURNS):
            if turns % step == 0:
                batch.append(np.rot90(image, turns))
            views[n, turns] = len(batch) - 1
    return np.stack(batch), views


def is_long(cutout: UInt8) -> bool:
    """Whether a cut-out, (S, S, 4) uint8 RGBA, holds a pill that can only lie along its long side."""
    _, _, width, height = cv2.boundingRect(np.ascontiguousarray(cutout[..., 3]))
    return bool(width >= LONG * height)


@guarded
@bentoml.service(name="embedder", **RUNNER_CONFIG)
class EmbedderRunner:
    """`Embedder` as a service of its own."""

    def __init__(self) -> None:
        self.embedder = Embedder.open(settings().models_dir)

    @batched
    def embed(self, cutouts: np.ndarray) -> np.ndarray:
        """See `Embedder.embed`."""
        return self.embedder.embed(cutouts)
