import hashlib
import json
from pathlib import Path

import pytest

from export import manifest
from export.manifest import FILE, add_model, write_atomically


def test_entry_names_the_file_by_its_hash_and_leaves_others_alone(tmp_path: Path) -> None:
    add_model(tmp_path, "embedder", b"first", {"license": "Apache-2.0"})
    entry = add_model(tmp_path, "detector", b"second", {"license": "AGPL-3.0"})
    written = json.loads((tmp_path / FILE).read_text())
    assert written["version"] == 1
    assert list(written["models"]) == ["detector", "embedder"]
    assert written["models"]["detector"] == entry
    assert entry["sha256"] == hashlib.sha256((tmp_path / "detector.onnx").read_bytes()).hexdigest()
    assert entry["bytes"] == len(b"second")
    assert written["models"]["embedder"]["license"] == "Apache-2.0"


def test_exporting_again_replaces_the_entry(tmp_path: Path) -> None:
    add_model(tmp_path, "detector", b"old", {"metrics": {"mAP50": 0.1}})
    add_model(tmp_path, "detector", b"new", {})
    entry = json.loads((tmp_path / FILE).read_text())["models"]["detector"]
    assert entry["sha256"] == hashlib.sha256(b"new").hexdigest()
    assert "metrics" not in entry


def test_interrupted_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / FILE
    write_atomically(path, b"old")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(manifest.Path, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_runner_opens_what_was_added(tmp_path: Path) -> None:
    from runners.session import read_manifest

    add_model(tmp_path, "detector", b"x", {"license": "AGPL-3.0", "output": {"shape": [1, 5, "anchors"]}})
    assert read_manifest(tmp_path).models["detector"].file == "detector.onnx"
