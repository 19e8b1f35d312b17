"""What the pipeline needs from the outside: five runners and a gallery, as protocols.

The same walk (`pipeline.identify`) runs in one process, through BentoML services on one machine, or through
services on many hosts: whoever composes it hands in objects of these shapes.

A runner that cannot answer raises `pipeline.errors.RunnerUnavailable`; the walk goes on without its evidence
where it can.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.schemas import CatalogItem, Reading

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]


class Detector(Protocol):
    async def detect(self, frame: UInt8) -> Float32:
        """Find pills. `frame`: (H, W, 3) uint8 RGB, upright.

        Returns (N, 5) float32, best first: x1, y1, x2, y2 in px of `frame`, score in [0, 1].
        """


class Background(Protocol):
    async def mask(self, crops: UInt8) -> UInt8:
        """Tell pill from background. `crops`: (N, S, S, 3) uint8 RGB, one pill in the middle of each.

        Returns (N, S, S) uint8, 255 where the pill is.
        """


class Classifier(Protocol):
    async def classify(self, cutouts: UInt8) -> Float32:
        """Attributes of cut-outs. `cutouts`: (N, S, S, 4) uint8 RGBA, alpha = the pill.

        Returns (N, ATTRIBUTE_WIDTH) float32 probabilities laid out as `pipeline.attributes.LAYOUT` says.
        """


class Embedder(Protocol):
    async def embed(self, cutouts: UInt8) -> Float32:
        """Vectors of cut-outs. `cutouts`: (N, S, S, 4) uint8 RGBA.

        Returns (N, R, D) float32, L2-normalised; the R vectors belong to R quarter turns of the cut-out.
        """


class Reader(Protocol):
    async def read(self, cutouts: UInt8) -> list[list[Reading]]:
        """Imprints on cut-outs. `cutouts`: (N, S, S, 4) uint8 RGBA.

        Returns for every cut-out all readings of all rotations tried, most confident first.
        """


@dataclass(frozen=True, slots=True)
class Runners:
    """The five runners one walk needs."""

    detector: Detector
    background: Background
    classifier: Classifier
    embedder: Embedder
    ocr: Reader


@dataclass(frozen=True, slots=True)
class FaceHit:
    """One face (a photographed side of a catalogue item) near a query vector.

    `item`: row number of the item in the gallery; `side`: "front" | "back" | "unknown";
    `similarity`: cosine, [-1, 1].
    """

    item: int
    side: str
    similarity: float


class Gallery(Protocol):
    """Read access to the catalogues and their vectors. Rows are dense integers, stable while loaded."""

    version: str

    def nearest(self, vectors: Float32, k: int, catalogs: Sequence[str] | None) -> list[FaceHit]:
        """The k faces nearest to any of `vectors` (R, D); per face the best of the R, best first."""

    def similarities(self, vectors: Float32, items: Sequence[int]) -> list[dict[str, float]]:
        """For each item: best cosine over `vectors` (R, D), per side that has photos. {} without a photo."""

    def by_imprint(self, readings: Sequence[Reading], k: int, catalogs: Sequence[str] | None) -> list[int]:
        """Items whose imprints agree best with what was read, best first."""

    def by_attributes(
        self, shape: str | None, color: str | None, form: str | None, name: str | None, k: int,
        catalogs: Sequence[str] | None,
    ) -> list[int]:  # fmt: skip
        """Items that match every attribute given (None matches all), in catalogue order."""

    def item(self, row: int) -> CatalogItem:
        """The item at a row."""

    def find(self, item_id: str) -> CatalogItem:
        """The item of an id. Raises `pipeline.errors.UnknownItem`."""
