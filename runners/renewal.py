"""Fresh connections now and then, so that calls spread over the replicas of a runner.

The public service keeps its connections to a runner open for good (`runners.serving`), and a Kubernetes Service, like
every balancer below HTTP, spreads connections and not calls: a replica that is added later would get none. So a runner
on TCP asks after some answers for the connection to be closed. The next call opens a new one, to a replica of the
balancer's choice. Nothing is lost: the answer is complete before its connection ends.
"""

import random
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runners.listening import listening_address

MEAN_CALLS: Final = 32
"""Mean number of calls on one connection: at 10 calls/s a connection lasts some 3 s, so a new replica has its share
within seconds, and one call in 32 pays for a handshake."""


class ConnectionRenewal:
    """ASGI middleware: `Connection: close` on one of `mean_calls` answers, drawn at random so that the connections of
    many callers do not end at once. Unix sockets, where there is only one listener, are left alone."""

    def __init__(self, app: ASGIApp, mean_calls: int = MEAN_CALLS) -> None:
        self.app, self.mean_calls = app, mean_calls
        self.on_tcp = listening_address() is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.on_tcp or random.randrange(self.mean_calls):  # noqa: S311  # no secret
            await self.app(scope, receive, send)
            return

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self.app(scope, receive, send_last)
