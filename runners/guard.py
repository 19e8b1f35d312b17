"""Who may talk to a runner: its bearer token, and the refusal to be reached without one.

BentoML services call each other with pickles, and unpickling runs whatever the sender wrote. On one host the
runners listen on unix sockets in a private folder. As soon as one listens on TCP beyond loopback, only holders of
the token may be heard, and a NetworkPolicy should let no one else through (see deploy/).
"""

import hmac
import ipaddress
import logging
import os
import socket
import sys
from typing import Final, TypeVar

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.settings import settings

S = TypeVar("S")
log = logging.getLogger(__name__)

OPEN_PATHS: Final = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})
"""What probes and Prometheus read without a token; GET only, no body is parsed there."""


class RunnerGuard:
    """ASGI middleware: 401 for every call without the token, before anything reads its body.

    Without a configured token it lets everyone in, and therefore refuses to start where others than this host's
    own processes could come.

    Raises:
        RuntimeError: no token, and the worker listens on TCP beyond loopback.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        token = settings().runner_token
        self.expected = None if token is None else f"Bearer {token.get_secret_value()}".encode()
        address = listening_address()
        if self.expected is None and address is not None and not ipaddress.ip_address(address).is_loopback:
            message = f"a runner that listens on {address} needs PILLSCOPE_RUNNER_TOKEN: it runs what it is sent"
            log.critical(message)
            raise RuntimeError(message)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.expected is None or scope["type"] == "lifespan" or self._admits(scope):
            await self.app(scope, receive, send)
            return
        await JSONResponse({"error": "runner token missing or wrong"}, 401)(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in OPEN_PATHS:
            return True
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, self.expected or b"")


def guarded(service: S) -> S:
    """Class decorator above `@bentoml.service`: puts `RunnerGuard` in front of the service."""
    service.add_asgi_middleware(RunnerGuard)  # type: ignore[attr-defined]  # mypy sees the undecorated class
    return service


def listening_address() -> str | None:
    """IP address this BentoML worker listens on; None for a unix socket or outside a worker.

    The supervisor opens the socket and hands its number over as `--fd`.
    """
    if "--fd" not in sys.argv[:-1]:
        return None
    number = int(sys.argv[sys.argv.index("--fd") + 1])
    with socket.socket(fileno=os.dup(number)) as listener:
        if listener.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        return str(listener.getsockname()[0])
