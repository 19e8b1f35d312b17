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
SETTLE_S: Final = 60
"""How long connections from before may last: uvicorn closes one after 5 s without a call, and a call takes its time."""
CONNECTED: Final = "03"
"""State of a connected socket in /proc/net/unix."""

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
    """While inside, what `runner` of a bundle on unix sockets answers to calls goes through `spoiler`.

    Begins when the last connection from before is closed: on one that is kept busy, calls would pass us by.

    Raises `RuntimeError`: one is still open after `SETTLE_S`, or, at the end, no call came.
    """
    front = _socket_of(server, runner)
    real = front.with_suffix(".real")
    front.rename(real)
    try:
        with _Listener(str(front), _handler(str(real), spoiler)) as listener:
            threading.Thread(target=listener.serve_forever, daemon=True).start()
            _wait_for_none(front)
            yield
            listener.shutdown()
            if not listener.spoiled:
                raise RuntimeError(f"no call to {runner} came through: nothing was spoiled")
    finally:
        real.rename(front)  # in place of ours


def _wait_for_none(path: Path) -> None:
    """Until nobody is connected to the socket that was bound as `path`."""
    until = time.monotonic() + SETTLE_S
    while connected(path):
        if time.monotonic() > until:
            raise RuntimeError(f"connections to {path.name} are kept open: nothing would be spoiled")
        time.sleep(0.1)


def connected(path: Path) -> int:
    """Connections that the socket bound as `path` has accepted and that are open. (A renamed one keeps its name.)"""
    lines = (line.split() for line in Path("/proc/net/unix").read_text("utf-8").splitlines())
    return sum(1 for line in lines if line[7:] == [str(path)] and line[5] == CONNECTED)


def _socket_of(server: Server, runner: str) -> Path:
    """Where a runner listens, as the public service was told."""
    places = json.loads(server.worker("pillscope").environ()["BENTOML_RUNNER_MAP"])
    return Path(urlparse(places[runner]).path)


class _Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    spoiled = 0
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
            if spoil is not None and isinstance(self.server, _Listener):
                self.server.spoiled += 1
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
