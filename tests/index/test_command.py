"""The command line: a catalogue of one's own becomes an index that answers, and mistakes end in one line."""

import os
from pathlib import Path

import pytest

from index.__main__ import main
from index.search import LoadedIndex
from tests.index import tables


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
