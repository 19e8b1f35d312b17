"""The command line: a catalogue of one's own becomes an index that answers, and mistakes end in one line."""

import os
import sqlite3
from pathlib import Path

import cv2
import numpy as np
import pytest

from index.__main__ import main
from index.own import FILE, OwnCatalogs
from index.search import LoadedIndex
from pipeline.ports import NewFace
from pipeline.schemas import NewItem
from runners.embedder import Embedder
from runners.session import model_versions
from tests.index import tables
from tests.index.small_index import build_small, unit
from tests.tiny_models import write_tiny_models


def build_own(folder: Path, *rows: dict[str, str]) -> int:
    own = tables.write(folder / "own.csv", *rows)
    return main(["build", "--catalogs", "", "--table", str(own), "--skip-photos", "--out", str(folder / "index")])


def test_an_own_table_is_built_searched_and_described(tmp_path, capsys):
    assert build_own(tmp_path, tables.OWN) == 0
    capsys.readouterr()
    assert main(["search", "--index", str(tmp_path / "index"), "--imprint", "demo"]) == 0
    assert "own:A-1  Demo 10 mg  [DEMO | -]  gray/white oblong hard capsule" in capsys.readouterr().out
    assert main(["search", "--index", str(tmp_path / "index"), "--name", "own lab", "--catalogs", "other"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["info", "--index", str(tmp_path / "index")]) == 0
    described = capsys.readouterr().out
    assert "items     1" in described
    assert "own: own" in described


def test_the_command_is_kept_without_paths_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["index", "build", "--data", "/home/somebody/data"])
    assert build_own(tmp_path, tables.OWN) == 0
    assert LoadedIndex(tmp_path / "index").manifest.command == "python -m index build --data data"


def test_a_broken_table_changes_nothing_and_says_where(tmp_path, capsys):
    assert build_own(tmp_path, tables.OWN) == 0
    before = LoadedIndex(tmp_path / "index").version
    assert build_own(tmp_path, tables.OWN, tables.OWN | {"key": "B", "name": ""}) == 1
    assert "on line 3: name" in capsys.readouterr().err
    assert LoadedIndex(tmp_path / "index").version == before


def test_without_data_the_command_says_where_to_get_it(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("PILLSCOPE_DATA", raising=False)
    assert main(["build", "--out", str(tmp_path / "index")]) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: say where the catalogues are")
    assert message.count("\n") == 1


def test_refresh_lets_the_embedder_of_today_see_own_items(tmp_path, capsys):
    models = write_tiny_models(tmp_path / "models")
    today, own, base = Embedder.open(models), tmp_path / "own", LoadedIndex(build_small(tmp_path))
    pictures = np.random.default_rng(4).integers(0, 256, (2, 384, 384, 4), np.uint8)
    faces = [
        NewFace(side, cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA))[1].tobytes(), unit(1))
        for side, picture in zip(("front", "back"), pictures, strict=True)
    ]
    OwnCatalogs(own, base, "an older one", 5).add(NewItem(catalog="mine", key="A", name="Demo"), faces, replace=False)
    version = model_versions(models)["embedder"]
    before = OwnCatalogs(own, base, version, 5).generation()

    for seen in (2, 0):  # the second time nothing is left to do
        assert main(["refresh", "--own", str(own), "--models", str(models)]) == 0
        assert capsys.readouterr().out == f"{own}: {seen} faces seen anew\n"

    assert OwnCatalogs(own, base, version, 5).generation() > before  # running workers take notice
    with sqlite3.connect(own / FILE) as database:
        kept = list(database.execute("SELECT model, vector FROM faces ORDER BY rowid"))
    assert [model for model, _ in kept] == [version, version]
    for (_, vector), picture in zip(kept, pictures, strict=True):
        np.testing.assert_allclose(np.frombuffer(vector, "<f4"), today.embed(picture[None])[0, 0], atol=1e-5)


def test_refresh_of_a_folder_without_own_items_makes_none(tmp_path, capsys):
    assert main(["refresh", "--own", str(tmp_path / "mistyped")]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'mistyped'}: no items of your own")
    assert not (tmp_path / "mistyped").exists()


def test_packing_into_a_folder_that_is_not_there_ends_in_one_line(tmp_path, capsys):
    index, bundle = build_small(tmp_path), tmp_path / "mistyped" / "index.zip"
    assert main(["pack", str(bundle), "--index", str(index)]) == 1
    assert capsys.readouterr().err == f"error: {bundle}: cannot be written (No such file or directory)\n"
    assert not bundle.parent.exists()


@pytest.mark.parametrize("arguments", [[], ["search"], ["build", "--storage", "int4"]])
def test_a_wrong_call_is_explained(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m index" in capsys.readouterr().err


@pytest.mark.skipif("PILLSCOPE_DATA" not in os.environ, reason="PILLSCOPE_DATA names no folder with the catalogues")
def test_the_published_catalogues_import_without_a_rejected_row_or_unknown_word(tmp_path, capsys):
    assert main(["build", "--skip-photos", "--out", str(tmp_path / "index")]) == 0
    manifest = LoadedIndex(tmp_path / "index").manifest
    assert {name: entry.items for name, entry in manifest.catalogs.items()} == {
        "us-nih": 4081, "tw-tfda": 5761, "kr-mfds": 23810,
    }  # fmt: skip
    assert not any(entry.rejected_rows or entry.unknown_words for entry in manifest.catalogs.values())
    assert manifest.catalogs["us-nih"].imprints == {"catalog": 1343, "none": 2110, "twin": 628}
    assert sum(file.bytes for file in manifest.files.values()) < 12_000_000
