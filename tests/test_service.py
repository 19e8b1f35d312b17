"""Every route and status code of the public contract, through BentoML's own application, over a fake pipeline."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image
from prometheus_client import REGISTRY
from starlette.types import ASGIApp

import service
from api.front_door import FrontDoor
from api.operations import Operations
from pipeline.errors import RunnerUnavailable
from pipeline.settings import Settings
from tests.fakes import VERSIONS, FakePipeline


def jpeg(width: int = 64, height: int = 48) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (120, 60, 30)).save(out, "JPEG")
    return out.getvalue()


PHOTO = {"front": ("a.jpg", jpeg(), "image/jpeg")}

Serve = Callable[..., httpx.AsyncClient]


@pytest.fixture(scope="module")
def platform() -> ASGIApp:
    """BentoML's own application without ours in front; built once, for it registers its metrics by name."""
    ours = service.Pillscope.middlewares
    service.Pillscope.middlewares = []
    try:
        return service.Pillscope.to_asgi()
    finally:
        service.Pillscope.middlewares = ours


@pytest.fixture
async def serve(platform: ASGIApp, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serve]:
    """A client of both applications over a given pipeline, with the given limits."""
    clients: list[httpx.AsyncClient] = []

    def start(pipeline: FakePipeline | None = None, **limits: object) -> httpx.AsyncClient:
        settings = Settings(**limits)
        backend = service.api.state.backend
        operations = Operations(pipeline or FakePipeline(), VERSIONS.catalogs, settings)
        monkeypatch.setattr(backend, "operations", operations)
        monkeypatch.setattr(backend, "unready", nothing_unready)
        app = FrontDoor(platform, api=service.api, settings=settings)
        clients.append(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pillscope"))
        return clients[-1]

    yield start
    for client in clients:
        await client.aclose()


async def nothing_unready() -> list[str]:
    return []


def error_of(response: httpx.Response, status: int, code: str) -> str:
    """Checks the envelope of an error; its message."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "error": {
            "code": code,
            "message": response.json()["error"]["message"],
            "request_id": response.headers["x-request-id"],
        }
    }
    return response.json()["error"]["message"]


async def test_identify(serve: Serve) -> None:
    pipeline = FakePipeline()
    response = await serve(pipeline).post(
        "/v1/identify",
        files={**PHOTO, "back": ("b", jpeg(32, 16), "text/plain")},
        data={"catalogs": "us-nih, kr-mfds", "top_k": "7", "imprint": " TEVA  7270 ", "shape": "Oval", "color": ""},
    )
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["decision"] == "candidates"
    assert answer["candidates"][0]["image_url"] is None
    assert set(answer["timings_ms"]) == {"decode", "detect", "total"}
    assert answer["timings_ms"]["total"] >= answer["timings_ms"]["decode"]
    assert pipeline.asked["front"].pixels.shape == (48, 64, 3)
    assert pipeline.asked["back"].pixels.shape == (16, 32, 3)
    assert (pipeline.asked["catalogs"], pipeline.asked["top_k"]) == (["us-nih", "kr-mfds"], 7)
    assert pipeline.asked["hints"].model_dump() == {"imprint": "TEVA 7270", "shape": "oval", "color": None}


async def test_fields_as_bentoml_clients_send_them(serve: Serve) -> None:
    pipeline = FakePipeline()
    data = {"catalogs": '"us-nih"', "top_k": "3", "imprint": '"5 \\u0041"', "shape": "null"}
    response = await serve(pipeline).post("/v1/identify", files=PHOTO, data=data)
    assert response.status_code == 200, response.text
    assert (pipeline.asked["catalogs"], pipeline.asked["top_k"]) == (["us-nih"], 3)
    assert pipeline.asked["hints"].model_dump() == {"imprint": "5 A", "shape": None, "color": None}


async def test_an_empty_file_input_of_a_browser_is_no_photo(serve: Serve) -> None:
    pipeline = FakePipeline()
    body = multipart([("front", "a.jpg", jpeg()), ("back", "", b"")])
    response = await serve(pipeline).post("/v1/identify", content=body, headers=MULTIPART)
    assert response.status_code == 200, response.text
    assert pipeline.asked["back"] is None


async def test_detect(serve: Serve) -> None:
    client = serve()
    files = {"image": jpeg(200, 100)}
    plain = (await client.post("/v1/detect", files=files)).json()
    assert plain["image"] == {"width": 200, "height": 100}
    assert plain["pills"] == [{"box": [1, 2, 3, 4], "score": 0.9, "polygon": [[1, 2], [3, 2], [3, 4]]}]
    named = (await client.post("/v1/detect", files=files, data={"identify": "true"})).json()
    assert named["pills"][0]["decision"] == "candidates"
    assert named["pills"][0]["candidates"][0]["item_id"] == "us-nih:93-7270"


async def test_search(serve: Serve) -> None:
    pipeline = FakePipeline()
    response = await serve(pipeline).get(
        "/v1/search", params={"imprint": "TEVA", "color": "white", "catalogs": "us-nih"}
    )
    assert response.json()["candidates"][0]["rank"] == 1
    assert pipeline.asked == {
        "imprint": "TEVA", "shape": None, "color": "white", "form": None, "name": None, "catalogs": ["us-nih"],
        "top_k": 5,
    }  # fmt: skip


async def test_item_and_drawing(serve: Serve) -> None:
    client = serve()
    assert (await client.get("/v1/items/us-nih:93-7270")).json()["name"] == "Test tablet"
    assert (await client.get("/v1/items/us-nih%3A93-7270")).json()["name"] == "Test tablet"
    drawing = await client.get("/v1/items/us-nih:93-7270/drawing.svg")
    assert drawing.headers["content-type"] == "image/svg+xml"
    assert drawing.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<svg" in drawing.text


@pytest.mark.parametrize("path", ["/v1/items/us-nih:1", "/v1/items/us-nih:1/drawing.svg", "/v1/items/../../etc/passwd"])
async def test_unknown_items(serve: Serve, path: str) -> None:
    response = await serve().get(path)
    error_of(response, 404, "unknown_item" if "us-nih" in path else "not_found")


MULTIPART = {"content-type": "multipart/form-data; boundary=x"}


def multipart(parts: list[tuple[str, str | None, bytes]], end: bytes = b"--x--\r\n") -> bytes:
    body = b""
    for name, filename, content in parts:
        file = b"" if filename is None else f'; filename="{filename}"'.encode()
        body += (
            b'--x\r\nContent-Disposition: form-data; name="'
            + name.encode()
            + b'"'
            + file
            + b"\r\n\r\n"
            + content
            + b"\r\n"
        )
    return body + end


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"{}", {"content-type": "application/json"}),
        (jpeg(), {"content-type": "image/jpeg"}),
        (b"front=x", {"content-type": "application/x-www-form-urlencoded"}),
        (b"", {}),
        (multipart([("front", "a.jpg", jpeg())]), {"content-type": "multipart/form-data"}),
        (multipart([("front", "a.jpg", jpeg())]), {"content-type": "multipart/form-data; boundary=other"}),
        (multipart([("front", "a.jpg", jpeg())], end=b""), MULTIPART),
        (b"--x\r\nnot a header", MULTIPART),
        (b"garbage", MULTIPART),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--x--\r\n", MULTIPART),
        (multipart([(f"f{i}", "a", b"") for i in range(40)]), MULTIPART),
        (multipart([("imprint", None, b"A" * 5_000)]), MULTIPART),
    ],
)
@pytest.mark.parametrize("path", ["/v1/identify", "/v1/detect"])
async def test_400_malformed_forms(serve: Serve, path: str, content: bytes, headers: dict[str, str]) -> None:
    error_of(await serve().post(path, content=content, headers=headers), 400, "malformed_form")


@pytest.mark.parametrize(
    ("files", "data", "said"),
    [
        ({}, {"top_k": "5"}, "front: Field required"),
        ({"photo": jpeg()}, {}, "front: Field required"),
        ({**PHOTO, "bakc": jpeg()}, {}, "'bakc': Extra inputs are not permitted"),
        ({"back": jpeg()}, {}, "front: Field required"),
        ({}, {"front": "http://127.0.0.1:1/a.jpg"}, "front: must be a file"),
        (PHOTO, {"back": "file:///etc/passwd"}, "back: must be a file"),
        (PHOTO, {"top_k": "0"}, "top_k: "),
        (PHOTO, {"top_k": "51"}, "top_k: "),
        (PHOTO, {"top_k": "many"}, "top_k: "),
        (PHOTO, {"catalogs": "us-nih,nowhere"}, "catalogs: must be among kr-mfds, us-nih"),
        (PHOTO, {"shape": "blob"}, "shape: "),
        (PHOTO, {"color": "#fff"}, "color: "),
        (PHOTO, {"imprint": "A" * 101}, "imprint: "),
        ({"front": jpeg(), "imprint": b"A"}, {}, "imprint: "),
        ({"front": b""}, {}, "the file is empty"),
        ({"front": jpeg()[:100]}, {}, "the JPEG file is cut off or broken"),
    ],
)
async def test_422_fields_and_undecodable_files(
    serve: Serve, files: dict[str, bytes], data: dict[str, str], said: str
) -> None:
    form = [(name, None, value.encode()) for name, value in data.items()]
    form += [(name, "a.jpg", value[1] if isinstance(value, tuple) else value) for name, value in files.items()]
    response = await serve().post("/v1/identify", content=multipart(form), headers=MULTIPART)
    code = "undecodable_image" if "file" in said and "must" not in said else "invalid_field"
    assert error_of(response, 422, code).startswith(said)


async def test_422_a_field_given_twice(serve: Serve) -> None:
    body = multipart([("front", "a.jpg", jpeg()), ("front", "b.jpg", jpeg())])
    assert error_of(await serve().post("/v1/identify", content=body, headers=MULTIPART), 422, "invalid_field")


@pytest.mark.parametrize(
    "query", ["", "top_k=3", "imprint=A&top_k=0", "shape=blob", "color=none", "form=pill", "text=A"]
)
async def test_422_search(serve: Serve, query: str) -> None:
    error_of(await serve().get(f"/v1/search?{query}"), 422, "invalid_field")


async def test_415_not_a_photo(serve: Serve) -> None:
    files = {"front": ("a.jpg", b"GIF89a......", "image/jpeg")}
    error_of(await serve().post("/v1/identify", files=files), 415, "unsupported_image")


async def test_413_image_too_large(serve: Serve) -> None:
    client = serve(max_pixels=10_000)
    error_of(await client.post("/v1/identify", files={"front": jpeg(200, 51)}), 413, "image_too_large")


async def test_413_body_is_refused_by_its_declared_length(serve: Serve) -> None:
    body = (chunk for chunk in [b"never read"])

    async def stream() -> AsyncIterator[bytes]:
        for chunk in body:
            yield chunk

    headers = {**MULTIPART, "content-length": "10000001"}
    error_of(await serve().post("/v1/identify", content=stream(), headers=headers), 413, "body_too_large")


async def test_413_body_is_refused_while_it_streams(serve: Serve) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="front"; filename="a"\r\n\r\n'
        while sent < 50_000_000:
            sent += 100_000
            yield b"\0" * 100_000

    error_of(await serve().post("/v1/identify", content=endless(), headers=MULTIPART), 413, "body_too_large")
    assert sent <= 10_200_000


async def test_429_with_retry_after_before_any_work(serve: Serve) -> None:
    release = asyncio.Event()

    async def wait() -> None:
        await release.wait()

    pipeline = FakePipeline(wait)
    client = serve(pipeline, max_in_flight=1, retry_after_s=3)
    first = asyncio.ensure_future(client.post("/v1/identify", files=PHOTO))
    await pipeline.started.wait()
    for refused in [await client.post("/v1/detect", content=b"x"), await client.get("/v1/search?imprint=A")]:
        error_of(refused, 429, "too_busy")
        assert refused.headers["retry-after"] == "3"
    assert (await client.get("/livez")).status_code == 200
    assert (await client.get("/v1/items/us-nih:93-7270")).status_code == 200
    release.set()
    assert (await first).status_code == 200
    assert (await client.post("/v1/identify", files=PHOTO)).status_code == 200


async def test_503_names_the_runner_that_is_down(serve: Serve) -> None:
    async def down() -> None:
        raise RunnerUnavailable("detector")

    response = await serve(FakePipeline(down)).post("/v1/identify", files=PHOTO)
    assert "detector" in error_of(response, 503, "runner_unavailable")


async def test_504_cancels_the_work(serve: Serve) -> None:
    pipeline = FakePipeline(asyncio.Event().wait)
    response = await serve(pipeline, deadline_s=0.2).post("/v1/identify", files=PHOTO)
    error_of(response, 504, "deadline_passed")
    assert pipeline.cancelled.is_set()


async def test_504_covers_a_slow_upload(serve: Serve) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="front"; filename="a"\r\n\r\n'
        while True:
            yield b"\xff"
            await asyncio.sleep(0.05)

    response = await serve(deadline_s=0.2).post("/v1/identify", content=trickle(), headers=MULTIPART)
    error_of(response, 504, "deadline_passed")


async def test_500_tells_nothing(serve: Serve) -> None:
    async def broken() -> None:
        raise RuntimeError("secret at 0x7fffdead")

    response = await serve(FakePipeline(broken)).post("/v1/identify", files=PHOTO)
    assert error_of(response, 500, "internal_error") == "something went wrong on our side"


async def test_a_client_that_leaves_cancels_its_work(serve: Serve) -> None:
    pipeline = FakePipeline(asyncio.Event().wait)
    client = serve(pipeline)
    request = client.build_request("POST", "/v1/identify", files=PHOTO)
    body = await request.aread()
    messages = [{"type": "http.request", "body": body}, {"type": "http.disconnect"}]
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        if len(messages) == 1:
            await pipeline.started.wait()
        return messages.pop(0)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/v1/identify", "raw_path": b"/v1/identify", "query_string": b"",
        "scheme": "http", "http_version": "1.1", "client": ("127.0.0.1", 1), "server": ("pillscope", 80),
        "headers": [(k.lower(), v) for k, v in request.headers.raw],
    }  # fmt: skip
    await asyncio.wait_for(client._transport.app(scope, receive, send), 5)
    assert pipeline.cancelled.is_set()
    assert sent[0]["status"] == 499


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/docs.json", 404, "not_found"),
        ("GET", "/static_content/nowhere.js", 404, "not_found"),
        ("GET", "/v1/identify", 405, "method_not_allowed"),
        ("DELETE", "/v1/search", 405, "method_not_allowed"),
        ("POST", "/metrics", 405, "method_not_allowed"),
        ("POST", "/livez", 405, "method_not_allowed"),
    ],
)
async def test_unknown_routes_and_methods(serve: Serve, method: str, path: str, status: int, code: str) -> None:
    error_of(await serve().request(method, path), status, code)


async def test_health(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve()
    assert (await client.get("/livez")).json() == {"status": "alive"}
    assert (await client.get("/readyz")).json() == {"status": "ready"}

    async def ocr_unready() -> list[str]:
        return ["ocr"]

    monkeypatch.setattr(service.api.state.backend, "unready", ocr_unready)
    assert error_of(await client.get("/readyz"), 503, "not_ready") == "not ready: ocr"
    monkeypatch.setattr(service.api.state.backend, "unready", None)
    monkeypatch.setattr(service.api.state.backend, "operations", None)
    error_of(await client.get("/readyz"), 503, "not_ready")
    error_of(await client.get("/v1/items/us-nih:1"), 503, "not_ready")
    assert (await client.get("/livez")).status_code == 200


async def test_metrics_count_answers_stages_decisions_and_missing_evidence(serve: Serve) -> None:
    samples: list[tuple[str, dict[str, str]]] = [
        ("pillscope_answers_total", {"route": "/v1/identify", "method": "POST", "status": "200"}),
        ("pillscope_stage_seconds_count", {"stage": "decode"}),
        ("pillscope_decisions_total", {"decision": "candidates", "reason": ""}),
        ("pillscope_missing_evidence_total", {"evidence": "imprint"}),
    ]
    before = [REGISTRY.get_sample_value(*sample) or 0 for sample in samples]
    await serve().post("/v1/identify", files=PHOTO)
    assert [REGISTRY.get_sample_value(*sample) for sample in samples] == [count + 1 for count in before]


async def test_bentoml_answers_metrics(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    response = await serve().get("/metrics")
    assert response.status_code == 200
    assert response.headers["x-request-id"]


def test_the_front_door_stands_before_the_service() -> None:
    assert [middleware for middleware, _ in service.Pillscope.middlewares] == [FrontDoor]


async def test_pages_load_nothing_from_elsewhere(serve: Serve) -> None:
    client = serve()
    page = await client.get("/docs")
    assert "https://" not in page.text
    assert (await client.get("/static_content/swagger-ui-bundle.js")).status_code == 200


async def test_openapi_describes_the_forms(serve: Serve) -> None:
    spec = (await serve().get("/openapi.json")).json()
    form = spec["paths"]["/v1/identify"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["front"]
    assert set(form["properties"]) == {"front", "back", "catalogs", "top_k", "imprint", "shape", "color"}
    assert {"200", "400", "413", "415", "422", "429", "503", "504"} <= set(
        spec["paths"]["/v1/identify"]["post"]["responses"]
    )
    assert "$defs" not in json.dumps(form)


async def test_request_id(serve: Serve) -> None:
    client = serve()
    assert (await client.get("/livez", headers={"x-request-id": "abc-1"})).headers["x-request-id"] == "abc-1"
    for hostile in ("a b", "x" * 65, "<script>", ""):
        given = (await client.get("/livez", headers={"x-request-id": hostile})).headers["x-request-id"]
        assert given != hostile
        assert len(given) == 32
    ids = {(await client.get("/livez")).headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


async def test_bentoml_clients_find_the_routes(serve: Serve) -> None:
    schema = (await serve().get("/schema.json")).json()
    routes = {route["route"]: route["input"] for route in schema["routes"]}
    assert {name for name, field in routes["/v1/identify"]["properties"].items() if field["type"] == "file"} == {
        "front",
        "back",
    }
    assert routes["/v1/detect"]["required"] == ["image"]
