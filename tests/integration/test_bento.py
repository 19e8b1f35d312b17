"""What `bentoml build` makes is the whole product: it holds what serving needs, and serves from its tag."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from benchmarks.server import environment, launch, stop
from pipeline.settings import ROOT
from tests.conftest import RenderedPair, as_jpeg
from tests.integration.conftest import missing_models


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a BentoML store that holds one freshly built bento."""
    if reason := missing_models():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("bento")
    subprocess.run([sys.executable, "-m", "bentoml", "build"], cwd=ROOT, env=environment(folder), check=True)
    return folder


@pytest.fixture(scope="module")
def bento(store: Path) -> Path:
    """The folder of that bento."""
    (manifest,) = store.glob("bentoml/bentos/pillscope/*/bento.yaml")
    return manifest.parent


def test_it_holds_what_serving_needs_and_nothing_of_training(bento: Path) -> None:
    source = bento / "src"
    for needed in ("models/manifest.json", "models/embedder.onnx", "index/data/catalog.sqlite", "configs/ranking.yaml"):
        assert (source / needed).is_file(), needed
    assert {path.name for path in source.glob("web/dist/*")} == {path.name for path in ROOT.glob("web/dist/*")}
    assert not {"training", "export", "benchmarks", "tests", "runs"} & {path.name for path in source.iterdir()}


def test_it_asks_for_exactly_the_pinned_serving_packages(bento: Path) -> None:
    def pins(path: Path) -> set[str]:
        return {line for line in path.read_text().splitlines() if "==" in line and not line.startswith("#")}

    assert pins(bento / "env/python/requirements.txt") == pins(ROOT / "requirements.txt")
    names = {pin.split("==")[0].lower() for pin in pins(bento / "env/python/requirements.txt")}
    assert not names & {"torch", "torchvision", "timm", "ultralytics", "rembg", "pytest"}


@pytest.fixture(scope="module")
def served(store: Path, bento: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of that bento, served by its tag from a folder that holds nothing else."""
    described = yaml.safe_load((bento / "bento.yaml").read_text())
    tag = f"{described['name']}:{described['version']}"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    server = launch("bentoml", ["serve", tag], store, cwd=elsewhere, deadline_s="60", runner_timeout_s="50")
    try:
        server.wait_until_ready()
        yield server.url
    finally:
        stop(server)


def test_it_serves_from_its_tag(served: str, rendered_pair: RenderedPair) -> None:
    photo = as_jpeg(rendered_pair.front.image)
    answer = requests.post(f"{served}/v1/identify", files={"front": photo}, timeout=120)
    assert answer.status_code == 200, answer.text
    assert answer.json()["missing"] == []
    assert answer.json()["candidates"]
