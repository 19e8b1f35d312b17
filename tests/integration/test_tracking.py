"""One request through all its processes: its id in every log, its end in every process, its spans in one trace.

A bundle over tiny models with one that takes minutes, so that there is something to stop.
"""

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.server import Server, running
from tests.conftest import as_jpeg
from tests.tiny_models import bright_pill, slow, write_tiny_models

EVERYONE = {"pillscope", "detector", "background", "classifier", "embedder", "ocr"}
ROUTES = {"/detect", "/mask", "/judge", "/classify", "/embed", "/read"}


@dataclass
class Collector:
    """An OpenTelemetry collector on loopback that keeps what it is sent: (service, span)."""

    url: str = ""
    spans: list[tuple[str, Any]] = field(default_factory=list)

    def receive(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {a.key: a.value.string_value for a in resource.resource.attributes}
            self.spans += [(named["service.name"], span) for scope in resource.scope_spans for span in scope.spans]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    kept = Collector()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers["content-encoding"] == "gzip":
                import gzip

                body = gzip.decompress(body)
            kept.receive(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        kept.url = f"http://127.0.0.1:{listener.server_port}/v1/traces"
        yield kept
        listener.shutdown()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tracking")
    models = write_tiny_models(folder / "models", embedder=slow(10_000_000))
    with running(folder, models_dir=str(models), deadline_s="60", runner_timeout_s="8", traces=collector.url) as ready:
        yield ready


def lines(server: Server, request_id: str) -> list[dict[str, Any]]:
    """What all processes have logged of one request; every line of the log must be JSON."""
    logged = [json.loads(line) for line in server.log.splitlines()]
    return [line for line in logged if line.get("request_id") == request_id]


def lines_until(server: Server, request_id: str, route: str, within_s: float = 20) -> list[dict[str, Any]]:
    """The same, once one is of `route`."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = lines(server, request_id)
        if any(line.get("route") == route for line in found):
            return found
        time.sleep(0.2)
    raise AssertionError(f"no line of {route}: {found}")


def test_one_id_in_the_logs_of_all_processes_and_one_trace(server: Server, collector: Collector) -> None:
    answer = requests.post(
        f"{server.url}/v1/identify",
        files={"front": as_jpeg(bright_pill())},
        headers={"x-request-id": "mine-1", "baggage": "pillscope.left_ms=1,stranger=x"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["missing"] == ["visual"]  # its runner would take minutes
    found = lines_until(server, "mine-1", "/v1/identify")
    outcomes = {line["route"]: line.get("outcome") for line in found if line.get("route") in ROUTES}
    assert outcomes == {
        "/detect": "200",
        "/mask": "200",
        "/judge": "200",
        "/classify": "200",
        "/read": "200",
        "/embed": outcomes["/embed"],
    }
    assert outcomes["/embed"] in ("deadline passed", "caller left")  # whoever was first: both are told the same moment
    (trace,) = {line["trace_id"] for line in found}

    end = time.monotonic() + 40  # spans leave in batches, every five seconds, and the outermost last
    attributes: dict[str, Any] = {}
    while time.monotonic() < end and "pillscope.decision" not in attributes:
        time.sleep(0.5)
        ours = [(service, span) for service, span in collector.spans if span.trace_id.hex() == trace]
        attributes = {a.key: a.value for service, span in ours if service == "pillscope" for a in span.attributes}
    assert {service for service, _ in ours} == EVERYONE
    assert attributes["pillscope.decision"].string_value in ("candidates", "unidentified", "identified")
    assert attributes["pillscope.read_ms"].double_value > 0
    assert "TEVA" not in str(ours)  # what was read on the pill


def test_work_stops_in_the_runner_when_the_caller_leaves(server: Server) -> None:
    body = as_jpeg(bright_pill())
    prepared = requests.Request(
        "POST", f"{server.url}/v1/identify", files={"front": body}, headers={"x-request-id": "leaver"}
    ).prepare()
    head = "POST /v1/identify HTTP/1.1\r\nHost: x\r\n" + "".join(f"{k}: {v}\r\n" for k, v in prepared.headers.items())
    host, port = server.url.removeprefix("http://").split(":")
    server.wait_until_ready()
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(head.encode() + b"\r\n" + prepared.body)
        lines_until(server, "leaver", "/read")  # the embedder has been asked beside it
        began = time.monotonic()
    found = lines_until(server, "leaver", "/embed")
    assert time.monotonic() - began < 4  # its own time would have been 8 s
    (stopped,) = [line for line in found if line.get("route") == "/embed"]
    assert (stopped["message"], stopped["outcome"]) == ("stopped", "caller left")
    (edge,) = [line for line in lines_until(server, "leaver", "/v1/identify") if line.get("route") == "/v1/identify"]
    assert edge["status"] == 499
    processor = server.worker("embedder").cpu_times().user
    time.sleep(1)
    assert server.worker("embedder").cpu_times().user - processor < 0.3  # it idles, minutes before its run would end


def test_logs_tell_of_stopped_work_in_one_line(server: Server) -> None:
    assert "Traceback" not in server.log
