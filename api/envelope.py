"""One shape for every answer: a request id on all of them, one error envelope for whatever goes wrong."""

import http
import logging
import re
import time
import uuid
from typing import Final

from fastapi.exceptions import RequestValidationError
from opentelemetry import trace
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.limits import COSTLY
from api.metrics import ANSWERS
from pipeline.errors import InvalidField, MalformedForm, PillscopeError, TokenMissing, TooBusy
from pipeline.request import REQUEST_ID
from pipeline.schemas import ErrorBody, ErrorEnvelope

log = logging.getLogger("pillscope.api")

_ACCEPTED_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HTTP_CODES: Final = {400: MalformedForm.code, 404: "not_found", 405: "method_not_allowed"}
_CLIENT_GONE: Final = 499  # nginx's number: nobody reads this answer, but logs and metrics should not call it a 500


def request_id_of(scope: Scope) -> str:
    """The caller's `X-Request-Id` if it is a plain token, else the trace id that runners log too, else a new one."""
    given = dict(scope["headers"]).get(b"x-request-id", b"")
    if _ACCEPTED_ID.fullmatch(given):
        return str(given.decode("ascii"))
    trace_id = trace.get_current_span().get_span_context().trace_id
    return format(trace_id, "032x") if trace_id else uuid.uuid4().hex


def error_response(error: Exception) -> Response:
    """The envelope for an error. Only texts written in this project reach the client."""
    headers: dict[str, str] = {}
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        error = InvalidField(f"{first['loc'][-1]}: {first['msg']}")
    if isinstance(error, PillscopeError):
        code, status, message = error.code, error.status, str(error)
    elif isinstance(error, HTTPException):
        status = error.status_code
        phrase = http.HTTPStatus(status).phrase
        code, message = _HTTP_CODES.get(status, phrase.lower().replace(" ", "_")), phrase
        headers = dict(error.headers or {})
    elif isinstance(error, ClientDisconnect):
        code, status, message = "client_gone", _CLIENT_GONE, "the client closed the connection"
    else:
        code, status, message = PillscopeError.code, PillscopeError.status, "something went wrong on our side"
    if isinstance(error, TooBusy):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, TokenMissing):
        headers["WWW-Authenticate"] = "Bearer"
    body = ErrorEnvelope(error=ErrorBody(code=code, message=message, request_id=REQUEST_ID.get()))
    return JSONResponse(body.model_dump(), status, headers)


class Envelope:
    """ASGI wrapper: names the request, turns what escapes into the error envelope, logs and counts the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = request_id_of(scope)
        token = REQUEST_ID.set(request_id)
        started = time.perf_counter()
        status = 0

        async def named_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            await self.app(scope, receive, named_send)
        except Exception as error:
            if not isinstance(error, PillscopeError | HTTPException | ClientDisconnect):
                log.exception("unexpected error")
            if not status:  # else half an answer is out: the server closes the connection
                await error_response(error)(scope, receive, named_send)
        finally:
            self._record(scope, status, time.perf_counter() - started)
            REQUEST_ID.reset(token)

    @staticmethod
    def _record(scope: Scope, status: int, seconds: float) -> None:
        # What was refused before it reached a route keeps its path if that is one of ours: labels must stay few.
        route = getattr(scope.get("route"), "path", scope["path"] if scope["path"] in COSTLY else "other")
        ANSWERS.labels(route, scope["method"], status).inc()
        log.info(
            "answered",
            # No query string: what a person reads on a pill is nobody else's business.
            extra={"method": scope["method"], "route": route, "status": status, "ms": round(seconds * 1000, 1)},
        )
