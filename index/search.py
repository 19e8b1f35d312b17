"""The loaded index: every catalogue and every reference vector, ready to be asked. No pickle, no lock, read only."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.catalog import Tables
from index.errors import IndexDamaged
from index.manifest import CATALOG, VECTORS, Manifest
from index.names import NameSearch
from index.vectors import EFFORT, Vectors
from pipeline.errors import UnknownItem
from pipeline.imprint import ImprintLexicon, ImprintMatch, ItemImprint
from pipeline.imprint_text import is_blank, normalise
from pipeline.ports import AttributeTable
from pipeline.schemas import CatalogItem, Reading
from pipeline.vocabulary import COLORS, FORMS, SHAPES

Float32 = NDArray[np.float32]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

SHIPPED: Final = Path(__file__).with_name("data")
"""The index that comes with the program."""


class LoadedIndex:
    """Implements `pipeline.ports.Gallery`; rows are those of the catalogue file."""

    def __init__(self, folder: Path = SHIPPED, effort: int = EFFORT) -> None:
        """`effort`: of an approximate search, see `index.vectors`.

        Raises `IndexDamaged`, naming the file, when anything differs from the manifest.
        """
        self.manifest = Manifest.read(folder)
        self.manifest.check(folder)
        self.version = self.manifest.index
        self.tables = Tables(folder / CATALOG)
        self._vectors = Vectors(folder / VECTORS, effort)
        if len(self._vectors) != len(self.tables.photos):
            raise IndexDamaged(folder / VECTORS, f"{len(self._vectors)} vectors for {len(self.tables.photos)} photos")
        self.catalogs = {name: info.source.date for name, info in self.tables.catalogs.items()}
        self._table = self._attribute_table()
        self._names = NameSearch(
            [
                " ".join(filter(None, texts))
                for texts in zip(self.tables.name, self.tables.ingredient, self.tables.manufacturer, strict=True)
            ]
        )
        self._lay_out_faces()
        self._lay_out_imprints()

    def __len__(self) -> int:
        return len(self.tables)

    def _attribute_table(self) -> AttributeTable:
        tables = self.tables
        bit = {color: 1 << i for i, color in enumerate(COLORS)}
        alone = len(tables)  # group numbers below this: items that share their photo with no other
        return AttributeTable(
            shape=_codes(tables.shape, SHAPES),
            form=_codes(tables.form, FORMS),
            colors=np.array([sum(bit[color] for color in colors) for colors in tables.colors], np.int64),
            catalog=_codes(tables.catalog, tuple(self.catalogs)),
            group=np.array([row if g is None else alone + g for row, g in enumerate(tables.appearance)], np.int64),
        )

    def _lay_out_faces(self) -> None:
        """Faces twice: by item (what it shows) and by vector (which items show it)."""
        faces = np.array([(item, side == "back", vector) for item, side, vector in self.tables.faces], np.int64)
        faces = faces.reshape(-1, 3)
        by_item = faces[np.argsort(faces[:, 0], kind="stable")]
        self._item_starts = np.searchsorted(by_item[:, 0], np.arange(len(self) + 1))
        self._face_is_back, self._face_vector = by_item[:, 1], by_item[:, 2]
        by_vector = faces[np.argsort(faces[:, 2], kind="stable")]
        self._vector_starts = np.searchsorted(by_vector[:, 2], np.arange(len(self._vectors) + 1))
        self._items_by_vector = by_vector[:, 0]
        self._vector_catalog = np.full(len(self._vectors), -1, np.int64)
        self._vector_catalog[by_vector[:, 2]] = self._table.catalog[by_vector[:, 0]]

    def _lay_out_imprints(self) -> None:
        """One lexicon entry per version of an item's imprint; of 75,000 sides 16,000 differ, so each is read once."""
        entries: list[ItemImprint] = []
        starts: list[int] = []
        for versions, sides_known in zip(self.tables.versions, self.tables.sides_known, strict=True):
            starts.append(len(entries))
            for front, back in versions or [(None, None)]:
                (front_tokens, front_blank), (back_tokens, back_blank) = _side(front), _side(back)
                entries.append(ItemImprint(front_tokens, back_tokens, sides_known, front_blank, back_blank))
        _side.cache_clear()
        self._entry_starts = np.array(starts, np.int64)
        self._lexicon = ImprintLexicon(entries)

    def in_catalogs(self, catalogs: Sequence[str] | None) -> Bool:
        """(len(self),) True where the item is of one of `catalogs`; all True for None."""
        return np.isin(self._table.catalog, self._codes_of(catalogs))

    def _codes_of(self, catalogs: Sequence[str] | None) -> list[int]:
        return [code for code, name in enumerate(self.catalogs) if catalogs is None or name in catalogs]

    def nearest(self, vectors: Float32, k: int, catalogs: Sequence[str] | None) -> Int:
        """Rows of the k items with a face nearest to any of `vectors` (R, D), best first, each once."""
        among = None if catalogs is None else np.isin(self._vector_catalog, self._codes_of(catalogs))
        available = len(self._vectors) if among is None else int(among.sum())
        wanted = k
        while True:  # an item shows several faces and a face several items, so k faces may be too few
            faces = self._vectors.nearest(vectors, wanted, among)
            items = list(dict.fromkeys(item for face in faces for item in self._shown_by(face)))
            if len(items) >= k or wanted >= available:
                return np.array(items[:k], np.int64)
            wanted *= 2

    def _shown_by(self, vector: int) -> Int:
        return self._items_by_vector[self._vector_starts[vector] : self._vector_starts[vector + 1]]

    def similarities(self, vectors: Float32, rows: Int) -> Float32:
        """(n, 2): best cosine over `vectors` (R, D) with each item's front and back; NaN where it has no photo.

        Where the catalogue does not know the sides, photos are numbered in order: the first counts as front.
        """
        starts, stops = self._item_starts[rows], self._item_starts[rows + 1]
        counts = stops - starts
        faces = np.arange(counts.sum()) + np.repeat(starts - np.cumsum(counts) + counts, counts)
        distinct, place = np.unique(self._face_vector[faces], return_inverse=True)
        cosines = self._vectors.similarities(vectors, distinct)[place]
        best = np.full((len(rows), 2), np.nan, np.float32)
        np.fmax.at(best, (np.repeat(np.arange(len(rows)), counts), self._face_is_back[faces]), cosines)
        return best

    def match_imprint(self, readings: Sequence[Reading]) -> ImprintMatch:
        """What was read on one side against the imprints of every item; arrays (len(self), 2): front, back.

        Of an item whose catalogue gives several versions of its imprint, the best one counts.
        """
        match, starts = self._lexicon.match(readings), self._entry_starts
        return ImprintMatch(
            llr=np.maximum.reduceat(match.llr, starts),
            agreement=np.maximum.reduceat(match.agreement, starts),
            strength=np.maximum.reduceat(match.strength, starts),
            known=np.logical_or.reduceat(match.known, starts),
        )

    def blank(self, rows: Int) -> Float32:
        """(n, 2): 1 = that side is known to carry nothing, 0 = known to carry something, NaN = not known."""
        return np.asarray(self._lexicon.blank[self._entry_starts[rows]], np.float32)

    def attributes(self, rows: Int) -> AttributeTable:
        """Codes of the given rows."""
        table = self._table
        return AttributeTable(
            table.shape[rows], table.form[rows], table.colors[rows], table.catalog[rows], table.group[rows]
        )

    def search_imprint(self, text: str) -> Float32:
        """(len(self),) in [0, 1]: agreement of either side, or both, with what a person typed."""
        return np.asarray(np.maximum.reduceat(self._lexicon.search(text), self._entry_starts), np.float32)

    def search_name(self, text: str) -> Float32:
        """(len(self),) in [0, 1]: agreement of name, ingredient or manufacturer with what a person typed."""
        return self._names.agreement(text)

    def item(self, row: int) -> CatalogItem:
        """The item at a row."""
        return self.tables.item(row)

    def find(self, item_id: str) -> CatalogItem:
        """The item of an id. Raises `pipeline.errors.UnknownItem`."""
        row = self.tables.row_of(item_id)
        if row is None:
            raise UnknownItem("no catalogue holds this item")
        return self.tables.item(row)


@cache
def _side(text: str | None) -> tuple[tuple[str, ...] | None, bool | None]:
    """Tokens of one side and whether it is blank, as `ItemImprint` takes them."""
    return None if text is None else normalise(text), is_blank(text)


def _codes(column: Sequence[str | None], words: Sequence[str]) -> Int:
    """(n,) int64: position of each value in `words`, -1 for None."""
    position: dict[str | None, int] = {word: i for i, word in enumerate(words)}
    return np.array([position.get(value, -1) for value in column], np.int64)
