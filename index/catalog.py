"""The catalogues as one SQLite file: facts only, no image, no URL. Written once by a build, read whole at load."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from copy import copy
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Literal

from index.errors import IndexDamaged
from index.importers.rows import ItemRow, Source
from pipeline.schemas import CatalogItem

SCHEMA_VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE catalogs (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, attribution TEXT NOT NULL, terms TEXT NOT NULL,
    date TEXT NOT NULL, rows INTEGER NOT NULL, importer INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE makers (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE items (
    row INTEGER PRIMARY KEY,      -- 0, 1, 2 ...: the gallery's row number
    catalog TEXT NOT NULL REFERENCES catalogs (id),
    key TEXT NOT NULL,            -- item id = catalog:key
    name TEXT NOT NULL,
    maker INTEGER REFERENCES makers (id),
    ingredient TEXT,
    imprint_source TEXT,          -- catalog, twin or read
    sides_known INTEGER NOT NULL, -- 0: an imprint may be on either side
    shape TEXT,
    colors_front TEXT,            -- joined by ';'
    colors_back TEXT,
    form TEXT,
    score_line TEXT,
    length_mm REAL,
    width_mm REAL,
    appearance INTEGER,           -- equal for items that cannot be told apart by looking
    UNIQUE (catalog, key)
) STRICT;
CREATE TABLE imprints (           -- as the catalogue writes them; version 0 is the one to show, others may match too
    item INTEGER NOT NULL REFERENCES items (row),
    version INTEGER NOT NULL,
    front TEXT,                   -- NULL: not stated, '': known to be blank
    back TEXT,
    PRIMARY KEY (item, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE photos (vector INTEGER PRIMARY KEY, file TEXT NOT NULL) STRICT;
CREATE TABLE faces (              -- which vector belongs to which side of which item
    item INTEGER NOT NULL REFERENCES items (row),
    side TEXT NOT NULL,           -- front or back; where the source does not say, in the order of the photo
    vector INTEGER NOT NULL REFERENCES photos (vector),
    PRIMARY KEY (item, side, vector)
) STRICT, WITHOUT ROWID;
"""

IMPORTER_VERSION: Final = 1
"""Raised when the same file would give other rows; kept with each catalogue."""


@dataclass(frozen=True, slots=True)
class Face:
    """A photographed side of an item. `vector`: its row in the vector file."""

    side: Literal["front", "back"]
    vector: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One item as it goes into the file."""

    catalog: str
    item: ItemRow
    faces: tuple[Face, ...] = ()


def write_catalog(path: Path, sources: Sequence[Source], entries: Sequence[Entry], photos: Sequence[str]) -> None:
    """Write the file. `photos`: for every vector the name of the photo it was made from. `path` must not exist."""
    makers = {name: number for number, name in enumerate(sorted({e.item.manufacturer or "" for e in entries}))}
    appearances: dict[tuple[str, str], int] = {}
    counts = {source.id: 0 for source in sources}
    items: list[tuple[object, ...]] = []
    imprints: list[tuple[object, ...]] = []
    faces: list[tuple[object, ...]] = []
    for row, entry in enumerate(entries):
        item = entry.item
        counts[entry.catalog] += 1
        group = None
        if item.appearance is not None:
            group = appearances.setdefault((entry.catalog, item.appearance), len(appearances))
        items.append((
            row, entry.catalog, item.key, item.name,
            makers[item.manufacturer] if item.manufacturer else None, item.ingredient,
            item.imprint_source, int(item.sides_known), item.shapes[0] if item.shapes else None,
            ";".join(item.colors_front) or None, ";".join(item.colors_back) or None,
            item.form, item.score_line, item.length_mm, item.width_mm, group,
        ))  # fmt: skip
        imprints += ((row, version, pair.front, pair.back) for version, pair in enumerate(item.imprints))
        faces += ((row, face.side, face.vector) for face in entry.faces)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = OFF")  # the file is thrown away when anything goes wrong
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION:d}")
        database.executescript(SCHEMA)
        with database:
            database.executemany(
                "INSERT INTO catalogs VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(s.id, s.title, s.attribution, s.terms, s.date, counts[s.id], IMPORTER_VERSION) for s in sources],
            )
            database.executemany("INSERT INTO makers VALUES (?, ?)", [(n, name) for name, n in makers.items() if name])
            database.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", items)
            database.executemany("INSERT INTO imprints VALUES (?, ?, ?, ?)", imprints)
            database.executemany("INSERT INTO photos VALUES (?, ?)", enumerate(photos))
            database.executemany("INSERT INTO faces VALUES (?, ?, ?)", faces)
        database.execute("VACUUM")


@dataclass(frozen=True, slots=True)
class CatalogInfo:
    """One catalogue in the file."""

    source: Source
    rows: int


class Tables:
    """The whole file in memory, column by column; `CatalogItem`s are made when asked for.

    All item columns are tuples indexed by row; `versions` holds for every row its imprint pairs (front, back).
    """

    def __init__(self, path: Path) -> None:
        """Raises `IndexDamaged` when the file is not a catalogue of this schema."""
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
                self._read(database, path)
        except sqlite3.Error as error:
            raise IndexDamaged(path, f"not a readable catalogue ({type(error).__name__})") from error

    def _read(self, database: sqlite3.Connection, path: Path) -> None:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA_VERSION:
            raise IndexDamaged(path, f"schema version {version}, this program reads {SCHEMA_VERSION}")
        self.catalogs = {
            row[0]: CatalogInfo(Source(*row[:5]), row[5])
            for row in database.execute("SELECT id, title, attribution, terms, date, rows FROM catalogs")
        }
        makers: dict[int | None, str] = dict(database.execute("SELECT id, name FROM makers"))
        columns: list[tuple[Any, ...]] = (
            list(
                zip(
                    *database.execute(
                        "SELECT catalog, key, name, maker, ingredient, imprint_source, sides_known, shape, "
                        "colors_front, colors_back, form, score_line, length_mm, width_mm, appearance "
                        "FROM items ORDER BY row"
                    ),
                    strict=True,
                )
            )
            or [()] * 15
        )
        self.catalog: tuple[str, ...] = columns[0]
        self.key: tuple[str, ...] = columns[1]
        self.name: tuple[str, ...] = columns[2]
        self.manufacturer = tuple(map(makers.get, columns[3]))
        self.ingredient: tuple[str | None, ...] = columns[4]
        self.imprint_source = columns[5]
        self.sides_known = tuple(map(bool, columns[6]))
        self.shape: tuple[str | None, ...] = columns[7]
        self.colors = tuple(
            tuple(dict.fromkeys(filter(None, f"{front or ''};{back or ''}".split(";"))))
            for front, back in zip(columns[8], columns[9], strict=True)
        )
        self.form: tuple[str | None, ...] = columns[10]
        self.score_line: tuple[str | None, ...] = columns[11]
        self.length_mm: tuple[float | None, ...] = columns[12]
        self.width_mm: tuple[float | None, ...] = columns[13]
        self.appearance: tuple[int | None, ...] = columns[14]
        self.versions: list[list[tuple[str | None, str | None]]] = [[] for _ in self.key]
        for item, front, back in database.execute("SELECT item, front, back FROM imprints ORDER BY item, version"):
            self.versions[item].append((front, back))
        self.faces: list[tuple[int, str, int]] = list(database.execute("SELECT item, side, vector FROM faces"))
        self.photos: tuple[str, ...] = tuple(
            file for (file,) in database.execute("SELECT file FROM photos ORDER BY vector")
        )
        self._arrange()

    def _arrange(self) -> None:
        self._has_photo = frozenset(item for item, _, _ in self.faces)
        self._row_of = {pair: row for row, pair in enumerate(zip(self.catalog, self.key, strict=True))}
        grouped = sorted((group, row) for row, group in enumerate(self.appearance) if group is not None)
        self._look_alikes = {group: [row for _, row in rows] for group, rows in groupby(grouped, key=itemgetter(0))}

    def followed_by(self, other: "Tables") -> "Tables":
        """These rows and, behind them, those of another file of other catalogues. Both stay as they are."""
        both = copy(self)
        rows, vectors = len(self), len(self.photos)
        appearances = 1 + max((group for group in self.appearance if group is not None), default=-1)
        for column in (
            "catalog", "key", "name", "manufacturer", "ingredient", "imprint_source", "sides_known", "shape", "colors",
            "form", "score_line", "length_mm", "width_mm", "versions", "photos",
        ):  # fmt: skip
            setattr(both, column, getattr(self, column) + getattr(other, column))
        both.catalogs = {**self.catalogs, **other.catalogs}
        both.appearance += tuple(None if group is None else group + appearances for group in other.appearance)
        both.faces = self.faces + [(item + rows, side, vector + vectors) for item, side, vector in other.faces]
        both._arrange()
        return both

    def __len__(self) -> int:
        return len(self.key)

    def item_id(self, row: int) -> str:
        return f"{self.catalog[row]}:{self.key[row]}"

    def row_of(self, item_id: str) -> int | None:
        """The row of an item id, None when there is none."""
        catalog, _, key = item_id.partition(":")
        return self._row_of.get((catalog, key))

    def look_alikes(self, row: int) -> Iterable[int]:
        """Rows of the other items that cannot be told apart from this one by looking."""
        group = self.appearance[row]
        return (other for other in self._look_alikes.get(group, ()) if other != row) if group is not None else ()

    def item(self, row: int) -> CatalogItem:
        front, back = self.versions[row][0] if self.versions[row] else (None, None)
        source = self.catalogs[self.catalog[row]].source
        return CatalogItem(
            item_id=self.item_id(row),
            catalog=self.catalog[row],
            name=self.name[row],
            manufacturer=self.manufacturer[row],
            ingredient=self.ingredient[row],
            imprint_front=front,
            imprint_back=back,
            imprint_source=self.imprint_source[row],
            sides_known=self.sides_known[row],
            shape=self.shape[row],
            colors=list(self.colors[row]),
            form=self.form[row],
            score_line=self.score_line[row],
            length_mm=self.length_mm[row],
            width_mm=self.width_mm[row],
            has_photo=row in self._has_photo,
            same_appearance=[self.item_id(other) for other in self.look_alikes(row)],
            source=source.attribution,
            catalog_date=source.date,
        )
