"""Who may talk to a runner: its bearer token, and the refusal to be reached without one.

BentoML services call each other with pickles, and unpickling runs whatever the sender wrote. On one host the
runners listen on unix sockets in a private folder. As soon as one listens on TCP beyond loopback, only holders of
the token may be heard, and a NetworkPolicy should let no one else through (see deploy/).
"""

import hmac
import ipaddress
from typing import Final, TypeVar

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.settings import settings
from runners.calls import RunnerCalls
from runners.listening import listening_address
from runners.renewal import ConnectionRenewal

S = TypeVar("S")

OPEN_PATHS: Final = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})
"""What probes and Prometheus read without a token; GET only, no body is parsed there."""


class RunnerGuard:
    """ASGI middleware: 401 for every call without the token, before anything reads its body.

    Without a configured token it lets everyone in, and therefore the worker does not start where others than this
    host's own processes could come.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        token = settings().runner_token
        self.expected = None if token is None else f"Bearer {token.get_secret_value()}".encode()
        self.address = listening_address()
        self.open_to_all = self.expected is None and (
            self.address is None or ipaddress.ip_address(self.address).is_loopback
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and self.expected is None and not self.open_to_all:
            await self._refuse_to_start(receive, send)
        elif scope["type"] == "lifespan" or self.open_to_all or self._admits(scope):
            await self.app(scope, receive, send)
        else:
            await JSONResponse({"error": "runner token missing or wrong"}, 401)(scope, receive, send)

    async def _refuse_to_start(self, receive: Receive, send: Send) -> None:
        """Ends the worker by the ASGI lifespan protocol; an exception here would only be logged by uvicorn."""
        message = f"a runner that listens on {self.address} needs PILLSCOPE_RUNNER_TOKEN: it runs what it is sent"
        await receive()
        await send({"type": "lifespan.startup.failed", "message": message})

    def _admits(self, scope: Scope) -> bool:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in OPEN_PATHS:
            return True
        given = dict(scope["headers"]).get(b"authorization", b"")
        return self.expected is not None and hmac.compare_digest(given, self.expected)


def guarded(service: S) -> S:
    """Class decorator above `@bentoml.service`: what every runner has in front of it."""
    for middleware in (RunnerGuard, ConnectionRenewal, RunnerCalls):
        service.add_asgi_middleware(middleware)  # type: ignore[attr-defined]  # mypy sees the undecorated class
    return service
