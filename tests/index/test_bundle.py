"""A packed index: what is taken from it, and what is not."""

import os
import stat
import zipfile
from pathlib import Path

import pytest

from index import bundle as module
from index.bundle import pack, unpack
from index.errors import ImportRefused, IndexDamaged
from index.manifest import CATALOG, MANIFEST, VECTORS
from index.search import LoadedIndex
from tests.index.small_index import build_small


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small(tmp_path_factory.mktemp("small"))


@pytest.fixture
def packed(folder: Path, tmp_path: Path) -> Path:
    pack(folder, tmp_path / "index.zip")
    return tmp_path / "index.zip"


def remade(packed: Path, change: dict[str, bytes | None]) -> Path:
    """The bundle with some members changed or (None) left out, others added."""
    with zipfile.ZipFile(packed) as old:
        members = {name: old.read(name) for name in old.namelist()} | change
    with zipfile.ZipFile(packed, "w") as new:
        for name, content in members.items():
            if content is not None:
                new.writestr(name, content)
    return packed


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_what_was_packed_comes_out(folder: Path, packed: Path, tmp_path: Path) -> None:
    index = unpack(packed, tmp_path / "out")
    assert index.version == LoadedIndex(folder).version
    assert files(tmp_path / "out") == {MANIFEST, CATALOG, VECTORS}
    assert unpack(packed, tmp_path / "out").version == index.version  # in place of the first
    assert files(tmp_path) == {"index.zip", "out", *(f"out/{name}" for name in (MANIFEST, CATALOG, VECTORS))}


@pytest.mark.parametrize("place", ["not/there/index.zip", ".", "file/index.zip"])
def test_a_bundle_that_cannot_be_written_is_refused(folder: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImportRefused, match=str(tmp_path)):
        pack(folder, tmp_path / place)
    assert files(tmp_path) == {"file"}


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "sub/../../outside", "extra.txt", "./" + MANIFEST])
def test_no_path_leads_out_and_no_other_file_comes_in(packed: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ImportRefused, match="other files"):
        unpack(remade(packed, {name: b"x"}), tmp_path / "inner" / "out")
    assert files(tmp_path) == {"index.zip", "inner"}


def test_a_link_is_bytes_and_no_link(packed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(packed, "w") as new:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16 if name == CATALOG else 0
            new.writestr(info, b"/etc/passwd" if name == CATALOG else content)
    with pytest.raises(IndexDamaged, match=CATALOG):
        unpack(packed, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_that_unpacks_to_too_much_is_refused(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.MOST_BYTES, VECTORS, 100)
    with pytest.raises(ImportRefused, match="more than 100 bytes"):
        unpack(packed, tmp_path / "out")
    assert files(tmp_path) == {"index.zip"}


def test_a_wrong_byte_changes_nothing(folder: Path, packed: Path, tmp_path: Path) -> None:
    unpack(packed, tmp_path / "out")
    before = {name: (tmp_path / "out" / name).read_bytes() for name in (MANIFEST, CATALOG, VECTORS)}
    content = bytearray(before[VECTORS])
    content[len(content) // 2] ^= 1
    with pytest.raises(IndexDamaged, match=VECTORS):
        unpack(remade(packed, {VECTORS: bytes(content)}), tmp_path / "out")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in before} == before


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "missing"])
def test_a_damaged_bundle_is_refused(packed: Path, tmp_path: Path, damage: str) -> None:
    content = packed.read_bytes()
    packed.write_bytes(
        {"empty": b"", "cut": content[: len(content) // 2], "noise": os.urandom(5000)}.get(damage, content)
    )
    if damage == "missing":
        remade(packed, {VECTORS: None})
    with pytest.raises(ImportRefused, match=r"index\.zip"):
        unpack(packed, tmp_path / "out")
    assert files(tmp_path) == {"index.zip"}


def test_a_folder_of_something_else_is_not_replaced(packed: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years")
    with pytest.raises(ImportRefused, match=r"thesis\.txt"):
        unpack(packed, tmp_path / "home")
