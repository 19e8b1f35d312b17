"""The approximate ways find what the exact one finds, nearly always, and say the same cosines."""

from pathlib import Path

import numpy as np
import pytest

from index.build import Recipe
from index.errors import ImportRefused, IndexDamaged
from index.search import LoadedIndex
from index.vectors import Vectors, write_vectors
from tests.index.small_index import build_small, unit

COUNT, DIMENSION = 10_000, 32


@pytest.fixture(scope="module")
def many() -> np.ndarray:
    """Unit vectors around 200 middles, as faces of like pills are."""
    random = np.random.default_rng(3)
    middles = random.normal(size=(200, DIMENSION))
    vectors = middles[random.integers(0, 200, COUNT)] + 0.5 * random.normal(size=(COUNT, DIMENSION))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def queries(many: np.ndarray) -> np.ndarray:
    moved = many[::400] + 0.05 * np.random.default_rng(4).normal(size=(25, DIMENSION)).astype(np.float32)
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


@pytest.fixture(scope="module", params=["hnsw", "ivfpq"])
def approximate(request: pytest.FixtureRequest, many: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(request.param) / "vectors.faiss"
    write_vectors(path, many, "float16", request.param)
    return path


@pytest.mark.parametrize("mapped", [False, True])
def test_most_of_the_nearest_are_found(
    approximate: Path, many: np.ndarray, queries: np.ndarray, mapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.vectors.MAPPED", 1 if mapped else 1 << 60)
    index = Vectors(approximate)
    assert len(index) == COUNT
    hits = 0
    for query in queries:
        nearest = np.argsort(-(many @ query))[:10]
        found = index.nearest(query[None], 10)
        assert len(found) == len(set(found)) == 10
        assert found[0] == nearest[0]
        hits += len(set(found) & set(nearest.tolist()))
    assert hits >= 0.9 * 10 * len(queries)
    rows = np.array([5, 17, 4_000])
    assert index.similarities(queries[:1], rows) == pytest.approx(many[rows] @ queries[0], abs=2e-3)


def test_only_chosen_vectors_are_found(approximate: Path, queries: np.ndarray) -> None:
    among = np.arange(COUNT) % 50 == 7
    for query in queries:
        found = Vectors(approximate).nearest(query[None], 10, among)
        assert found
        assert all(row % 50 == 7 for row in found)


def test_more_effort_finds_no_less(approximate: Path, many: np.ndarray, queries: np.ndarray) -> None:
    def hits(effort: int) -> int:
        index = Vectors(approximate, effort)
        return sum(len(set(index.nearest(q[None], 10)) & set(np.argsort(-(many @ q))[:10].tolist())) for q in queries)

    assert hits(1) < hits(200)
    assert hits(200) >= 0.97 * 10 * len(queries)


def test_a_file_is_the_same_each_time(many: np.ndarray, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_vectors(tmp_path / name, many[:2_000], "float16", "hnsw")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_lists_need_many_vectors(many: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="exact search is quick enough"):
        write_vectors(tmp_path / "few", many[:100], "float16", "ivfpq")
    assert not (tmp_path / "few").exists()


def test_an_index_is_built_and_loaded_with_a_graph(tmp_path: Path) -> None:
    index = LoadedIndex(build_small(tmp_path, Recipe(method="hnsw")), effort=8)
    assert index.manifest.vectors.method == "hnsw"
    (row,) = index.nearest(unit(1)[None], 1, ["tw-tfda"])
    assert index.item(int(row)).catalog == "tw-tfda"
    assert {index.item(int(row)).catalog for row in index.nearest(unit(1)[None], 50, None)} == {"us-nih", "tw-tfda"}


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").write_bytes(b"no index")
    with pytest.raises(IndexDamaged):
        Vectors(tmp_path / "none")
    with pytest.raises(IndexDamaged):
        Vectors(tmp_path / "absent")
