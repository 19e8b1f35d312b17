"""One runner as a process of its own, reached over TCP: as it is done when runners are scaled apart."""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from benchmarks.server import Server, launch, stop
from tests.conftest import as_jpeg
from tests.tiny_models import bright_pill, write_tiny_models

TOKEN = "the-token-between-the-roles"
ONE_ROLE = "bentoml_cli._internal.start"
"""Where `start-http-server` lives: an entry point of the container image that `bentoml` itself does not list."""


@dataclass(frozen=True)
class Split:
    """`public`: the service with four runners beside it; `embedder`: the fifth, elsewhere."""

    public: Server
    embedder: Server


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Split]:
    folder = tmp_path_factory.mktemp("split")
    settings = {
        "models_dir": str(write_tiny_models(folder / "models")),
        "runner_token": TOKEN,
        "deadline_s": "40",
        "runner_timeout_s": "30",
    }
    role = ["start-http-server", "service:Pillscope"]
    embedder = launch(ONE_ROLE, [*role, "--service-name", "embedder"], folder, **settings)
    try:
        public = launch(ONE_ROLE, [*role, "--depends", f"embedder={embedder.url}"], folder, **settings)
        try:
            embedder.wait_until_ready()
            public.wait_until_ready()
            yield Split(public, embedder)
        finally:
            stop(public)
    finally:
        stop(embedder)


def identify(split: Split) -> requests.Response:
    return requests.post(f"{split.public.url}/v1/identify", files={"front": as_jpeg(bright_pill())}, timeout=60)


def test_the_split_bundle_answers_with_all_its_evidence(split: Split) -> None:
    answer = identify(split)
    assert answer.status_code == 200, answer.text
    assert answer.json()["missing"] == []
    with pytest.raises(LookupError):  # the embedder really runs elsewhere
        split.public.worker("embedder")


class MakesFolder:
    """Unpickling it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.mkdir, (self.path,)


def test_a_pickle_without_the_token_changes_nothing(split: Split, tmp_path: Path) -> None:
    mark = tmp_path / "was-run"
    headers = {"content-type": "application/vnd.bentoml+pickle"}
    answer = requests.post(
        f"{split.embedder.url}/embed", data=pickle.dumps(MakesFolder(mark)), headers=headers, timeout=10
    )
    assert answer.status_code == 401
    assert not mark.exists()


def test_without_that_runner_the_rest_answers(split: Split) -> None:
    stop(split.embedder)
    answer = identify(split)
    assert answer.status_code == 200, answer.text
    assert answer.json()["missing"] == ["visual"]
    readiness = requests.get(f"{split.public.url}/readyz", timeout=10)
    assert readiness.status_code == 503
    assert "embedder" in readiness.json()["error"]["message"]
