"""The outermost layer that BentoML lets a service have: decides what reaches which server, under which limits."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.envelope import Envelope
from api.limits import BodyLimit, Deadline, Gate
from pipeline.settings import Settings

PLATFORM_PATHS: Final = ("/metrics", "/healthz", "/schema.json", "/static_content/")
"""What BentoML answers itself: figures, its clients' schema, the script of the documentation page. Everything else is
ours, so BentoML's own request parsing (which fetches addresses it finds in forms, and answers 500 to a broken upload)
never sees a stranger's bytes."""


class FrontDoor:
    """ASGI middleware for `Service.add_asgi_middleware`.

    Args:
        app: BentoML's own application.
        api: ours.
        settings: for the limits.
    """

    def __init__(self, app: ASGIApp, api: ASGIApp, settings: Settings) -> None:
        self.platform = app
        limited = BodyLimit(api, settings.max_body_bytes)
        timed = Deadline(limited, settings.deadline_s)
        self.api = Gate(timed, settings.max_in_flight, settings.retry_after_s)
        self.enveloped = Envelope(self._dispatch)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.enveloped(scope, receive, send)
        elif scope["type"] == "websocket":  # no route speaks it
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.platform(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(PLATFORM_PATHS):
            await self._ask_platform(scope, receive, send)
        else:
            await self.api(scope, receive, send)

    async def _ask_platform(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on BentoML's answer, unless it is an error: that is raised, to be told in our envelope."""
        refused: Message | None = None

        async def send_unless_refused(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refused = message
            if refused is None:
                await send(message)

        await self.platform(scope, receive, send_unless_refused)
        if refused is not None:
            raise HTTPException(refused["status"])
