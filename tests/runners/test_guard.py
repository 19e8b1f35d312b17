"""A runner runs what it is sent, so it hears only those who hold the token."""

import io
import pickle
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline.settings import settings
from runners.background import BackgroundRunner
from runners.classifier import ClassifierRunner
from runners.detector import DetectorRunner
from runners.embedder import EmbedderRunner
from runners.guard import RunnerGuard, listening_address
from runners.ocr import OcrRunner

TOKEN = "0123456789abcdef-token"
pytestmark = pytest.mark.usefixtures("in_process")
PICKLE = "application/vnd.bentoml+pickle"


class MakesFolder:
    """Unpickling it makes a folder: the proof that a pickle was run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.mkdir, (self.path,)


def runner_client(monkeypatch: pytest.MonkeyPatch, models: Path, token: str | None) -> TestClient:
    """The embedder as it is served beside a public service, not as a public service itself."""
    monkeypatch.setenv("PILLSCOPE_MODELS_DIR", str(models))
    if token:
        monkeypatch.setenv("PILLSCOPE_RUNNER_TOKEN", token)
    return TestClient(EmbedderRunner.to_asgi(is_main=False))


@pytest.mark.parametrize("runner", [DetectorRunner, BackgroundRunner, ClassifierRunner, EmbedderRunner, OcrRunner])
def test_every_runner_is_guarded_and_keeps_its_connections(runner) -> None:
    assert (RunnerGuard, {}) in runner.middlewares
    assert runner.config["runner_connection"] == {"max_requests": 1_000_000_000, "max_age": 1e9}
    assert runner.config["threads"] == 1


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}])
def test_a_pickle_without_the_token_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tiny_models: Path, tmp_path: Path, headers: dict[str, str]
) -> None:
    mark = tmp_path / "was-run"
    bomb = pickle.dumps(MakesFolder(mark))
    with runner_client(monkeypatch, tiny_models, TOKEN) as client:
        answer = client.post("/embed", content=bomb, headers={"Content-Type": PICKLE, **headers})
        assert answer.status_code == 401
        assert not mark.exists()
        # The same pickle with the token is run: what stands between is the token and nothing else.
        client.post("/embed", content=bomb, headers={"Content-Type": PICKLE, "Authorization": f"Bearer {TOKEN}"})
        assert mark.exists()


def test_the_body_is_not_even_read_without_the_token(monkeypatch: pytest.MonkeyPatch, tiny_models: Path) -> None:
    sent = io.BytesIO(b"x" * 100_000)
    with runner_client(monkeypatch, tiny_models, TOKEN) as client:
        app = RunnerGuard(client.app)

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": sent.read(), "more_body": False}

        statuses: list[int] = []

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(int(str(message["status"])))

        scope = {"type": "http", "method": "POST", "path": "/embed", "headers": [], "query_string": b""}
        client.portal.call(app, scope, receive, send)
    assert statuses == [401]
    assert sent.tell() == 0


def test_probes_need_no_token_and_other_routes_do(monkeypatch: pytest.MonkeyPatch, tiny_models: Path) -> None:
    with runner_client(monkeypatch, tiny_models, TOKEN) as client:
        for path in ("/livez", "/readyz"):
            assert client.get(path).status_code == 200
        assert client.post("/livez").status_code == 401
        assert client.get("/schema.json").status_code == 401


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """This process as a BentoML worker on the socket the test asks for."""
    family, address = request.param
    with socket.socket(family) as sock:
        sock.bind(str(tmp_path / "s") if family == socket.AF_UNIX else (address, 0))
        monkeypatch.setattr(sys, "argv", ["worker", "--fd", str(sock.fileno()), "--service-name", "embedder"])
        yield


async def startup(guard: RunnerGuard) -> list[str]:
    """The guard's answers, or its app's, when the server asks it to start."""
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, str]) -> None:
        sent.append(message["type"])

    await guard({"type": "lifespan"}, receive, send)
    return sent


async def app(scope: dict[str, str], receive: object, send: Callable[[dict[str, str]], Awaitable[None]]) -> None:
    """Stands behind the guard: starts."""
    assert scope["type"] == "lifespan"
    await send({"type": "lifespan.startup.complete"})


@pytest.mark.parametrize("listener", [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")], indirect=True)
async def test_beyond_loopback_it_starts_only_with_a_token(monkeypatch: pytest.MonkeyPatch, listener: None) -> None:
    assert await startup(RunnerGuard(app)) == ["lifespan.startup.failed"]
    monkeypatch.setenv("PILLSCOPE_RUNNER_TOKEN", TOKEN)
    settings.cache_clear()
    assert await startup(RunnerGuard(app)) == ["lifespan.startup.complete"]


@pytest.mark.parametrize(
    ("listener", "address"),
    [((socket.AF_INET, "127.0.0.1"), "127.0.0.1"), ((socket.AF_INET6, "::1"), "::1"), ((socket.AF_UNIX, ""), None)],
    indirect=["listener"],
)
async def test_on_this_host_it_needs_none(listener: None, address: str | None) -> None:
    assert listening_address() == address
    assert await startup(RunnerGuard(app)) == ["lifespan.startup.complete"]


def test_outside_a_worker_there_is_no_address() -> None:
    assert listening_address() is None
