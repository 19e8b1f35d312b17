"""Whoever looks at the photos, the index is the same byte for byte; and no photo is looked at twice."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index.__main__ import main
from index.engines.shard import Studied, shards
from index.faces import Proportions
from index.manifest import CATALOG, VECTORS
from index.photos import FaceFacts, PhotoJob
from index.search import LoadedIndex
from pipeline.schemas import Reading
from tests.index import tables
from tests.tiny_models import bright_pill, write_tiny_models

ITEMS = 20
"""Two photos each, so more than one shard of the local engine."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered catalogue: every pill of another place, size and colour, and one file that is no photo."""
    folder = tmp_path_factory.mktemp("catalogue")
    random = np.random.default_rng(5)
    rows = []
    for number in range(ITEMS):
        files = {}
        for side in ("front", "back"):
            center, axes = random.uniform((120, 90), (200, 150)), random.uniform(25, 60, 2)
            color = tuple(int(part) for part in random.integers(170, 255, 3))
            image = bright_pill(center=tuple(center), axes=tuple(axes), color=color)
            files[f"photo_{side}"] = f"{number}_{side}.png"
            Image.fromarray(image).save(folder / files[f"photo_{side}"])
        rows.append({"key": str(number), "name": f"Pill {number}", **files})
    (folder / "3_back.png").write_bytes(b"not a photo")
    return tables.write(folder / "own.csv", *rows)


def built(folder: Path, catalogue: Path, models: Path, *engine: str) -> dict[str, bytes]:
    """Content of the index that a build into `folder` makes."""
    arguments = ["build", "--catalogs", "", "--table", str(catalogue), "--models", str(models)]
    arguments += ["--out", str(folder / "index"), "--cache", str(folder / "found.sqlite")]
    assert main([*arguments, "--shards", str(folder / "shards"), *engine]) == 0
    return {name: (folder / "index" / name).read_bytes() for name in (CATALOG, VECTORS)}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, catalogue: Path, models: Path) -> dict[str, bytes]:
    """What one worker in this process makes."""
    folder = tmp_path_factory.mktemp("one")
    content = built(folder, catalogue, models)
    index = LoadedIndex(folder / "index")
    assert index.manifest.vectors.count == 2 * ITEMS - 1
    assert index.find("own:0").imprint_source == "read"
    return content


def test_two_processes_make_the_same_index(
    tmp_path: Path, catalogue: Path, models: Path, reference: dict[str, bytes], capsys
) -> None:
    assert built(tmp_path, catalogue, models, "--workers", "2") == reference
    said = capsys.readouterr().out
    assert "40/40 photos, 39 faces" in said
    assert "unreadable photo 3_back.png" in said


def test_ray_makes_the_same_index_and_goes_on_where_it_was(  # noqa: PLR0917
    tmp_path: Path, catalogue: Path, models: Path, reference: dict[str, bytes], capsys, monkeypatch
) -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed: pip install -e .[ray]")
    monkeypatch.setattr("index.engines.ray_data.SHARD", 16)
    assert built(tmp_path, catalogue, models, "--engine", "ray", "--workers", "2") == reference
    files = sorted((tmp_path / "shards").iterdir())
    assert [file.suffix for file in files] == [".parquet"] * 3
    assert "unreadable photo 3_back.png" in capsys.readouterr().out

    files[1].unlink()
    times = {file: file.stat().st_mtime_ns for file in files if file.exists()}
    assert built(tmp_path, catalogue, models, "--engine", "ray") == reference
    assert "2 of 3 shards are there already" in capsys.readouterr().out
    assert {file: file.stat().st_mtime_ns for file in times} == times

    monkeypatch.setattr("index.engines.ray_data.ray.init", lambda **_: pytest.fail("nothing was left to do"))
    assert built(tmp_path, catalogue, models, "--engine", "ray") == reference


def test_other_models_or_photos_are_other_shards(tmp_path: Path, models: Path) -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed: pip install -e .[ray]")
    from index.engines.ray_data import _name

    photo = tmp_path / "a.png"
    photo.write_bytes(b"1")
    job = PhotoJob(photo, "single", False)
    names = {_name([job], "models 1"), _name([job], "models 2"), _name([PhotoJob(photo, "single", True)], "models 1")}
    photo.write_bytes(b"12")
    assert len(names | {_name([job], "models 1")}) == 4


def test_a_shard_file_keeps_every_bit(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra ray is not installed: pip install -e .[ray]")
    from index.engines.shard_file import read_shard, write_shard

    vector = np.random.default_rng(1).normal(size=256).astype(np.float32)
    reading = Reading(text="TEVA 5½", confidence=0.1 + 0.2, box=[0, 1, 2.5, 3], rotation=90)
    facts = {
        Path("a.png"): [FaceFacts(vector, [reading], Proportions(1.1, 0.3)), FaceFacts(-vector, [], None)],
        Path("empty.png"): [],
        Path("broken.png"): [],
        Path("unread.png"): [FaceFacts(vector, None, None)],
    }
    write_shard(tmp_path / "shard.parquet", Studied(facts, {Path("broken.png"): "no picture"}))
    back = read_shard(tmp_path / "shard.parquet")
    assert back.unreadable == {Path("broken.png"): "no picture"}
    assert back.facts.keys() == facts.keys()
    for photo, faces in facts.items():
        for face, kept in zip(faces, back.facts[photo], strict=True):
            assert kept.vector.tobytes() == face.vector.tobytes()
            assert (kept.readings, kept.outline) == (face.readings, face.outline)


def test_without_the_extra_the_command_says_what_to_install(tmp_path, catalogue, models, capsys, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "index.engines.ray_data", None)
    arguments = ["build", "--catalogs", "", "--table", str(catalogue), "--models", str(models), "--engine", "ray"]
    assert main([*arguments, "--out", str(tmp_path / "index")]) == 1
    assert "pip install -e .[ray]" in capsys.readouterr().err


def test_shards_hold_every_photo_once(tmp_path: Path) -> None:
    jobs = [PhotoJob(Path(str(number)), "single", False) for number in range(70)]
    assert [len(shard) for shard in shards(jobs)] == [32, 32, 6]
    assert [job for shard in shards(jobs) for job in shard] == jobs
