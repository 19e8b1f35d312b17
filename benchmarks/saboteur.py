"""Stands in the place of a runner's socket and spoils what the runner answers: late, or nonsense."""

import contextlib
import http.client
import http.server
import json
import pickle
import random
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlparse

import numpy as np

from benchmarks.server import Server

HOP: Final = frozenset({"transfer-encoding", "connection", "content-length", "host"})
PICKLE: Final = "application/vnd.bentoml+pickle"
IDLE_S: Final = 6
"""After this long without a call, uvicorn has closed the connections from before, and new ones go through us."""

Spoiler = Callable[[http.server.BaseHTTPRequestHandler, bytes, dict[str, str]], bool]
"""Given the true answer's body and headers: whether it answered in its place."""


def late(seconds: float) -> Spoiler:
    """Every answer comes `seconds` later."""

    def wait(_: http.server.BaseHTTPRequestHandler, __: bytes, ___: dict[str, str]) -> bool:
        time.sleep(seconds)
        return False

    return wait


def nonsense() -> Spoiler:
    """Every answer is another kind of nonsense: noise, wrong shapes, no numbers, errors, halves, nothing."""
    chance = random.Random(5)

    def spoil(to: http.server.BaseHTTPRequestHandler, body: bytes, headers: dict[str, str]) -> bool:
        wrong = [
            chance.randbytes(len(body)),
            b"",
            body[: len(body) // 2],
            pickle.dumps(np.zeros((3, 3), np.float32)),
            pickle.dumps(np.full((1, 5), np.nan, np.float32)),
            pickle.dumps("no array"),
            pickle.dumps(None),
        ]
        kind = chance.randrange(len(wrong) + 2)
        if kind == len(wrong):
            to.send_error(500)
        elif kind > len(wrong):  # half an answer, then the line breaks
            _send(to, body, headers, len(body) // 2)
        else:
            _send(to, wrong[kind], {"content-type": headers.get("content-type", PICKLE)})
        return True

    return spoil


@contextmanager
def sabotaged(server: Server, runner: str, spoiler: Spoiler) -> Iterator[None]:
    """While inside, what `runner` of a bundle on unix sockets answers to calls goes through `spoiler`."""
    front = _socket_of(server, runner)
    real = front.with_suffix(".real")
    front.rename(real)
    try:
        with _Listener(str(front), _handler(str(real), spoiler)) as listener:
            threading.Thread(target=listener.serve_forever, daemon=True).start()
            time.sleep(IDLE_S)
            yield
            listener.shutdown()
    finally:
        real.rename(front)  # in place of ours


def _socket_of(server: Server, runner: str) -> Path:
    """Where a runner listens, as the public service was told."""
    places = json.loads(server.worker("pillscope").environ()["BENTOML_RUNNER_MAP"])
    return Path(urlparse(places[runner]).path)


class _Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A caller that left is no news here."""


class _Real(http.client.HTTPConnection):
    """A connection to a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=120)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def _handler(real: str, spoiler: Spoiler) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass_on(None)

        def do_POST(self) -> None:
            self._pass_on(spoiler)

        def _pass_on(self, spoil: Spoiler | None) -> None:
            body = self._body()
            with contextlib.closing(_Real(real)) as runner:
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
                runner.request(self.command, self.path, body, headers)
                answer = runner.getresponse()
                content = answer.read()
                given = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in HOP}
            if answer.status != http.HTTPStatus.OK or spoil is None or not spoil(self, content, given):
                _send(self, content, given, status=answer.status)

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

        def address_string(self) -> str:
            return "unix"

    return Handler


def _send(
    to: http.server.BaseHTTPRequestHandler, body: bytes, headers: dict[str, str], part: int | None = None,
    status: int = 200,
) -> None:  # fmt: skip
    to.send_response(status)
    for name, value in headers.items():
        to.send_header(name, value)
    to.send_header("Content-Length", str(len(body)))
    to.send_header("Connection", "close")  # so that no connection outlives us
    to.end_headers()
    to.wfile.write(body[:part])
    to.close_connection = True
