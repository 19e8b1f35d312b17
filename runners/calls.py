"""The calls a runner gets: what they bring along (request id, deadline), how they end, what is logged and counted.

Id and deadline travel as W3C baggage, a header that BentoML's client sends for whoever sets it. The deadline is sent
as the time that is left, so that clocks of different hosts need not agree.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import anyio
from opentelemetry import baggage, context
from prometheus_client import Counter, Gauge
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.request import DUE, REQUEST_ID
from runners.work import WORK, Work, WorkStopped

log = logging.getLogger(__name__)

REQUEST_KEY: Final = "pillscope.request"
LEFT_KEY: Final = "pillscope.left_ms"

LONGEST_S: Final = 55.0
"""How long a call without a deadline may take: just below BentoML's own limit (`runners.serving`), which would answer
but leave the work running."""

CALLER_LEFT: Final = "caller left"
DEADLINE_PASSED: Final = "deadline passed"

CALLS: Final = Counter("pillscope_runner_calls", "Calls of runners, as they see them", ["route", "outcome"])
IN_RUNNER: Final = Gauge(
    "pillscope_runner_queue", "Calls a runner works on or has waiting", ["route"], multiprocess_mode="livesum"
)


def _not_stopped(record: logging.LogRecord) -> bool:
    """Stopped work is no mistake to be logged with its stack: the line `stopped` tells of it."""
    return record.exc_info is None or not isinstance(record.exc_info[1], WorkStopped)


logging.getLogger("bentoml._internal.server.http_app").addFilter(_not_stopped)


@contextmanager
def bringing_along(left_s: float) -> Iterator[None]:
    """Calls made inside carry this request's id and `left_s` seconds, and no baggage that a stranger sent us."""
    carried = baggage.set_baggage(LEFT_KEY, str(round(left_s * 1000)), baggage.clear())
    if REQUEST_ID.get():
        carried = baggage.set_baggage(REQUEST_KEY, REQUEST_ID.get(), carried)
    token = context.attach(carried)
    try:
        yield
    finally:
        context.detach(token)


class RunnerCalls:
    """ASGI middleware around a runner: its calls end when their caller leaves or their deadline passes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        began = time.monotonic()
        left_s = _left_s()
        REQUEST_ID.set(str(baggage.get_baggage(REQUEST_KEY) or ""))
        DUE.set(began + left_s)
        call = _Call(receive, send)
        WORK.set(call.work)
        waiting = IN_RUNNER.labels(scope["path"])
        waiting.inc()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(call.end_in_time, left_s, group.cancel_scope)
                await self.app(scope, call.receive, call.send)
                group.cancel_scope.cancel()
            if call.outcome == DEADLINE_PASSED and not call.status:
                await JSONResponse({"error": DEADLINE_PASSED}, 504)(scope, receive, send)
        finally:
            call.work.stop()
            waiting.dec()
            outcome = call.outcome or str(call.status)
            CALLS.labels(scope["path"], outcome).inc()
            log.info(
                "answered" if call.outcome is None else "stopped",
                extra={"route": scope["path"], "outcome": outcome, "ms": round((time.monotonic() - began) * 1000, 1)},
            )


class _Call:
    """One call on its way through. `outcome`: why it was stopped, None where it was not; `status`: of its answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.work = Work()
        self.status = 0
        self.outcome: str | None = None
        self._answered = False
        self._receive, self._send = receive, send
        self._whole = anyio.Event()
        self._gone = anyio.Event()

    async def receive(self) -> Message:
        """What the caller sent; once it sent everything, only that it left."""
        if self._whole.is_set():
            await self._gone.wait()
            return {"type": "http.disconnect"}
        message = await self._receive()
        if not message.get("more_body"):
            self._whole.set()
        return message

    async def send(self, message: Message) -> None:
        """Pass on, unless it is the failure of what we stopped."""
        if self.outcome is not None:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif not message.get("more_body"):
            self._answered = True
        await self._send(message)

    async def end_in_time(self, left_s: float, app: anyio.CancelScope) -> None:
        """Stop the call when its caller leaves or its time is over. Ends by being cancelled when it is done before."""
        with anyio.move_on_after(left_s):
            await self._whole.wait()
            while (await self._receive())["type"] != "http.disconnect":
                pass
            if self._answered:  # servers say "disconnect" after a whole answer too
                return
            self.outcome = CALLER_LEFT
        self.outcome = self.outcome or DEADLINE_PASSED
        self._gone.set()
        self.work.stop()
        app.cancel()


def _left_s() -> float:
    given = str(baggage.get_baggage(LEFT_KEY) or "")
    return min(int(given) / 1000, LONGEST_S) if given.isdigit() else LONGEST_S
