"""What travels with a request through every stage and every process: its id, and the moment its answer is due."""

import time
from contextvars import ContextVar
from typing import Final

REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""Id of the request this task works on; every log line of it carries it, in the public service and in the runners."""

DUE: Final[ContextVar[float | None]] = ContextVar("due", default=None)
"""When the answer must be out, in seconds of `time.monotonic()`; None = nobody waits (library, command line)."""


def seconds_left() -> float | None:
    """Seconds until the answer is due, at least 0; None = no limit."""
    due = DUE.get()
    return None if due is None else max(due - time.monotonic(), 0.0)
