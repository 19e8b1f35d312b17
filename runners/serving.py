"""How every runner is served: the BentoML settings they share."""

import functools
import importlib.util
from collections.abc import Callable
from typing import Any, Final, TypeVar

import bentoml

from pipeline.settings import PREFIX, Settings, SettingsError, load_settings
from runners.work import WORK

F = TypeVar("F", bound=Callable[..., Any])

MAX_BATCH_LATENCY_MS: Final = 60_000
"""A call that waited longer for its batch is answered 503: BentoML's default. Deadlines end calls before; with less,
BentoML refuses the calls of a machine that is merely busy."""


def tracing(chosen: Settings) -> dict[str, Any]:
    """BentoML's settings for OpenTelemetry, public service and runners alike; {} = no spans are made.

    Raises:
        SettingsError: the exporter is not installed.
    """
    if chosen.traces is None:
        return {}
    if importlib.util.find_spec("opentelemetry.exporter") is None:
        raise SettingsError(f"{PREFIX}TRACES needs: pip install opentelemetry-exporter-otlp-proto-http")
    where = {"protocol": "http", "endpoint": chosen.traces}
    return {"tracing": {"exporter_type": "otlp", "sample_rate": chosen.trace_share, "otlp": where}}


_CHOSEN: Final = load_settings()  # what the decorators below are told when the runners' modules are read

RUNNER_CONFIG: Final[dict[str, Any]] = {
    # One process per runner, one call at a time in it, one ONNX Runtime thread: throughput comes from more workers.
    "workers": 1,
    "threads": 1,
    # `timeout` is the backstop behind PILLSCOPE_RUNNER_TIMEOUT_S; `max_concurrency` bounds what may wait in a
    # worker (429 beyond), so that a slow runner cannot pile up images in memory.
    "traffic": {"timeout": 60, "max_concurrency": 64},
    # BentoML 1.4.39 closes its client session every 100 calls or 300 s while other calls are on it, which loses
    # them. Never rotate. (Behind a Kubernetes Service a proxy has to spread the lasting connections.)
    "runner_connection": {"max_requests": 1_000_000_000, "max_age": 1e9},
    "logging": {"access": {"enabled": False}},  # runners.calls writes that line, with the request's id
    **tracing(_CHOSEN),
}


def batched(method: F) -> F:
    """Makes a runner's method a BentoML API whose calls share runs, as far as `PILLSCOPE_BATCH_SIZE` says.

    BentoML hands the method the images of several calls as one array, and takes a longer one apart. Its queue knows no
    deadline and runs the work of callers who have left, so without batching the method is an ordinary API.
    """
    size = _CHOSEN.batch_size
    if size == 1:
        alone: F = bentoml.api(method)
        return alone

    @functools.wraps(method)
    def together(*arguments: Any, **named: Any) -> Any:
        WORK.set(None)  # BentoML's queue runs in the context of its first call, which is long over
        return method(*arguments, **named)

    api: F = bentoml.api(batchable=True, max_batch_size=size, max_latency_ms=MAX_BATCH_LATENCY_MS)(together)
    return api
