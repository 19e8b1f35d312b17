"""A small catalogue in memory, implementing `pipeline.ports.Gallery`, for tests of ranking and of the walk."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.errors import UnknownItem
from pipeline.imprint import ImprintLexicon, ImprintMatch, ItemImprint
from pipeline.ports import AttributeTable
from pipeline.schemas import CatalogItem, Reading
from pipeline.vocabulary import COLORS, FORMS, SHAPES


@dataclass(frozen=True)
class Entry:
    """One item; `front`, `back`: unit vectors of its photos or None; `group`: its look."""

    item: CatalogItem
    group: int
    front: np.ndarray | None = None
    back: np.ndarray | None = None


class SmallGallery:
    """Exact search over a handful of entries."""

    version = "test"

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = list(entries)
        self.catalogs = dict.fromkeys((entry.item.catalog for entry in entries), "2026-01-01")
        self._lexicon = ImprintLexicon(
            [ItemImprint.from_texts(e.item.imprint_front, e.item.imprint_back) for e in entries]
        )

    def __len__(self) -> int:
        return len(self.entries)

    def nearest(self, vectors: np.ndarray, k: int, catalogs: Sequence[str] | None) -> np.ndarray:
        rows = np.flatnonzero(self.in_catalogs(catalogs))
        best = np.nan_to_num(self.similarities(vectors, rows), nan=-2).max(axis=1)
        return rows[np.argsort(-best)][:k][np.sort(-best)[:k] < 2]

    def similarities(self, vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
        def best(vector: np.ndarray | None) -> float:
            return float("nan") if vector is None else float((vectors @ vector).max())

        return np.array([[best(self.entries[r].front), best(self.entries[r].back)] for r in rows], np.float32)

    def match_imprint(self, readings: Sequence[Reading]) -> ImprintMatch:
        return self._lexicon.match(readings)

    def blank(self, rows: np.ndarray) -> np.ndarray:
        return self._lexicon.blank[rows]

    def attributes(self, rows: np.ndarray) -> AttributeTable:
        items = [self.entries[r].item for r in rows]
        return AttributeTable(
            shape=np.array([SHAPES.index(i.shape) if i.shape else -1 for i in items]),
            form=np.array([FORMS.index(i.form) if i.form else -1 for i in items]),
            colors=np.array([sum(1 << COLORS.index(c) for c in i.colors) for i in items]),
            catalog=np.array([list(self.catalogs).index(i.catalog) for i in items]),
            group=np.array([self.entries[r].group for r in rows]),
        )

    def in_catalogs(self, catalogs: Sequence[str] | None) -> np.ndarray:
        return np.array([catalogs is None or e.item.catalog in catalogs for e in self.entries])

    def search_imprint(self, text: str) -> np.ndarray:
        return self._lexicon.search(text)

    def search_name(self, text: str) -> np.ndarray:
        return np.array([float(text.lower() in e.item.name.lower()) for e in self.entries], np.float32)

    def item(self, row: int) -> CatalogItem:
        return self.entries[row].item

    def find(self, item_id: str) -> CatalogItem:
        for entry in self.entries:
            if entry.item.item_id == item_id:
                return entry.item
        raise UnknownItem("no catalogue holds this item")


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def small_gallery() -> SmallGallery:
    """Two white round look-alikes told apart by letters, a blue capsule, and a Korean row without a photo."""

    def item(key: str, name: str, front: str | None, back: str | None, **look: object) -> CatalogItem:
        catalog = "kr-mfds" if key.startswith("kr") else "us-nih"
        return CatalogItem(
            item_id=f"{catalog}:{key}", catalog=catalog, name=name, imprint_front=front, imprint_back=back, **look
        )

    white = {"shape": "round", "colors": ["white"], "form": "tablet"}
    return SmallGallery([
        Entry(item("1-1", "Alpha 10 mg", "ALPHA", "10", **white), 0, unit(1, 0, 0, 0), unit(0, 1, 0, 0)),
        Entry(item("1-2", "Beta 20 mg", "BETA", "20", **white), 1, unit(1, 0.05, 0, 0), unit(0, 1, 0.05, 0)),
        Entry(item("1-3", "Gamma", "GAMMA", "", shape="oblong", colors=["blue"], form="hard capsule"), 2,
              unit(0, 0, 1, 0), unit(0, 0, 1, 0.1)),
        Entry(item("kr1", "Delta", "DELTA", "", **white), 3),
        Entry(item("1-9", "Alpha repackaged", "ALPHA", "10", **white), 0, unit(1, 0, 0, 0), unit(0, 1, 0, 0)),
    ])  # fmt: skip
