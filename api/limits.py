"""How much is taken in, how many at once and for how long: three ASGI wrappers, each one limit."""

import asyncio
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import IN_FLIGHT
from pipeline.errors import BodyTooLarge, DeadlinePassed, TooBusy
from pipeline.request import DUE

COSTLY: Final = frozenset({"/v1/identify", "/v1/detect", "/v1/search", "/v1/items"})
"""Paths that use the models or walk the index. All others answer from memory and are always let in."""


class BodyLimit:
    """Refuse a body over `max_bytes` before it is buffered: by its declared length, else while it streams in."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app, self.max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.max_bytes:
            raise self._refusal()
        received = 0

        async def counted_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise self._refusal()
            return message

        await self.app(scope, counted_receive, send)

    def _refusal(self) -> BodyTooLarge:
        return BodyTooLarge(f"a request may have at most {self.max_bytes} bytes")


class Gate:
    """Let at most `max_in_flight` costly requests in; the rest are refused at once, before their body is read."""

    def __init__(self, app: ASGIApp, max_in_flight: int, retry_after_s: int) -> None:
        self.app, self.max_in_flight, self.retry_after_s = app, max_in_flight, retry_after_s
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] not in COSTLY:
            await self.app(scope, receive, send)
            return
        if self.in_flight >= self.max_in_flight:
            raise TooBusy(self.retry_after_s)
        self.in_flight += 1
        IN_FLIGHT.inc()
        try:
            await self.app(scope, receive, send)
        finally:
            self.in_flight -= 1
            IN_FLIGHT.dec()


class Deadline:
    """Cancel the work on a request that has no answer after `seconds`, its upload included."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = DUE.set(time.monotonic() + self.seconds)  # runners are told how much of it is left
        try:
            async with asyncio.timeout(self.seconds) as deadline:
                await self.app(scope, receive, send)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise DeadlinePassed(f"no answer within {self.seconds:g} seconds") from None
        finally:
            DUE.reset(token)
