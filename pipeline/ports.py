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

from pipeline.imprint import ImprintMatch
from pipeline.schemas import CatalogItem, NewItem, Reading, SideName

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Int = NDArray[np.int64]


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

    async def judge(self, crops: UInt8) -> Float32:
        """Is the thing in the middle a pill at all? `crops`: as for `mask`; 160 px of them are looked at.

        Returns (N,) float32 in [0, 1].
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
class AttributeTable:
    """What the catalogues say of n items, as codes; -1 / 0 = not said. Row i belongs to the i-th row asked for."""

    shape: Int  # (n,) position in vocabulary.SHAPES
    form: Int  # (n,) position in vocabulary.FORMS
    colors: Int  # (n,) bit b set = vocabulary.COLORS[b] is on the pill
    catalog: Int  # (n,) position in Gallery.catalogs
    group: Int  # (n,) appearance group: equal numbers cannot be told apart by looking


class Gallery(Protocol):
    """Read access to the catalogues and their vectors. Items are dense row numbers, stable while loaded."""

    version: str
    catalogs: dict[str, str]
    """Catalogue id -> date of its data, in the order of `AttributeTable.catalog`."""

    def __len__(self) -> int:
        """Number of items."""

    def nearest(self, vectors: Float32, k: int, catalogs: Sequence[str] | None) -> Int:
        """Rows of the k items with a face nearest to any of `vectors` (R, D), best first, each once."""

    def similarities(self, vectors: Float32, rows: Int) -> Float32:
        """(n, 2): best cosine over `vectors` (R, D) with each item's front and back; NaN where it has no photo.

        Where the catalogue does not know the sides, photos are numbered in order: the first counts as front.
        """

    def match_imprint(self, readings: Sequence[Reading]) -> ImprintMatch:
        """What was read on one side against the imprints of every item; arrays (len(self), 2): front, back."""

    def blank(self, rows: Int) -> Float32:
        """(n, 2): 1 = that side is known to carry nothing, 0 = known to carry something, NaN = not known."""

    def attributes(self, rows: Int) -> AttributeTable:
        """Codes of the given rows."""

    def in_catalogs(self, catalogs: Sequence[str] | None) -> NDArray[np.bool_]:
        """(len(self),) True where the item is of one of `catalogs`; all True for None."""

    def search_imprint(self, text: str) -> Float32:
        """(len(self),) in [0, 1]: agreement of either side, or both, with what a person typed."""

    def search_name(self, text: str) -> Float32:
        """(len(self),) in [0, 1]: agreement of name, ingredient or manufacturer with what a person typed."""

    def item(self, row: int) -> CatalogItem:
        """The item at a row."""

    def find(self, item_id: str) -> CatalogItem:
        """The item of an id. Raises `pipeline.errors.UnknownItem`."""


@dataclass(frozen=True, slots=True, eq=False)
class NewFace:
    """One photographed side of an item that is added. `cutout`: PNG, RGBA; `vector`: (D,) float32 of unit length."""

    side: SideName
    cutout: bytes
    vector: Float32


class OwnItems(Protocol):
    """Where items added while serving are kept. Every method may raise `pipeline.errors.StoreUnavailable`."""

    def generation(self) -> int:
        """A number that grows with every addition, by whichever process."""

    def gallery(self) -> tuple[int, Gallery]:
        """All there is to search, own items included, and the generation that it shows."""

    def add(self, new: NewItem, faces: Sequence[NewFace], *, replace: bool) -> None:
        """Keep one item, whole or not at all. Raises `InvalidField` when its key is taken or there is no room."""
