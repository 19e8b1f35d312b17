"""Catalogues of one's own, added to while the service runs: one SQLite file in a folder of the operator's.

Every addition is one transaction: it is there whole or not at all, also when the process dies in the middle. Any number
of workers of one host may read and add; each sees by `generation` that there is something new. (SQLite needs a real
file system below it: between hosts, copy the file or let one of them serve.)

A store that cannot be read is never begun anew: the start stops and names the file, and a worker that meets it later
says so (`StoreUnavailable`) and reads it as soon as it can be read again.

Kept are facts, vectors, and the cut-outs that the vectors were made from, so that another embedder can look at them
anew (`python -m index refresh`); the photos themselves are not.
"""

import logging
import sqlite3
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from index.catalog import Entry, Face, Tables, write_catalog
from index.errors import IndexDamaged
from index.importers.rows import Imprint, ItemRow, Source
from index.search import LoadedIndex
from pipeline.errors import InvalidField, StoreUnavailable
from pipeline.ports import Gallery, NewFace
from pipeline.schemas import NewItem

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
log = logging.getLogger(__name__)

FILE: Final = "own.sqlite"
SCHEMA_VERSION: Final = 1
WAIT_S: Final = 5.0
"""How long one worker waits for another's addition to be written."""
SCHEMA: Final = """
BEGIN;
CREATE TABLE state (generation INTEGER NOT NULL) STRICT;
INSERT INTO state VALUES (0);
CREATE TABLE items (
    number INTEGER PRIMARY KEY,   -- in the order they were added
    catalog TEXT NOT NULL, key TEXT NOT NULL,
    facts TEXT NOT NULL,          -- index.importers.rows.ItemRow as JSON
    added TEXT NOT NULL,          -- date, UTC
    UNIQUE (catalog, key)
) STRICT;
CREATE TABLE faces (
    item INTEGER NOT NULL REFERENCES items (number) ON DELETE CASCADE,
    side TEXT NOT NULL,           -- front or back
    cutout BLOB NOT NULL,         -- PNG, RGBA, what the embedder saw
    model TEXT NOT NULL,          -- version of the embedder that made the vector
    vector BLOB NOT NULL          -- float32, little endian, unit length
) STRICT;
CREATE INDEX faces_of ON faces (item);
PRAGMA user_version = 1;      -- SCHEMA_VERSION
COMMIT;
"""


class OwnCatalogs:
    """Implements `pipeline.ports.OwnItems` over a folder.

    Args:
        folder: where the file is kept; made when it is not there. What is wrong with it, the methods say.
        base: the index that one's own items are added to; its catalogues cannot be added to.
        model: version of the embedder that is in use; faces seen by another one count by their facts alone.
        most: items kept at most.

    """

    def __init__(self, folder: Path, base: LoadedIndex, model: str, most: int) -> None:
        self._path, self._base, self._model, self._most = folder / FILE, base, model, most
        with suppress(IndexDamaged):  # a worker that starts again beside others: it answers with the same error as they
            create(folder)

    def generation(self) -> int:
        """A number that grows with every addition, by whichever worker. Raises `StoreUnavailable`."""
        with _open(self._path) as database:
            return int(database.execute("SELECT generation FROM state").fetchone()[0])

    def gallery(self) -> tuple[int, Gallery]:
        """The index with all own items behind its rows, and the generation that is. Raises `StoreUnavailable`."""
        with _open(self._path) as database:
            database.execute("BEGIN")  # both reads see the same state
            generation = int(database.execute("SELECT generation FROM state").fetchone()[0])
            items = list(database.execute("SELECT number, catalog, facts, added FROM items ORDER BY number"))
            faces = list(
                database.execute(
                    "SELECT item, side, vector FROM faces WHERE model = ? ORDER BY item, rowid", (self._model,)
                )
            )
            (stale,) = database.execute("SELECT count(*) FROM faces WHERE model <> ?", (self._model,)).fetchone()
        if stale:
            log.warning("%d faces of own items were seen by another embedder: run python -m index refresh", stale)
        if not items:
            return generation, self._base
        shown: dict[int, list[Face]] = {}
        for at, (number, side, _) in enumerate(faces):
            shown.setdefault(number, []).append(Face(side, at))
        vectors = np.array([np.frombuffer(vector, "<f4") for *_, vector in faces], np.float32)
        entries = [Entry(catalog, _facts(facts), tuple(shown.get(number, ()))) for number, catalog, facts, _ in items]
        dates = {catalog: added for _, catalog, _, added in sorted(items, key=lambda item: str(item[3]))}
        sources = [Source(name, name, f"{name}, added here", "as its owner says", day) for name, day in dates.items()]
        with tempfile.TemporaryDirectory() as folder:  # through the one writer and the one reader of catalogues
            path = Path(folder) / "own.sqlite"
            write_catalog(path, sources, entries, [""] * len(vectors))
            tables = Tables(path)
        return generation, self._base.extended(tables, vectors, f"{self._base.version}+{generation}")

    def add(self, new: NewItem, faces: Sequence[NewFace], *, replace: bool) -> None:
        """Write one item. Raises `InvalidField` when its key is taken or there is no room, `StoreUnavailable`."""
        if new.catalog in self._base.catalogs:
            raise InvalidField(f"catalog: {new.catalog} is not one of your own")
        facts, today = _row(new).model_dump_json(exclude_defaults=True), datetime.now(UTC).date().isoformat()
        with _open(self._path) as database:
            database.execute("BEGIN IMMEDIATE")
            key = (new.catalog, new.key)
            known = database.execute("SELECT number FROM items WHERE catalog = ? AND key = ?", key).fetchone()
            if known and not replace:
                raise InvalidField("key: there is an item of this key; replace=true replaces it")
            if known:
                database.execute("DELETE FROM items WHERE number = ?", known)
            if database.execute("SELECT count(*) FROM items").fetchone()[0] >= self._most:
                raise InvalidField(f"catalog: full, there are {self._most} items of your own")
            number = database.execute(
                "INSERT INTO items (catalog, key, facts, added) VALUES (?, ?, ?, ?)", (*key, facts, today)
            ).lastrowid
            database.executemany(
                "INSERT INTO faces VALUES (?, ?, ?, ?, ?)",
                [(number, f.side, f.cutout, self._model, f.vector.astype("<f4").tobytes()) for f in faces],
            )
            database.execute("UPDATE state SET generation = generation + 1")
            database.execute("COMMIT")


def create(folder: Path) -> None:
    """Make the folder and its file where they are not there; a file that is there stays as it is.

    Raises `IndexDamaged`: the file cannot be made, or is there and is not one of ours, whole, of this version.
    """
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        with _connected(path) as database:
            if (version := _version(database)) != SCHEMA_VERSION:
                raise IndexDamaged(path, f"schema version {version}, this program reads {SCHEMA_VERSION}")
            if database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise IndexDamaged(path, "damaged")
    except (OSError, StoreUnavailable) as error:
        what = "cannot be opened or made, or is no file of one's own items; put it in order, or another in its place"
        raise IndexDamaged(path, what) from error


def check(folder: Path, catalogs: Collection[str]) -> None:
    """What a start asks of a store, beside an index of these catalogues. Made when it is not there.

    Raises `IndexDamaged`: it cannot be read to its end, or has a catalogue that is also in the index.
    """
    create(folder)
    try:
        with _open(folder / FILE) as database:
            for catalog, facts in database.execute("SELECT catalog, facts FROM items"):
                if catalog in catalogs:
                    raise IndexDamaged(folder / FILE, f"{catalog} is a catalogue of the index too: rename one of them")
                _facts(facts)
    except StoreUnavailable as error:
        raise IndexDamaged(folder / FILE, str(error)) from error


def _make(path: Path) -> None:
    """Write an empty store and give it its name in one step that never replaces: of two who do it at once, one wins."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as scratch:
        fresh = Path(scratch) / FILE
        fresh.touch()
        with _connected(fresh) as database:
            database.executescript(SCHEMA)
        with suppress(FileExistsError):
            path.hardlink_to(fresh)


def read_cutout(picture: bytes) -> UInt8:
    """A kept cut-out, (S, S, 4) uint8 RGBA."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None  # we wrote it
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA), np.uint8)


def stale_faces(folder: Path, model: str) -> list[tuple[int, bytes]]:
    """Number and cut-out (PNG) of every face that another embedder than `model` saw."""
    with _open(folder / FILE) as database:
        return list(database.execute("SELECT rowid, cutout FROM faces WHERE model <> ?", (model,)))


def renew_faces(folder: Path, model: str, vectors: Sequence[tuple[int, Float32]]) -> None:
    """Write what the embedder `model` made of faces, by their numbers, all at once."""
    with _open(folder / FILE) as database:
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "UPDATE faces SET model = ?, vector = ? WHERE rowid = ?",
            [(model, vector.astype("<f4").tobytes(), number) for number, vector in vectors],
        )
        database.execute("UPDATE state SET generation = generation + 1")
        database.execute("COMMIT")


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of one's own, for one transaction: what is not committed when it closes was never there."""
    with _connected(path) as database:
        if _version(database) != SCHEMA_VERSION:
            raise StoreUnavailable("the catalogues of your own are of another version")
        yield database


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        where = f"{path.resolve().as_uri()}?mode=rw"  # a file that is not there must not be begun by asking for it
        with closing(sqlite3.connect(where, timeout=WAIT_S, isolation_level=None, uri=True)) as database:
            database.execute("PRAGMA foreign_keys = ON")
            database.execute("PRAGMA synchronous = FULL")
            yield database
    except sqlite3.Error as error:
        log.error("own catalogues: %s", type(error).__name__)
        raise StoreUnavailable("the catalogues of your own cannot be read or written right now") from error


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _facts(text: str) -> ItemRow:
    """Raises `StoreUnavailable`: a newer program of the same host wrote them, or nobody's."""
    try:
        return ItemRow.model_validate_json(text)
    except ValidationError as error:
        raise StoreUnavailable("an item of your own has facts that are not those of this version") from error


def _row(new: NewItem) -> ItemRow:
    """An item as catalogues keep it."""
    stated = new.imprint_front is not None or new.imprint_back is not None
    return ItemRow(
        key=new.key, name=new.name, manufacturer=new.manufacturer, ingredient=new.ingredient,
        imprints=(Imprint(front=new.imprint_front, back=new.imprint_back),) if stated else (),
        imprint_source="catalog" if stated else None, shapes=(new.shape,) if new.shape else (),
        colors_front=tuple(new.colors), form=new.form, score_line=new.score_line, length_mm=new.length_mm,
        width_mm=new.width_mm,
    )  # fmt: skip
