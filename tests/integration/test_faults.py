"""What goes wrong around the real server: runners killed and held still, hostile bodies, wrong settings, wrong bytes.

Over the tiny models of `tests.tiny_models`: nothing here is about what a model knows.
"""

import http.server
import pickle
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from benchmarks.faults import SHORT, Sizes, adding, hostile_inputs, inject_faults, server_errors, soak
from benchmarks.mix import Mix
from benchmarks.server import Server, paused, running, start
from pipeline.settings import Settings
from tests.conftest import as_jpeg
from tests.tiny_models import bright_pill, write_tiny_models

DEADLINE_S = 40
RUNNERS = ("detector", "background", "classifier", "embedder", "ocr")
EVIDENCE = {"background": "mask", "classifier": "attributes", "embedder": "visual", "ocr": "imprint"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With more time than by default, for a machine that is busy elsewhere."""
    folder = tmp_path_factory.mktemp("server")
    with running(
        folder, models_dir=str(models), deadline_s=str(DEADLINE_S), runner_timeout_s="12", **adding(folder)
    ) as ready:
        yield ready


def identify(server: Server) -> requests.Response:
    photo = as_jpeg(bright_pill())
    return requests.post(f"{server.url}/v1/identify", files={"front": photo}, timeout=60)


def test_no_address_is_ever_fetched(server: Server) -> None:
    visits: list[str] = []

    class Bait(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visits.append(self.path)
            self.send_error(404)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bait) as bait:
        threading.Thread(target=bait.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{bait.server_port}/pill.jpg"
        assert requests.get(address, timeout=5).status_code == 404  # the bait works
        for path, field in (("/v1/identify", "front"), ("/v1/detect", "image")):
            form = {field: (None, address)}
            assert requests.post(server.url + path, files=form, timeout=30).status_code == 422
            assert requests.post(server.url + path, data=address, timeout=30).status_code == 400
            assert requests.post(server.url + path, json={field: address}, timeout=30).status_code == 400
        bait.shutdown()
    assert visits == ["/pill.jpg"]


class Payload:
    """Unpickled, it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, (f"open({str(self.mark)!r}, 'w').close()",))


def test_a_pickle_is_only_a_wrong_form(server: Server, tmp_path: Path) -> None:
    mark = tmp_path / "unpickled"
    body = pickle.dumps(Payload(mark))
    for content_type in ("application/vnd.bentoml+pickle", "multipart/form-data; boundary=x"):
        for path in ("/v1/identify", "/v1/detect", "/identify"):
            response = requests.post(server.url + path, data=body, headers={"content-type": content_type}, timeout=30)
            assert response.status_code in (400, 404), path
    assert not mark.exists()


@pytest.mark.parametrize("name", RUNNERS)
def test_a_paused_runner_is_told_and_done_without(server: Server, name: str) -> None:
    server.wait_until_ready()
    with paused(server.worker(name)):
        began = time.monotonic()
        readiness = requests.get(f"{server.url}/readyz", timeout=10)
        assert time.monotonic() - began < 2
        assert readiness.status_code == 503
        assert name in readiness.json()["error"]["message"]
        expect_answer_without(name, identify(server))
    server.wait_until_ready(60)
    assert identify(server).json()["missing"] == []


@pytest.mark.parametrize("name", RUNNERS)
def test_a_killed_runner_comes_back(server: Server, name: str) -> None:
    server.wait_until_ready()
    worker = server.worker(name)
    worker.kill()
    worker.wait(10)
    expect_answer_without(name, identify(server))
    server.wait_until_ready(90)
    assert server.worker(name).pid != worker.pid
    assert identify(server).json()["missing"] == []


def expect_answer_without(name: str, response: requests.Response) -> None:
    """What is right while a runner is away, or back already: an answer, `missing` what it gives, or 503."""
    if name == "detector":
        assert response.status_code in (200, 503), response.text
    else:
        assert response.status_code == 200, response.text
        assert response.json()["missing"] in ([EVIDENCE[name]], [])


@pytest.fixture(scope="module")
def sizes() -> Sizes:
    return replace(SHORT, soak=200)


def test_no_request_is_lost_whatever_a_runner_does(server: Server, sizes: Sizes) -> None:
    """The short form of `python -m benchmarks faults`."""
    rows = inject_faults(server, as_jpeg(bright_pill()), sizes)
    assert {row.fault: row.lost for row in rows if row.lost} == {}
    assert len(rows) == 1 + 4 * len(RUNNERS)
    assert {row.sent for row in rows} == {sizes.requests}
    nonsense = [row for row in rows if row.fault.startswith("nonsense")]
    assert all(row.without or row.typed for row in nonsense)  # it reached the service, and was seen for what it is
    assert max(row.slowest_s for row in rows) < DEADLINE_S + 5


def test_no_hostile_input_is_a_server_error(server: Server, sizes: Sizes) -> None:
    server.wait_until_ready()
    statuses = hostile_inputs(server, sizes)
    assert server_errors(statuses) == 0, statuses
    assert {200, 400, 401, 415, 422} <= set(statuses)  # the inputs reach every layer


def test_a_short_soak_loses_nothing_and_keeps_its_memory(server: Server, sizes: Sizes) -> None:
    server.wait_until_ready()
    result = soak(server, Mix.of_examples(), sizes)
    assert result.lost == 0
    assert result.memory[-1][1].keys() == {*RUNNERS, "pillscope", "supervisor"}
    assert result.growth < 0.2  # a leak per request would show; 10,000 requests are in benchmarks/results


def test_a_mistyped_setting_stops_the_start_with_one_line(tmp_path: Path) -> None:
    server = start(tmp_path, max_pixel="1")
    assert server.process.wait(60) != 0
    assert server.log.strip() == "pillscope: PILLSCOPE_MAX_PIXEL is no setting; did you mean PILLSCOPE_MAX_PIXELS?"


@pytest.mark.parametrize("wrong", ["embedder.onnx", "catalog.sqlite"])
def test_a_wrong_byte_stops_the_service_and_names_the_file(models: Path, tmp_path: Path, wrong: str) -> None:
    folders = {"models_dir": models, "index_dir": Settings.model_fields["index_dir"].default}
    for setting, folder in folders.items():
        folders[setting] = Path(shutil.copytree(folder, tmp_path / setting))
    (damaged,) = tmp_path.glob(f"*/{wrong}")
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    server = start(tmp_path, **{setting: str(folder) for setting, folder in folders.items()})
    assert server.process.wait(120) != 0
    assert server.log.startswith("pillscope: ")
    assert server.log.count("\n") == 1
    assert str(damaged) in server.log


def test_a_store_of_own_items_that_cannot_be_read_stops_the_service_and_stays(models: Path, tmp_path: Path) -> None:
    store = tmp_path / "own" / "own.sqlite"
    store.parent.mkdir()
    store.write_bytes(b"no database at all" * 100)
    server = start(tmp_path, models_dir=str(models), own_dir=str(store.parent))
    assert server.process.wait(120) != 0
    assert server.log.splitlines()[-1].startswith(f"pillscope: {store}: ")
    assert "Traceback" not in server.log
    assert store.read_bytes() == b"no database at all" * 100
