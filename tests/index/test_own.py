"""Items of one's own: kept whole or not at all, found like any other, by every process that shares the folder."""

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index.errors import IndexDamaged
from index.own import FILE, OwnCatalogs, check, create, renew_faces, stale_faces
from index.search import LoadedIndex
from pipeline.errors import InvalidField, StoreUnavailable
from pipeline.ports import NewFace
from pipeline.schemas import NewItem, Reading
from tests.index.small_index import build_small, unit

MODEL = "of these tests"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> LoadedIndex:
    return LoadedIndex(build_small(tmp_path_factory.mktemp("base")))


@pytest.fixture
def own(base: LoadedIndex, tmp_path: Path) -> OwnCatalogs:
    return OwnCatalogs(tmp_path / "own", base, MODEL, 3)


def item(key: str = "A-1", **facts: object) -> NewItem:
    stated = {"catalog": "mine", "key": key, "name": f"Demo {key}", "imprint_front": "DEMO 10", "imprint_back": ""}
    return NewItem.model_validate(stated | {"shape": "oval", "colors": ["white", "blue"], "form": "tablet"} | facts)


def face(seed: int, side: str = "front") -> NewFace:
    return NewFace(side, f"picture {seed}".encode(), unit(seed))  # type: ignore[arg-type]


def index_of(own: OwnCatalogs) -> LoadedIndex:
    gallery = own.gallery()[1]
    assert isinstance(gallery, LoadedIndex)
    return gallery


def row(index: LoadedIndex, item_id: str) -> int:
    found = index.tables.row_of(item_id)
    assert found is not None
    return found


def test_without_items_the_gallery_is_the_index(own: OwnCatalogs, base: LoadedIndex) -> None:
    assert own.gallery() == (0, base)


def test_an_added_item_is_found_in_every_way_and_the_others_as_before(own: OwnCatalogs, base: LoadedIndex) -> None:
    own.add(item(), [face(50), face(51), face(52, "back")], replace=False)
    index = index_of(own)
    new = row(index, "mine:A-1")
    assert len(index) == len(base) + 1
    assert index.item(new).model_dump(include={"name", "colors", "imprint_front", "imprint_back", "has_photo"}) == {
        "name": "Demo A-1", "colors": ["white", "blue"], "imprint_front": "DEMO 10", "imprint_back": "",
        "has_photo": True,
    }  # fmt: skip
    for seed, side in ((50, 0), (51, 0), (52, 1)):  # several photos of one side
        assert index.nearest(unit(seed)[None], 1, None).tolist() == [new]
        assert index.similarities(unit(seed)[None], np.array([new]))[0, side] == pytest.approx(1, abs=1e-3)
    assert index.nearest(unit(50)[None], 9, ["mine"]).tolist() == [new]
    reading = Reading(text="DEMO 10", confidence=0.95, box=[100, 150, 300, 200], rotation=0)
    assert int(index.match_imprint([reading]).llr.max(axis=1).argmax()) == new
    assert int(index.search_imprint("demo10").argmax()) == new
    assert int(index.search_name("demo").argmax()) == new
    assert index.blank(np.array([new]))[0].tolist() == [0.0, 1.0]
    assert index.catalogs.keys() == {*base.catalogs, "mine"}
    assert index.version == f"{base.version}+1"
    for old in range(len(base)):
        assert index.item(old) == base.item(old)
    assert index.nearest(unit(3)[None], 1, None).tolist() == base.nearest(unit(3)[None], 1, None).tolist()
    assert len(base) == len(index) - 1  # what was loaded before answers as before
    assert "mine" not in base.catalogs


def test_groups_of_look_alikes_do_not_mix(own: OwnCatalogs, base: LoadedIndex) -> None:
    own.add(item("A-1"), [face(50)], replace=False)
    own.add(item("A-2"), [face(53)], replace=False)
    index = index_of(own)
    groups = index.attributes(np.arange(len(index))).group
    assert len(set(groups[-2:]) | set(groups[: len(base)])) == 2 + len(set(groups[: len(base)]))


def test_every_process_sees_what_another_adds(own: OwnCatalogs, base: LoadedIndex, tmp_path: Path) -> None:
    other = OwnCatalogs(tmp_path / "own", base, MODEL, 3)
    before = other.generation()
    own.add(item(), [face(50)], replace=False)
    assert other.generation() > before
    assert index_of(other).find("mine:A-1").name == "Demo A-1"


def test_a_key_is_replaced_only_when_told_to(own: OwnCatalogs) -> None:
    own.add(item(), [face(50)], replace=False)
    with pytest.raises(InvalidField, match=r"^key: "):
        own.add(item(name="Another"), [face(60)], replace=False)
    own.add(item(name="Another"), [face(60)], replace=True)
    index = index_of(own)
    assert index.find("mine:A-1").name == "Another"
    assert len(stale_faces(own._path.parent, "any other")) == 1  # the faces of the first went with it


def test_limits_and_names(own: OwnCatalogs) -> None:
    with pytest.raises(InvalidField, match="us-nih is not one"):
        own.add(item(catalog="us-nih"), [face(50)], replace=False)
    for number in range(3):
        own.add(item(f"A-{number}"), [face(50 + number)], replace=False)
    with pytest.raises(InvalidField, match="full"):
        own.add(item("A-9"), [face(59)], replace=False)
    own.add(item("A-2", name="Still fits"), [face(52)], replace=True)


def test_what_another_embedder_saw_counts_by_its_facts_until_it_is_seen_anew(
    own: OwnCatalogs, base: LoadedIndex, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own.add(item(), [face(50)], replace=False)
    newer = OwnCatalogs(tmp_path / "own", base, "a newer one", 3)
    index = index_of(newer)
    assert not index.find("mine:A-1").has_photo
    assert "index refresh" in caplog.text
    ((number, cutout),) = stale_faces(tmp_path / "own", "a newer one")
    assert cutout == b"picture 50"
    before = newer.generation()
    renew_faces(tmp_path / "own", "a newer one", [(number, unit(70))])
    assert newer.generation() > before
    assert index_of(newer).nearest(unit(70)[None], 1, ["mine"]).tolist() == [row(index, "mine:A-1")]


def test_an_addition_that_is_interrupted_was_never_there(own: OwnCatalogs, base: LoadedIndex, tmp_path: Path) -> None:
    own.add(item(), [face(50)], replace=False)
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(Path.cwd())!r})
import numpy as np
from index.own import OwnCatalogs
from tests.index.test_own import face, item
from index.search import LoadedIndex
class Deadly:
    side, cutout = "back", b""
    @property
    def vector(self):
        os.kill(os.getpid(), signal.SIGKILL)  # in the middle of the transaction: the item is written, this face not
own = OwnCatalogs.__new__(OwnCatalogs)
from pathlib import Path
own._path, own._model, own._most = Path({str(tmp_path / "own" / FILE)!r}), "m", 9
own._base = type("Base", (), {{"catalogs": {{}}}})
own.add(item("A-2"), [face(51), Deadly()], replace=False)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, env={**os.environ}, cwd=Path.cwd())
    assert done.returncode == -signal.SIGKILL
    assert own.generation() == 1
    assert len(index_of(own)) == len(base) + 1
    own.add(item("A-3"), [face(52)], replace=False)  # and nothing is locked


def broken_store(folder: Path, how: str) -> bytes:
    """Put something that is no readable store where one is kept; what is there now."""
    path = folder / FILE
    create(folder)
    if how in ("noise", "empty"):
        path.write_bytes(b"no database at all" * 100 if how == "noise" else b"")
    elif how == "somebody else's":
        path.unlink()
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE theses (years)")
    else:
        statement = {
            "of a newer version": "PRAGMA user_version = 99",
            "facts of a newer version": "INSERT INTO items VALUES (1, 'mine', 'x', '{\"new\": 1}', '2026-01-01')",
        }[how]
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute(statement)
    return path.read_bytes()


BROKEN = ("noise", "empty", "somebody else's", "of a newer version", "facts of a newer version")


@pytest.mark.parametrize("how", BROKEN)
def test_a_store_that_cannot_be_read_stops_the_start_and_is_never_begun_anew(
    base: LoadedIndex, tmp_path: Path, how: str
) -> None:
    before = broken_store(tmp_path, how)
    with pytest.raises(IndexDamaged, match=FILE):
        check(tmp_path, base.catalogs)
    with pytest.raises(StoreUnavailable):  # a worker that meets it later says so, and changes nothing either
        OwnCatalogs(tmp_path, base, MODEL, 3).gallery()
    assert (tmp_path / FILE).read_bytes() == before
    assert list(tmp_path.iterdir()) == [tmp_path / FILE]


def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IndexDamaged, match="cannot be opened or made"):
        check(tmp_path / "file" / "own", ())


def test_of_many_who_make_the_store_at_once_one_does(base: LoadedIndex, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as at_once:
        for made in at_once.map(lambda n: OwnCatalogs(tmp_path, base, MODEL, 50), range(16)):
            made.add(item(f"A-{id(made)}"), [face(50)], replace=False)
    assert OwnCatalogs(tmp_path, base, MODEL, 50).generation() == 16
    assert list(tmp_path.iterdir()) == [tmp_path / FILE]


def test_a_catalogue_that_is_in_the_index_too_stops_the_start(base: LoadedIndex, tmp_path: Path) -> None:
    create(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
        database.execute("INSERT INTO items (catalog, key, facts, added) VALUES ('us-nih', 'x', '{}', '2026-01-01')")
    with pytest.raises(IndexDamaged, match="us-nih"):
        check(tmp_path, base.catalogs)


def test_a_lost_file_is_a_typed_error(own: OwnCatalogs, tmp_path: Path) -> None:
    (tmp_path / "own" / FILE).unlink()
    for ask in (own.generation, own.gallery, lambda: own.add(item(), [face(50)], replace=False)):
        with pytest.raises(StoreUnavailable):
            ask()
    assert not list((tmp_path / "own").iterdir())  # asking has put none in its place
