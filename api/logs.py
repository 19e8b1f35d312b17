"""One line per event on standard output, with the request's id: JSON for collectors or text for a person.

No line holds pixels, file names, form fields or what was read on a pill: code logs names of things and numbers only.
"""

import json
import logging
import sys
import time
from typing import Any, Final

from opentelemetry import trace

from pipeline.request import REQUEST_ID
from pipeline.settings import Settings

OURS: Final = ("pillscope", "pipeline", "index", "runners", "bentoml")
"""Loggers at the chosen level; all others (libraries) speak up from warnings on."""

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A record as one JSON object: time (UTC), level, logger, message, request and trace id, then its extras."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_ids(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """The same for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        extras = {**_ids(), **{name: value for name, value in vars(record).items() if name not in _STANDARD}}
        tail = "".join(f" {name}={value}" for name, value in extras.items())
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        text = f"{moment} {record.levelname.lower():7} {record.name}: {record.getMessage()}{tail}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def configure_logging(settings: Settings) -> None:
    """Take over the handlers that BentoML has set up in this process, the supervisor's and every worker's."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines() if settings.log_format == "json" else TextLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in (*OURS, "uvicorn.error", "circus"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in OURS:
        logging.getLogger(name).setLevel(settings.log_level.upper())
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns about every broken form, quoting from it


def _ids() -> dict[str, str]:
    ids = {}
    if request_id := REQUEST_ID.get():
        ids["request_id"] = request_id
    if trace_id := trace.get_current_span().get_span_context().trace_id:
        ids["trace_id"] = format(trace_id, "032x")
    return ids
