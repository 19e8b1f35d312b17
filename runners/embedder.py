"""Cut-outs -> vectors in which the same pill is near, whoever photographed it."""

from pathlib import Path
from typing import Final

import bentoml
import numpy as np
import onnxruntime as ort

from pipeline.ports import Float32, UInt8
from pipeline.settings import settings
from runners.guard import guarded
from runners.images import on_black
from runners.serving import MAX_BATCH, MAX_BATCH_LATENCY_MS, RUNNER_CONFIG
from runners.session import input_size, open_model

TURNS: Final = 4
"""Quarter turns embedded per cut-out: its long axis is known, which end is up is not; round pills have no axis."""


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
        counter-clockwise.
        """
        upright = on_black(cutouts, self.size)
        turned = np.stack([np.rot90(upright, turns, axes=(1, 2)) for turns in range(TURNS)], axis=1)
        batch = turned.reshape(-1, self.size, self.size, 3)
        vectors = np.asarray(self.session.run(None, {self.input: batch})[0], np.float32)
        return vectors.reshape(len(cutouts), TURNS, -1)


@guarded
@bentoml.service(name="embedder", **RUNNER_CONFIG)
class EmbedderRunner:
    """`Embedder` as a service of its own."""

    def __init__(self) -> None:
        self.embedder = Embedder.open(settings().models_dir)

    @bentoml.api(batchable=True, max_batch_size=MAX_BATCH, max_latency_ms=MAX_BATCH_LATENCY_MS)
    def embed(self, cutouts: np.ndarray) -> np.ndarray:
        """See `Embedder.embed`."""
        return self.embedder.embed(cutouts)
