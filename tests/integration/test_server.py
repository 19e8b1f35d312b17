"""The real server over the shipped models: photos in, answers out, through sockets and process borders."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bentoml
import pytest
import requests

from benchmarks.server import Server
from pipeline.schemas import DetectionResult, ErrorEnvelope, Identification
from tests.conftest import RenderedPair, as_jpeg


@pytest.fixture(scope="session")
def photos(rendered_pair: RenderedPair, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Front and back of one pill as JPEG files."""
    folder = tmp_path_factory.mktemp("photos")
    files = folder / "front.jpg", folder / "back.jpg"
    for file, photo in zip(files, (rendered_pair.front, rendered_pair.back), strict=True):
        file.write_bytes(as_jpeg(photo.image))
    return files


def identify(server: Server, *photos: Path, **fields: str) -> requests.Response:
    files = dict(zip(("front", "back"), (photo.read_bytes() for photo in photos), strict=False))
    return requests.post(f"{server.url}/v1/identify", files=files, data=fields, timeout=90)


def overlap(a: list[float], b: tuple[float, ...]) -> float:
    """Intersection over union of two boxes x1, y1, x2, y2."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / (areas - width * height)


def test_a_pill_is_found_and_ranked(server: Server, photos: tuple[Path, Path], rendered_pair: RenderedPair) -> None:
    response = identify(server, *photos)
    assert response.status_code == 200, response.text
    answer = Identification.model_validate_json(response.content)
    assert (answer.decision != "unidentified", answer.reason, answer.missing) == (True, None, [])
    assert [candidate.rank for candidate in answer.candidates] == [1, 2, 3, 4, 5]
    assert set(answer.versions.models) >= {"detector", "background", "classifier", "embedder"}
    for side, photo in zip(answer.sides, (rendered_pair.front, rendered_pair.back), strict=True):
        assert side.pill is not None
        assert overlap(side.pill.box, photo.pills[0].box) > 0.7


def test_bentoml_client_gets_the_same_answer(server: Server, photos: tuple[Path, Path]) -> None:
    plain = identify(server, *photos, top_k="3", catalogs="us-nih").json()
    with bentoml.SyncHTTPClient(server.url, timeout=90) as client:
        answer = client.identify(front=photos[0], back=photos[1], top_k=3, catalogs="us-nih")
        pills = client.detect(image=photos[0], identify=True)
        with pytest.raises(bentoml.exceptions.BentoMLException) as refused:
            client.identify(front=Path(__file__))
    assert [c["item_id"] for c in answer["candidates"]] == [c["item_id"] for c in plain["candidates"]]
    assert {c["catalog"] for c in answer["candidates"]} == {"us-nih"}
    assert len(pills["pills"]) == 1
    assert pills["pills"][0]["candidates"]
    assert refused.value.error_code == 415


def test_detect_gives_outlines(server: Server, photos: tuple[Path, Path], rendered_pair: RenderedPair) -> None:
    with photos[0].open("rb") as file:
        response = requests.post(f"{server.url}/v1/detect", files={"image": file}, timeout=90)
    answer = DetectionResult.model_validate_json(response.content)
    height, width = rendered_pair.front.image.shape[:2]
    assert (answer.image.width, answer.image.height) == (width, height)
    (pill,) = answer.pills
    assert overlap(pill.box, rendered_pair.front.pills[0].box) > 0.7
    assert len(pill.polygon) >= 8
    assert "decision" not in response.json()["pills"][0]


def test_search_item_and_drawing(server: Server) -> None:
    found = requests.get(f"{server.url}/v1/search", {"imprint": "teva 576", "top_k": "10"}, timeout=30).json()
    ids = [candidate["item_id"] for candidate in found["candidates"]]
    assert "us-nih:93-576" in ids
    item = requests.get(f"{server.url}/v1/items/us-nih:93-576", timeout=30).json()
    assert item["imprint_front"]
    drawing = requests.get(server.url + found["candidates"][0]["drawing_url"], timeout=30)
    assert drawing.headers["content-type"] == "image/svg+xml"
    assert drawing.text.startswith("<svg")


@pytest.mark.parametrize(
    ("method", "path", "request_", "status"),
    [
        ("POST", "/v1/identify", {"json": {"front": "x"}}, 400),
        ("POST", "/v1/identify", {"data": b"x", "headers": {"content-type": "multipart/form-data"}}, 400),
        ("GET", "/v1/items/us-nih:nothing", {}, 404),
        ("GET", "/nowhere", {}, 404),
        ("PUT", "/v1/identify", {}, 405),
        ("POST", "/v1/identify", {"files": {"front": b"\xff\xd8\xff" + bytes(12_000_000)}}, 413),
        ("POST", "/v1/identify", {"files": {"front": ("a.jpg", b"%PDF-1.7", "image/jpeg")}}, 415),
        ("POST", "/v1/identify", {"files": {"front": b""}}, 422),
        ("POST", "/v1/identify", {"files": {"front": b"\xff\xd8\xff\xe0"}}, 422),
        ("POST", "/v1/identify", {"files": {"photo": b"\xff\xd8\xff\xe0"}}, 422),
        ("GET", "/v1/search", {"params": {"top_k": "500"}}, 422),
    ],
)
def test_bad_input(server: Server, method: str, path: str, request_: dict[str, object], status: int) -> None:
    response = requests.request(method, server.url + path, timeout=60, **request_)
    assert response.status_code == status, response.text
    error = ErrorEnvelope.model_validate_json(response.content).error
    assert error.request_id == response.headers["x-request-id"]


def test_two_hundred_requests_by_eight_callers_lose_none(server: Server, photos: tuple[Path, Path]) -> None:
    def ask(number: int) -> int:
        return identify(server, photos[number % 2]).status_code

    with ThreadPoolExecutor(8) as callers:
        statuses = list(callers.map(ask, range(200)))
    assert statuses == [200] * 200


def test_metrics_of_all_processes(server: Server, photos: tuple[Path, Path]) -> None:
    identify(server, photos[0])
    text = requests.get(f"{server.url}/metrics", timeout=30).text
    for stage in ("decode", "detect", "cutout", "classify", "read", "embed", "rank", "total"):
        assert f'pillscope_stage_seconds_count{{stage="{stage}"}}' in text
    assert 'pillscope_answers_total{method="POST",route="/v1/identify",status="200"}' in text
    assert "pillscope_in_flight 0.0" in text
    assert 'runner_name="embedder"' in text


def test_the_request_id_reaches_the_runners_logs(server: Server, photos: tuple[Path, Path]) -> None:
    request_id = identify(server, photos[0]).headers["x-request-id"]
    lines: list[str] = []
    for _ in range(50):  # the last line is written after the answer has gone out
        lines = [line for line in server.log.splitlines() if request_id in line]
        if any('"route": "/v1/identify"' in line for line in lines):
            break
        time.sleep(0.1)
    assert any("/detect" in line for line in lines)
    assert any('"route": "/v1/identify"' in line for line in lines)


def test_logs_hold_nothing_of_a_photo(server: Server, photos: tuple[Path, Path]) -> None:
    identify(server, photos[0], imprint="SECRETIMPRINT")
    requests.get(f"{server.url}/v1/search", {"imprint": "SECRETIMPRINT"}, timeout=30)
    assert "SECRETIMPRINT" not in server.log
    assert "front.jpg" not in server.log
